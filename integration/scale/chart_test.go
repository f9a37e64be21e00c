package main

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
)

func TestChart(t *testing.T) {
	lines := chart{
		title: "A & B", unit: "seconds", categories: []string{"1", "2", "3"},
		series: []series{{"root", []float64{0.1, 1, 10}}, {"<poc>", []float64{5, math.NaN(), 50}}},
	}
	bars := chart{title: "C", unit: "seconds", categories: []string{"a", "b"}, bars: true, series: []series{{"", []float64{0.25, 2}}}}
	for _, c := range []struct {
		chart chart
		want  map[string]int
		text  []string
	}{
		// A gap ends one line and begins another.
		{lines, map[string]int{"path": 2, "circle": 5, "rect": 1, "line": 4}, []string{"A & B, seconds", "<poc>", "0.1", "100"}},
		{bars, map[string]int{"path": 0, "circle": 0, "rect": 3, "line": 3}, []string{"C, seconds", "0.25", "2"}},
	} {
		elements, texts := map[string]int{}, map[string]bool{}
		d := xml.NewDecoder(strings.NewReader(c.chart.svg()))
		for {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			switch token := token.(type) {
			case xml.StartElement:
				elements[token.Name.Local]++
			case xml.CharData:
				texts[string(token)] = true
			}
		}
		for name, n := range c.want {
			if elements[name] != n {
				t.Errorf("%s has %d elements %s, want %d", c.chart.title, elements[name], name, n)
			}
		}
		for _, text := range c.text {
			if !texts[text] {
				t.Errorf("%s does not say %q", c.chart.title, text)
			}
		}
		if strings.Contains(c.chart.svg(), "NaN") || strings.Contains(c.chart.svg(), "Inf") {
			t.Errorf("%s holds what is no number", c.chart.title)
		}
	}
}

// On the logarithmic axis equal factors are equal heights.
func TestChartIsLogarithmic(t *testing.T) {
	c := chart{categories: []string{"a", "b", "c"}, bars: true, series: []series{{"", []float64{0.1, 1, 10}}}}
	low, high := c.decades()
	if low != -1 || high != 1 {
		t.Errorf("the axis goes from 10^%d to 10^%d, want from 10^-1 to 10^1", low, high)
	}
	if svg := c.svg(); !strings.Contains(svg, `height="140.0"`) || !strings.Contains(svg, `height="280.0"`) {
		t.Errorf("the bar of 10 is not twice as high as that of 1:\n%s", svg)
	}
}
