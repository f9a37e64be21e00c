package main

import (
	"fmt"
	"math"
	"strings"
)

// aim is what the project wants to reach.
type aim struct {
	text     string
	measured string // empty where this run does not say
	met      bool
}

func (a aim) verdict() string {
	switch {
	case a.measured == "":
		return "not measured"
	case a.met:
		return "met"
	}
	return "**missed**"
}

// aims hold a report to what was aimed at.
func (r *report) aims() []aim {
	return []aim{
		r.bakeAim("500 images from one bake call, `user: root`, in at most 60 s", 60, "root", false, false),
		r.bakeAim("the same without attestations, in at most 40 s", 40, "root", true, false),
		r.bakeAim("500 images, user `openhands`, bases known, in at most 90 s", 90, "user", false, true),
		r.failureAim(),
		r.pullAim("0 bytes of layers pulled, `user: root`", "root", false),
		r.pullAim("0 bytes of layers pulled, user `openhands` made at the start", "start", false),
		r.pullAim("0 bytes of layers pulled, user `openhands` with facts of a lock", "lock", false),
		r.pullAim("user `openhands`: the base is pulled, nothing else", "user", true),
		r.sizeAim(),
		r.ratioAim("a further image at least 100 times quicker than the proof of concept's, `/openhands` of 0.5 GB", "poc", 500*megabyte, 100),
		r.ratioAim("the same, `/openhands` of 2 GB; theirs has 5 GB", "poc", 2*gigabyte, 100),
		r.ratioAim("a further image at least 3 times quicker than `COPY --link`", "link", 500*megabyte, 3),
		r.bytesAim("at most 20 kB new in the registry for each image",
			func(c cost) int64 { return c.New.bytes() }, nil),
		r.bytesAim("at most 20 kB new in the daemon's store for each image, databases included",
			func(c cost) int64 { return c.Store.bytes() }, func(c cost) int64 { return c.Store.Traces }),
		r.figureAim("spec to LLB under 1 ms", r.Frontend.SpecToLLB, 1e-3, "%.2f ms", 1e3),
		r.figureAim("the frontend's first call within 30 ms of CPU", r.Frontend.FirstRPC, 30e-3, "%.1f ms", 1e3),
		r.figureAim("its image under 10 MB compressed", float64(r.Frontend.Compressed), 10e6, "%.1f MB", 1e-6),
		r.figureAim("its memory under 40 MB at the peak", float64(r.Frontend.Peak), 40e6, "%.0f MB", 1e-6),
		r.serverAim(),
		r.depsAim(),
	}
}

// each calls f for all results that pass.
func (r *report) each(pass func(result) bool, f func(result)) {
	for _, res := range r.Results {
		if pass(res) {
			f(res)
		}
	}
}

func isWayOf(names ...string) func(result) bool {
	return func(res result) bool {
		for _, n := range names {
			if res.Way == n {
				return true
			}
		}
		return false
	}
}

func (r *report) bakeAim(text string, limit float64, way string, noAttestations, known bool) aim {
	a := aim{text: text}
	r.each(isWayOf(way), func(res result) {
		p := res.Point
		if res.Scenario == "bases" && p.Bases == fullSet && p.Untraced && p.NoAttestations == noAttestations && p.Known == known {
			a.measured = fmt.Sprintf("%.1f s", res.Further.Wall)
			a.met = res.Further.Wall <= limit && res.Further.Failures == 0
		}
	})
	return a
}

func (r *report) failureAim() aim {
	a := aim{text: "no build fails, also 32 at once"}
	builds, failures, atOnce := 0, 0, 0
	r.each(func(res result) bool { return wayNamed(res.Way).ours() && !res.Repeated }, func(res result) {
		builds += res.First.Images + res.Further.Images
		failures += res.First.Failures + res.Further.Failures
		atOnce = max(atOnce, res.Point.AtOnce)
	})
	if atOnce >= 32 || failures > 0 {
		a.measured = fmt.Sprintf("%d of %d failed, at most %d calls at once", failures, builds, atOnce)
		a.met = failures == 0
	}
	return a
}

// pullAim adds up the layers that all images of a way had pulled, but for the
// frontend's own.
func (r *report) pullAim(text, way string, baseAllowed bool) aim {
	a := aim{text: text}
	var ofBases, ofDeps int64
	images := 0
	r.each(func(res result) bool { return res.Way == way && !res.Repeated }, func(res result) {
		for _, c := range []cost{res.First, res.Further} {
			ofBases, ofDeps, images = ofBases+c.Read.Bases, ofDeps+c.Read.Deps, images+c.Images
		}
	})
	if images > 0 {
		a.measured = fmt.Sprintf("%d images: %s of bases, %s of `/openhands`", images, formatBytes(ofBases), formatBytes(ofDeps))
		a.met = ofDeps == 0 && (baseAllowed || ofBases == 0)
	}
	return a
}

// sizeAim compares the medians at the smallest and the largest /openhands.
func (r *report) sizeAim() aim {
	a := aim{text: "a further image costs the same for `/openhands` of 0.1 and of 5 GB, within 10 %"}
	var measured []string
	a.met = true
	for _, way := range []string{"root", "user"} {
		var small, large *result
		r.each(isWayOf(way), func(res result) {
			if res.Scenario == "payload" {
				if small == nil || res.Point.Size < small.Point.Size {
					small = &res
				}
				if large == nil || res.Point.Size > large.Point.Size {
					large = &res
				}
			}
		})
		if small == nil || small.Point.Size > 100*megabyte || large.Point.Size < 5*gigabyte {
			return aim{text: a.text}
		}
		from, to := quantile(small.Further.Seconds, 0.5), quantile(large.Further.Seconds, 0.5)
		measured = append(measured, fmt.Sprintf("%s: %.3f s at %s, %.3f s at %s", way, from, formatBytes(small.Point.Size), to, formatBytes(large.Point.Size)))
		a.met = a.met && math.Abs(to-from) <= 0.1*from
	}
	a.measured = strings.Join(measured, "; ")
	return a
}

// ratioAim compares medians at one size of /openhands, of calls of buildx one after
// the other.
func (r *report) ratioAim(text, way string, size int64, want float64) aim {
	a := aim{text: text}
	if ours, theirs := r.median("root", size), r.median(way, size); !math.IsNaN(ours) && !math.IsNaN(theirs) {
		a.measured = fmt.Sprintf("%.1f times", theirs/ours)
		a.met = theirs/ours >= want
	}
	return a
}

// median is that of the further images of a way where the size of /openhands is
// what differs.
func (r *report) median(way string, size int64) float64 {
	m := math.NaN()
	r.each(isWayOf(way), func(res result) {
		if res.Scenario == "payload" && res.Point.Size == size {
			m = quantile(res.Further.Seconds, 0.5)
		}
	})
	return m
}

// enough images make an average of what grows in steps, as databases do.
const enough = 100

// bytesAim is about the measurement with most images of each of our ways. traces may
// be nil.
func (r *report) bytesAim(text string, bytes, traces func(cost) int64) aim {
	a := aim{text: text, met: true}
	var measured []string
	for _, way := range []string{"root", "user"} {
		var most *result
		r.each(isWayOf(way), func(res result) {
			if res.Point.Again == "" && !res.Point.NoAttestations && (most == nil || res.Further.Images > most.Further.Images) {
				most = &res
			}
		})
		if most == nil || most.Further.Images < enough {
			continue
		}
		per := most.Further.per(bytes(most.Further))
		line := fmt.Sprintf("%s, %d images: %s", way, most.Further.Images, formatBytes(per))
		if traces != nil {
			line += fmt.Sprintf(", of it %s BuildKit's traces", formatBytes(most.Further.per(traces(most.Further))))
		}
		measured = append(measured, line)
		a.met = a.met && per <= 20e3
	}
	a.measured = strings.Join(measured, "; ")
	return a
}

func (r *report) figureAim(text string, value, limit float64, format string, scale float64) aim {
	if value == 0 {
		return aim{text: text}
	}
	return aim{text: text, measured: fmt.Sprintf(format, value*scale), met: value < limit}
}

func (r *report) serverAim() aim {
	a := aim{text: "a new server version on 500 images: only the code's layer and manifests are written"}
	r.each(func(res result) bool { return res.Point.Again == otherCode && res.Point.Bases >= fullSet }, func(res result) {
		n := res.Further.New
		a.measured = fmt.Sprintf("%d images in %.1f s: %d new layers of %s, %s of documents",
			res.Further.Images, res.Further.Wall, n.Layers, formatBytes(n.LayerBytes), formatBytes(n.Documents))
		a.met = n.Layers == 1 && res.Further.Failures == 0
	})
	return a
}

// depsAim wants no base pulled by a daemon that knows nothing, with user root.
func (r *report) depsAim() aim {
	a := aim{text: "a new deps image on 500 existing images: no base is pulled, at most 60 s"}
	r.each(func(res result) bool { return res.Point.Again == otherDeps && res.Point.Bases >= fullSet }, func(res result) {
		f := res.Further
		a.measured = fmt.Sprintf("%s, another daemon: %d in %.1f s, %s of bases", res.Way, f.Images, f.Wall, formatBytes(f.Read.Bases))
		a.met = f.Read.Bases == 0 && f.Wall <= 60 && f.Failures == 0
	})
	return a
}
