package main

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/openhands/llb-frontend/integration/marks"
)

const (
	chartsDir   = "benchmarks" // below docs
	valuesFile  = chartsDir + "/scale.json"
	docFile     = "benchmarks.md"
	sectionName = "scale"
	nothingYet  = "No run is kept here: `make bench` writes this section.\n"
)

// chartOf is the picture of a scenario: the median of a further image, or where
// images are built side by side their throughput.
func (r *report) chartOf(scenarioName string) (chart, bool) {
	i := slices.IndexFunc(scenarios(), func(s scenario) bool { return s.name == scenarioName })
	s := scenarios()[i]
	c := chart{title: s.text, unit: "seconds for a further image, median"}
	value := func(f cost) float64 { return quantile(f.Seconds, 0.5) }
	switch scenarioName {
	case "ways":
		c.bars = true
	case "payload", "layers", "base-layers":
	case "at-once":
		c.unit, value = "seconds for each image, all together", cost.each
	case "bases":
		c.unit, value = "seconds for all images", func(f cost) float64 { return f.Wall }
	default:
		return chart{}, false
	}
	at := func(way, category string) float64 {
		v := math.NaN()
		r.each(isWayOf(way), func(res result) {
			if res.Scenario == scenarioName && (c.bars || s.axis(res.Point) == category) {
				v = value(res.Further)
			}
		})
		return v
	}
	if c.bars {
		c.categories = s.ways
		one := series{name: s.text}
		for _, way := range s.ways {
			one.values = append(one.values, at(way, ""))
		}
		c.series = []series{one}
		return c, slices.ContainsFunc(one.values, func(v float64) bool { return v > 0 })
	}
	r.each(func(res result) bool { return res.Scenario == scenarioName }, func(res result) {
		if a := s.axis(res.Point); !slices.Contains(c.categories, a) && !res.Point.Known && !res.Point.NoAttestations {
			c.categories = append(c.categories, a)
		}
	})
	for _, way := range s.ways {
		line := series{name: way}
		for _, category := range c.categories {
			line.values = append(line.values, at(way, category))
		}
		c.series = append(c.series, line)
	}
	return c, len(c.categories) > 0
}

// section is what stands between the marks of the document, from the values that
// are kept beside it: text and figures cannot drift apart.
func section(docs string) (string, *report, error) {
	r, err := load(filepath.Join(docs, valuesFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nothingYet, nil, nil
	}
	if err != nil {
		return "", nil, err
	}
	return r.markdown(chartsDir), r, nil
}

// writeDocs writes the section and the charts from the values that are kept.
func writeDocs(docs string) error {
	text, r, err := section(docs)
	if err != nil {
		return err
	}
	if r != nil {
		if err := r.drawAll(filepath.Join(docs, chartsDir)); err != nil {
			return err
		}
	}
	return marks.Write(filepath.Join(docs, docFile), sectionName, text)
}

// drawAll writes a chart for each scenario that has one, and removes those of an
// earlier run that this one did not measure.
func (r *report) drawAll(dir string) error {
	for _, s := range scenarios() {
		file := filepath.Join(dir, s.name+".svg")
		c, ok := r.chartOf(s.name)
		if !ok {
			if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			continue
		}
		if err := os.WriteFile(file, []byte(c.svg()), 0o644); err != nil {
			return err
		}
	}
	return nil
}
