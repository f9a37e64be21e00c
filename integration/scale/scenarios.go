package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
)

// point is one place on the axes: what is built, and how.
type point struct {
	Size       int64 `json:"size"`   // of /openhands, in bytes, unpacked
	Layers     int   `json:"layers"` // of /openhands
	Bases      int   `json:"bases"`  // further bases, beside the first
	BaseLayers int   `json:"base_layers"`
	// AtOnce is how many builds run at the same time: calls of buildx, or targets of
	// one bake call (its --jobs). 0 is what bake does when it is not told: all.
	AtOnce int `json:"at_once"`
	// Bake builds all further images by one call.
	Bake bool `json:"bake,omitempty"`
	// Untraced asks clients for no trace. With one, BuildKit writes what all targets
	// of a bake call have done so far into the record of each of them.
	Untraced bool `json:"untraced,omitempty"`
	// NoAttestations leaves out what buildx adds by default.
	NoAttestations bool `json:"no_attestations,omitempty"`
	// Known says that the daemon has pulled the bases before.
	Known bool `json:"known,omitempty"`
	// Again builds other images of the same bases before, and then measures those
	// after a change of the deps image or of the server's code.
	Again again `json:"again,omitempty"`
	// Forgotten empties the daemon's cache between the two.
	Forgotten bool `json:"forgotten,omitempty"`
}

// again is what changes between two images of one base.
type again string

const (
	otherDeps again = "deps"
	otherCode again = "code"
)

const (
	megabyte = 1_000_000
	gigabyte = 1000 * megabyte
)

// usual is the point from which scenarios differ in one axis.
var usual = point{Size: 500 * megabyte, Layers: 8, Bases: 20, BaseLayers: 2, AtOnce: 1}

// scenario is one row of the table of measurements.
type scenario struct {
	name, text string
	// axis is what the points differ in.
	axis   func(point) string
	points []point
	ways   []string
	// samples limits the further bases of slow ways; 0 leaves a way out.
	samples func(way string, p point) int
	quick   bool // part of the quick form
}

// slow is true for ways that copy all of /openhands for each image.
func slow(way string) bool { return way == "poc" || way == "assembly" }

func all(_ string, p point) int { return p.Bases }

// few takes two further bases of slow ways.
func few(way string, p point) int {
	if slow(way) {
		return min(2, p.Bases)
	}
	return p.Bases
}

// lean leaves out what takes minutes: with 5 GB the first image of each Dockerfile,
// with 2 GB the assembly's, and all but one further image of the proof of concept.
func lean(way string, p point) int {
	switch {
	case wayNamed(way).ours(), p.Size < 2*gigabyte:
		return few(way, p)
	case p.Size > 2*gigabyte, way == "assembly":
		return 0
	case way == "poc":
		return min(1, p.Bases)
	}
	return p.Bases
}

func scenarios() []scenario {
	byCall := func(p point) string { return map[bool]string{true: "one bake call", false: "buildx calls"}[p.Bake] }
	return []scenario{
		{name: "headline", text: "A further image, at a small /openhands", quick: true,
			axis: byCall, samples: few,
			points: []point{vary(func(p *point) { p.Size, p.Bases = 100*megabyte, 10 })},
			ways:   []string{"root", "user", "poc", "link", "assembly"}},
		{name: "bake", text: "One bake call, at a small /openhands", quick: true,
			axis: bakeAxis, samples: all,
			points: []point{
				baked(20),
				baked(20, func(p *point) { p.NoAttestations = true }),
				baked(20, asBakeDoes),
			},
			ways: []string{"root", "link"}},
		{name: "ways", text: "A further image, each way", axis: byCall, samples: few,
			points: []point{usual},
			ways:   []string{"root", "user", "start", "lock", "poc", "link", "link-user", "assembly"}},
		{name: "payload", text: "The size of /openhands", samples: lean,
			axis: func(p point) string { return formatBytes(p.Size) },
			points: points([]int64{100 * megabyte, 500 * megabyte, 2 * gigabyte, 5 * gigabyte},
				func(p *point, n int64) { p.Size = n }),
			ways: []string{"root", "user", "link", "poc", "assembly"}},
		{name: "layers", text: "Layers of /openhands", samples: all,
			axis:   func(p point) string { return fmt.Sprint(p.Layers) },
			points: points([]int{1, 8, 64}, func(p *point, n int) { p.Size, p.Bases, p.Layers = 100*megabyte, 10, n }),
			ways:   []string{"root", "user"}},
		{name: "base-layers", text: "Layers of the base", samples: all,
			axis:   func(p point) string { return fmt.Sprint(p.BaseLayers) },
			points: points([]int{2, 20, 60}, func(p *point, n int) { p.Size, p.Bases, p.BaseLayers = 100*megabyte, 10, n }),
			ways:   []string{"root", "user"}},
		{name: "at-once", text: "Calls of buildx at once", samples: all,
			axis:   func(p point) string { return fmt.Sprint(p.AtOnce) },
			points: points([]int{1, 8, 32}, func(p *point, n int) { p.Size, p.Bases, p.AtOnce = 100*megabyte, 64, n }),
			ways:   []string{"root", "link"}},
		{name: "bases", text: "Bases in one bake call", axis: bakeAxis, points: bakes(), ways: []string{"root", "user", "lock", "link"},
			samples: func(way string, p point) int {
				special := p.NoAttestations || !p.Untraced
				if p.Bases > 100 && way == "link" || p.Bases <= 10 && way == "lock" || special && way != "root" || p.Known && way != "user" {
					return 0
				}
				return p.Bases
			}},
		{name: "new-server", text: "A new server version on images that are there", axis: bakeAxis, samples: all,
			points: []point{baked(fullSet, func(p *point) { p.Again = otherCode })},
			ways:   []string{"source"}},
		{name: "new-deps", text: "A new deps image on images that are there",
			// Who has forgotten the bases reads them again for a user by name.
			samples: func(way string, p point) int {
				if p.Forgotten != (way == "root") {
					return 0
				}
				return p.Bases
			},
			axis: bakeAxis,
			points: []point{
				baked(fullSet, func(p *point) { p.Again, p.Forgotten = otherDeps, true }),
				baked(100, func(p *point) { p.Again = otherDeps }),
			},
			ways: []string{"root", "user"}},
	}
}

// bakeJobs keeps two cores busy. More make no image come sooner, and BuildKit gives a
// frontend up that has not said a word ten seconds after it was started.
const bakeJobs = 8

// baked is a bake call as docs/scaling.md tells people to make it.
func baked(n int, edits ...func(*point)) point {
	return vary(append([]func(*point){func(p *point) {
		p.Size, p.Bases, p.Bake, p.AtOnce, p.Untraced = 100*megabyte, n, true, bakeJobs, true
	}}, edits...)...)
}

// asBakeDoes makes it one that nobody has thought about.
func asBakeDoes(p *point) { p.AtOnce, p.Untraced = 0, false }

// bakes are the points of the scenario with most images: as it is recommended, then
// without attestations, with bases that are known, and what jobs and traces change.
func bakes() []point {
	return []point{
		baked(1), baked(10), baked(100), baked(fullSet),
		baked(fullSet, func(p *point) { p.NoAttestations = true }),
		baked(fullSet, func(p *point) { p.Known = true }),
		baked(100, func(p *point) { p.Untraced = false }),
		baked(100, asBakeDoes),
	}
}

func bakeAxis(p point) string {
	text := fmt.Sprint(p.Bases)
	for _, special := range []struct {
		is   bool
		text string
	}{
		{p.NoAttestations, "no attestations"},
		{p.Known, "bases known"},
		{p.AtOnce == 0, "all at once"},
		{!p.Untraced, "traced"},
		{p.Forgotten, "another daemon"},
		{p.Again == otherDeps && !p.Forgotten, "the same daemon"},
	} {
		if special.is {
			text += ", " + special.text
		}
	}
	return text
}

func vary(edits ...func(*point)) point {
	p := usual
	for _, edit := range edits {
		edit(&p)
	}
	return p
}

func points[T any](values []T, edit func(*point, T)) []point {
	var list []point
	for _, v := range values {
		list = append(list, vary(func(p *point) { edit(p, v) }))
	}
	return list
}

func isScenario(name string) bool {
	return slices.ContainsFunc(scenarios(), func(s scenario) bool { return s.name == name })
}

func scenarioNames() string {
	var names []string
	for _, s := range scenarios() {
		names = append(names, s.name)
	}
	return strings.Join(names, ", ")
}

// chosen are the scenarios, points and ways that a run is asked for. Points that
// limits have made equal are measured once.
func chosen(opt options) []scenario {
	var list []scenario
	for _, s := range scenarios() {
		if len(opt.only) == 0 && s.quick != opt.quick || len(opt.only) > 0 && !slices.Contains(opt.only, s.name) {
			continue
		}
		var limited []point
		for _, p := range s.points {
			if opt.bases > 0 {
				p.Bases = min(p.Bases, opt.bases)
			}
			if opt.size > 0 {
				p.Size = min(p.Size, opt.size)
			}
			if !slices.Contains(limited, p) {
				limited = append(limited, p)
			}
		}
		s.points = limited
		if len(opt.ways) > 0 {
			s.ways = slices.DeleteFunc(slices.Clone(s.ways), func(w string) bool { return !slices.Contains(opt.ways, w) })
		}
		list = append(list, s)
	}
	return list
}

// scenarios measures all that is asked for into r.
func (w *world) scenarios(ctx context.Context, opt options, r *report) error {
	type item struct {
		scenario
		way   way
		point point
	}
	var items []item
	for _, s := range chosen(opt) {
		for _, p := range s.points {
			for _, name := range s.ways {
				p := p
				if p.Bases = s.samples(name, p); p.Bases > 0 {
					items = append(items, item{s, wayNamed(name), p})
				}
			}
		}
	}
	for i, it := range items {
		res, ok := r.at(it.way.name, it.point)
		if ok {
			res.Repeated = true
		} else {
			var err error
			if res, err = w.measure(ctx, it.way, it.point); err != nil {
				return fmt.Errorf("%s, %s: %w", it.name, it.way.name, err)
			}
		}
		res.Scenario = it.name
		r.Results = append(r.Results, *res)
		fmt.Fprintf(os.Stderr, "scale: %d of %d: %s, %s, %s: first %.2f s, further %.3f s each, %d failed\n", i+1, len(items),
			it.name, it.axis(it.point), it.way.name, res.First.Wall, res.Further.each(), res.First.Failures+res.Further.Failures)
	}
	return nil
}
