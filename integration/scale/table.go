package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// print writes the report for a terminal, in Markdown as in the documents.
func (r *report) print(w io.Writer) error {
	_, err := io.WriteString(w, r.markdown(""))
	return err
}

// markdown is the whole report. Charts are linked below the directory given, and
// left out where it is empty.
func (r *report) markdown(charts string) string {
	var b strings.Builder
	m := r.Machine
	fmt.Fprintf(&b, "%s, %d cores, %s of memory, Linux %s, BuildKit %s, buildx %s. `%s`, %.0f minutes.\n\n",
		r.Date, m.Cores, formatBytes(m.Memory), m.Kernel, m.BuildKit, m.Buildx, r.Command, math.Ceil(r.Seconds/60))
	r.writeAims(&b)
	for _, s := range scenarios() {
		var list []result
		r.each(func(res result) bool { return res.Scenario == s.name }, func(res result) { list = append(list, res) })
		if len(list) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n### %s\n\n", s.text)
		if c, ok := r.chartOf(s.name); ok && charts != "" {
			fmt.Fprintf(&b, "![%s](%s/%s.svg)\n\n", c.title, charts, s.name)
		}
		writeResults(&b, s, list)
	}
	return b.String()
}

func (r *report) writeAims(b *strings.Builder) {
	b.WriteString("| aim | measured | |\n|---|---|---|\n")
	quick := slices.ContainsFunc(r.Results, func(res result) bool { return res.Scenario == "headline" })
	for _, a := range r.aims() {
		if quick && a.measured == "" {
			continue // not a row of a short form's table
		}
		fmt.Fprintf(b, "| %s | %s | %s |\n", a.text, a.measured, a.verdict())
	}
}

// writeResults writes one scenario: what it costs, and where the time goes.
func writeResults(b *strings.Builder, s scenario, list []result) {
	fmt.Fprintf(b, "%s\n\n", conditions(s, list))
	b.WriteString("| way | at | images | first | further: median | p99 | each of all | CPU each | layers read | new in registry | new in daemon | failed |\n" +
		"|---|---|---|---|---|---|---|---|---|---|---|---|\n")
	for _, res := range list {
		f := res.Further
		fmt.Fprintf(b, "| %s | %s | %d | %.2f s | %.3f s | %.3f s | %.3f s | %.3f s | %s | %s | %s | %d |\n",
			res.Way, s.axis(res.Point), f.Images, res.First.Wall, quantile(f.Seconds, 0.5), quantile(f.Seconds, 0.99), f.each(),
			f.CPU.sum()/float64(max(1, f.Images)), formatBytes(f.per(f.Read.Bases+f.Read.Deps)),
			formatBytes(f.per(f.New.bytes())), formatBytes(f.per(f.Store.bytes())), res.First.Failures+f.Failures)
	}
	for _, res := range list {
		if res.Lock != nil {
			fmt.Fprintf(b, "\n%s\n", res.Lock)
		}
	}
	if line := extrapolated(s, list); line != "" {
		fmt.Fprintf(b, "\n%s\n", line)
	}
	writePhases(b, s, list)
}

// conditions are what is the same for all results of a scenario.
func conditions(s scenario, list []result) string {
	p := list[0].Point
	same := func(text string, value func(point) string) string {
		for _, res := range list {
			if value(res.Point) != value(p) {
				return ""
			}
		}
		return fmt.Sprintf(text, value(p))
	}
	parts := []string{
		same("`/openhands` of %s", func(p point) string { return formatBytes(p.Size) }),
		same("in %s layers", func(p point) string { return fmt.Sprint(p.Layers) }),
		same("bases of %s layers", func(p point) string { return fmt.Sprint(p.BaseLayers) }),
		same("%s", func(p point) string {
			if p.Bake {
				return fmt.Sprintf("one bake call with `--jobs=%d`, no traces", bakeJobs)
			}
			return fmt.Sprintf("calls of buildx, %d at once", p.AtOnce)
		}),
	}
	parts = slices.DeleteFunc(parts, func(text string) bool { return text == "" })
	if s.name == "at-once" {
		parts[len(parts)-1] = "calls of buildx"
	}
	text := strings.Join(parts, ", ") + "."
	return strings.ToUpper(text[:1]) + text[1:]
}

// fullSet is how many images people want.
const fullSet = 500

// extrapolated says what a full set takes by ways of which a few images were built.
func extrapolated(s scenario, list []result) string {
	if s.name != "ways" && s.name != "headline" {
		return ""
	}
	var ratios, sets []string
	root := math.NaN()
	for _, res := range list {
		m := quantile(res.Further.Seconds, 0.5)
		if math.IsNaN(m) {
			continue
		}
		if res.Way == "root" {
			root = m
		} else if !math.IsNaN(root) {
			ratios = append(ratios, fmt.Sprintf("%s %.3g", res.Way, m/root))
		}
		sets = append(sets, fmt.Sprintf("%s %s", res.Way, formatDuration(fullSet*m)))
	}
	text := fmt.Sprintf("%d images one after the other, extrapolated from the medians: %s.", fullSet, strings.Join(sets, ", "))
	if len(ratios) > 0 {
		text = fmt.Sprintf("Times as long as `root`: %s.\n\n%s", strings.Join(ratios, ", "), text)
	}
	return text
}

func formatDuration(seconds float64) string {
	switch {
	case seconds < 120:
		return fmt.Sprintf("%.0f s", seconds)
	case seconds < 2*3600:
		return fmt.Sprintf("%.0f min", seconds/60)
	}
	return fmt.Sprintf("%.1f h", seconds/3600)
}

// writePhases says where the time of a further image goes.
func writePhases(b *strings.Builder, s scenario, list []result) {
	var used []phase
	for _, p := range phases() {
		if slices.ContainsFunc(list, func(res result) bool { return res.Further.Phases[p] > 0 }) {
			used = append(used, p)
		}
	}
	if len(used) == 0 {
		return
	}
	b.WriteString("\n| seconds of a further image, mean | at |")
	for _, p := range used {
		fmt.Fprintf(b, " %s |", p)
	}
	b.WriteString(" CPU: daemon | containers | runc | client |\n|---|---|" + strings.Repeat("---|", len(used)+4) + "\n")
	for _, res := range list {
		fmt.Fprintf(b, "| %s | %s |", res.Way, s.axis(res.Point))
		for _, p := range used {
			if v := res.Further.Phases[p]; v > 0 {
				fmt.Fprintf(b, " %.3f |", v)
			} else {
				b.WriteString(" |")
			}
		}
		n := float64(max(1, res.Further.Images))
		c := res.Further.CPU
		fmt.Fprintf(b, " %.3f | %.3f | %.3f | %.3f |\n", c.Daemon/n, c.Containers/n, c.Runtime/n, c.Client/n)
	}
}
