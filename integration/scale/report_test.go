package main

import (
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/openhands/llb-frontend/integration/marks"
)

// docsDir are the repository's documents.
const docsDir = "../../docs"

// The document says what the values beside it say, and shows them.
func TestDocumentIsWrittenFromValues(t *testing.T) {
	const remedy = "run `go run ./scale -again` in integration"
	text, r, err := section(docsDir)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile(filepath.Join(docsDir, docFile))
	if err != nil {
		t.Fatal(err)
	}
	want, err := marks.Replace(string(doc), sectionName, text)
	if err != nil {
		t.Fatal(err)
	}
	if string(doc) != want {
		t.Errorf("%s is not what %s gives: %s", docFile, valuesFile, remedy)
	}
	drawn := map[string]bool{}
	for _, s := range scenarios() {
		if r == nil {
			break
		}
		c, ok := r.chartOf(s.name)
		if !ok {
			continue
		}
		file := s.name + ".svg"
		drawn[file] = true
		if b, err := os.ReadFile(filepath.Join(docsDir, chartsDir, file)); err != nil || string(b) != c.svg() {
			t.Errorf("%s is not drawn from the values (%v): %s", file, err, remedy)
		}
	}
	there, err := filepath.Glob(filepath.Join(docsDir, chartsDir, "*.svg"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range there {
		if !drawn[filepath.Base(file)] {
			t.Errorf("%s shows nothing that was measured: remove it", file)
		}
	}
}

// made is a report as a full run gives it. slower makes everything take longer.
func made(slower float64) *report {
	r := &report{
		Date: "2026-01-02", Command: "go run ./scale", Seconds: 100, Machine: machine{Cores: 2, Memory: 8e9, Kernel: "6.1", BuildKit: "v1", Buildx: "v2"},
		Frontend: figures{FirstRPC: 10e-3 * slower, Compressed: int64(9e6 * slower), SpecToLLB: 0.5e-3 * slower, Peak: int64(20e6 * slower)},
	}
	for _, s := range scenarios() {
		for _, p := range s.points {
			for _, way := range s.ways {
				each := map[string]float64{"root": 0.06, "user": 0.1, "link": 0.3, "poc": 12}[way] * slower
				if way == "root" && p.Size == 5*gigabyte {
					each *= slower
				}
				c := cost{
					Images: p.Bases, Wall: each * float64(p.Bases), Seconds: slices.Repeat([]float64{each}, p.Bases),
					Phases: map[phase]float64{resolvePhase: each / 2, otherPhase: each / 2},
					New:    additions{Layers: 1, LayerBytes: 100, Documents: int64(9e3*slower) * int64(p.Bases)},
					Store:  growth{Content: int64(9e3*slower) * int64(p.Bases), Databases: 100},
				}
				if slower > 1 {
					c.Read, c.New.Layers, c.Failures = reads{Bases: 1, Deps: 1}, 2, 1
				}
				r.Results = append(r.Results, result{Scenario: s.name, Way: way, Point: p, First: cost{Images: 1}, Further: c})
			}
		}
	}
	return r
}

// Every aim can be met, missed and not measured.
func TestAims(t *testing.T) {
	fast := made(1)
	for i, res := range fast.Results { // "user" takes longer than an aim allows root
		if res.Way == "root" && res.Point.NoAttestations || res.Point.Again != "" {
			fast.Results[i].Further.Wall = 30
		}
		if res.Way == "poc" {
			fast.Results[i].Further.Seconds = []float64{30}
		}
	}
	slow := made(3)
	for i, res := range slow.Results {
		if res.Way == "link" || res.Way == "poc" {
			slow.Results[i].Further.Seconds = []float64{0.1}
		}
	}
	for verdict, r := range map[string]*report{"met": fast, "**missed**": slow, "not measured": {}} {
		for _, a := range r.aims() {
			if a.verdict() != verdict {
				t.Errorf("%q is %s, want %s: %s", a.text, a.verdict(), verdict, a.measured)
			}
		}
	}
}

func TestMarkdown(t *testing.T) {
	text := made(1).markdown("charts")
	for _, want := range []string{
		"2026-01-02, 2 cores, 8 GB of memory, Linux 6.1, BuildKit v1, buildx v2. `go run ./scale`, 2 minutes.",
		"| root | buildx calls | 20 | 0.00 s | 0.060 s | 0.060 s | 0.060 s | 0.000 s | 0 B | 9.01 kB | 9.01 kB | 0 |",
		"root 30 s, user 50 s,", "poc 100 min,", "Times as long as `root`: user 1.67,", "link 5,",
		"![A further image, each way](charts/ways.svg)",
		"| seconds of a further image, mean | at | resolve | between | CPU: daemon |",
		"`/openhands` of 100 MB, in 8 layers, bases of 2 layers, one bake call with `--jobs=8`, no traces.",
		"| root | 500, bases known |",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "|") && strings.Contains(line, "NaN") {
			t.Errorf("no number in %s", line)
		}
	}
}

// A run that measured less leaves no chart of an earlier one.
func TestDrawAll(t *testing.T) {
	dir := t.TempDir()
	for _, step := range []struct {
		report *report
		want   []string
	}{
		{made(1), []string{"at-once.svg", "base-layers.svg", "bases.svg", "layers.svg", "payload.svg", "ways.svg"}},
		{&report{}, nil},
	} {
		if err := step.report.drawAll(dir); err != nil {
			t.Fatal(err)
		}
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, e := range entries {
			names = append(names, e.Name())
		}
		if !slices.Equal(names, step.want) {
			t.Errorf("charts are %v, want %v", names, step.want)
		}
	}
}

func TestSaveAndLoad(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a", "b.json")
	r := made(1)
	if err := r.save(file); err != nil {
		t.Fatal(err)
	}
	again, err := load(file)
	if err != nil {
		t.Fatal(err)
	}
	if again.markdown("") != r.markdown("") {
		t.Error("what is loaded says something else than what was saved")
	}
}

func TestQuantile(t *testing.T) {
	list := []float64{4, 1, 3, 2}
	for q, want := range map[float64]float64{0.5: 2, 0.99: 4, 0: 1} {
		if got := quantile(list, q); got != want {
			t.Errorf("quantile %g is %g, want %g", q, got, want)
		}
	}
	if !math.IsNaN(quantile(nil, 0.5)) {
		t.Error("no values have a median")
	}
	if got := means([]map[phase]float64{{exportPhase: 1}, {exportPhase: 2, stepsPhase: 1}}); !maps.Equal(got, map[phase]float64{exportPhase: 1.5, stepsPhase: 0.5}) {
		t.Errorf("means are %v", got)
	}
}

func TestParse(t *testing.T) {
	opt, err := parse([]string{"-only", "payload,bases", "-ways", "root", "-bases", "5", "-size", "2MB"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	list := chosen(opt)
	if len(list) != 2 {
		t.Fatalf("%d scenarios, want 2", len(list))
	}
	// Sizes are all the same now; bakes of 1, of 5 in five kinds.
	if len(list[0].points) != 1 || len(list[1].points) != 6 || len(list[0].ways) != 1 {
		t.Errorf("points are %v and %v, ways %v", list[0].points, list[1].points, list[0].ways)
	}
	for _, args := range [][]string{{"-only", "none"}, {"-ways", "root,none"}, {"-size", "big"}, {"stray"}} {
		if _, err := parse(args, io.Discard); err == nil {
			t.Errorf("%q is no error", args)
		}
	}
	if quick, full := chosen(options{quick: true}), chosen(options{}); len(quick)+len(full) != len(scenarios()) {
		t.Errorf("%d scenarios are quick, %d are not, of %d", len(quick), len(full), len(scenarios()))
	}
}

func TestBytes(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1 kB", 999_999: "1 MB", 1_230_000: "1.23 MB", 5 * gigabyte: "5 GB"} {
		if got := formatBytes(n); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
	for text, want := range map[string]int64{"20MB": 20 * megabyte, "0.5gb": gigabyte / 2, "0MB": 0, "5": 0, "xMB": 0} {
		if got, err := parseBytes(text); got != want || (err == nil) != (want > 0) {
			t.Errorf("%q is %d, error %v, want %d", text, got, err, want)
		}
	}
}
