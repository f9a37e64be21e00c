package main

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// chart is a picture of lines over categories, or of bars where it has one series
// and asks for them. The upward axis is logarithmic: what is compared differs by
// factors.
type chart struct {
	title, unit string
	categories  []string
	series      []series
	bars        bool
}

// series is one line. NaN leaves a gap.
type series struct {
	name   string
	values []float64
}

const (
	chartWidth, chartHeight                = 720.0, 380.0
	chartLeft, chartRight                  = 70.0, 150.0
	chartTop, chartBottom                  = 40.0, 60.0
	plotWidth                              = chartWidth - chartLeft - chartRight
	plotHeight                             = chartHeight - chartTop - chartBottom
	textColor, gridColor, background, font = "#24292f", "#d0d7de", "#ffffff", "sans-serif"
)

// colors can be told apart with most kinds of colour blindness (Okabe and Ito).
func colors(i int) string {
	list := []string{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"}
	return list[i%len(list)]
}

// svg draws the chart. The same values give the same bytes.
func (c chart) svg() string {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %g %g" font-family="%s" font-size="12" fill="%s">`+"\n",
		chartWidth, chartHeight, font, textColor)
	fmt.Fprintf(&b, `<rect width="%g" height="%g" fill="%s"/>`+"\n", chartWidth, chartHeight, background)
	label(&b, chartLeft, 22, "start", `font-size="14" font-weight="bold"`, c.title+", "+c.unit)
	low, high := c.decades()
	c.grid(&b, low, high)
	for i, category := range c.categories {
		label(&b, c.x(i), chartTop+plotHeight+20, "middle", "", category)
	}
	y := func(v float64) float64 {
		return chartTop + plotHeight*(1-(math.Log10(v)-float64(low))/float64(high-low))
	}
	for i, s := range c.series {
		if c.bars {
			c.drawBars(&b, s, y)
			continue
		}
		c.drawLine(&b, s, colors(i), y)
		label(&b, chartLeft+plotWidth+12, chartTop+14+20*float64(i), "start", fmt.Sprintf(`fill="%s" font-weight="bold"`, colors(i)), s.name)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// x is the middle of a category.
func (c chart) x(i int) float64 {
	return chartLeft + plotWidth*(float64(i)+0.5)/float64(len(c.categories))
}

// decades are the powers of ten that all values lie between.
func (c chart) decades() (low, high int) {
	least, most := math.Inf(1), math.Inf(-1)
	for _, s := range c.series {
		for _, v := range s.values {
			if v > 0 {
				least, most = min(least, v), max(most, v)
			}
		}
	}
	if most < least {
		return 0, 1
	}
	low = int(math.Floor(math.Log10(least)))
	return low, max(low+1, int(math.Ceil(math.Log10(most))))
}

func (c chart) grid(b *strings.Builder, low, high int) {
	for d := low; d <= high; d++ {
		y := chartTop + plotHeight*float64(high-d)/float64(high-low)
		fmt.Fprintf(b, `<line x1="%g" x2="%g" y1="%.1f" y2="%.1f" stroke="%s"/>`+"\n", chartLeft, chartLeft+plotWidth, y, y, gridColor)
		label(b, chartLeft-8, y+4, "end", "", fmt.Sprintf("%g", math.Pow10(d)))
	}
}

func (c chart) drawLine(b *strings.Builder, s series, color string, y func(float64) float64) {
	var path strings.Builder
	command := "M"
	for i, v := range s.values {
		if !(v > 0) { // also of NaN
			command = "M"
			continue
		}
		fmt.Fprintf(&path, "%s%.1f %.1f ", command, c.x(i), y(v))
		command = "L"
		fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="3.5" fill="%s"/>`+"\n", c.x(i), y(v), color)
	}
	fmt.Fprintf(b, `<path d="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n", strings.TrimSpace(path.String()), color)
}

func (c chart) drawBars(b *strings.Builder, s series, y func(float64) float64) {
	width := 0.6 * plotWidth / float64(len(c.categories))
	for i, v := range s.values {
		if !(v > 0) { // also of NaN
			continue
		}
		fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>`+"\n",
			c.x(i)-width/2, y(v), width, chartTop+plotHeight-y(v), colors(i))
		label(b, c.x(i), y(v)-5, "middle", "", fmt.Sprintf("%.3g", v))
	}
}

func label(b *strings.Builder, x, y float64, anchor, attributes, text string) {
	if attributes != "" {
		attributes = " " + attributes
	}
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="%s"%s>%s</text>`+"\n", x, y, anchor, attributes, html.EscapeString(text))
}
