package main

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/openhands/llb-frontend/integration/marks"
	"github.com/openhands/llb-frontend/integration/reliability"
)

// report is what a run has found.
type report struct {
	options
	began         time.Time
	counts        counts
	before, after sample
}

// figure is something that must not grow.
type figure struct {
	name          string
	before, after int64
	// spare is what it may be above before: pools and caches breathe.
	spare int64
	bytes bool
}

func (r report) figures() []figure {
	b, a := r.before, r.after
	const mega = 1 << 20
	return []figure{
		{"frontends that run", int64(b.frontends), int64(a.frontends), 0, false},
		{"the most memory of a frontend, until then", b.peak, a.peak, b.peak / 2, true},
		{"processes in containers", int64(b.containers), int64(a.containers), 0, false},
		{"mounts", int64(b.mounts), int64(a.mounts), 0, false},
		{"records of buildkitd's cache, emptied", int64(b.records), int64(a.records), 0, false},
		{"temporary files", int64(b.temporary), int64(a.temporary), 0, false},
		{"goroutines of buildkitd", int64(b.goroutines), int64(a.goroutines), 20, false},
		{"open files of buildkitd", int64(b.files), int64(a.files), 20, false},
		{"heap of buildkitd", int64(b.heap), int64(a.heap), int64(b.heap)/2 + 20*mega, true},
		{"anonymous memory of buildkitd", b.resident, a.resident, b.resident + 100*mega, true},
		{"goroutines of the local engine", int64(b.own), int64(a.own), 5, false},
		{"heap of the local engine", int64(b.ownHeap), int64(a.ownHeap), 10 * mega, true},
	}
}

// judge fails where a build did not do what it had to, and where something grew.
func (r report) judge() error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(r.counts)) {
		for _, failure := range r.counts[name].failures {
			errs = append(errs, fmt.Errorf("%s: %s", name, failure))
		}
	}
	for _, f := range r.figures() {
		if f.after > f.before+f.spare {
			errs = append(errs, fmt.Errorf("%s: %d before and %d after, at most %d are no growth", f.name, f.before, f.after, f.before+f.spare))
		}
	}
	if r.after.frontends > 0 || r.after.containers > 0 {
		errs = append(errs, errors.New("containers run while nothing is built"))
	}
	return errors.Join(errs...)
}

// markdown is the section of the page: when, how, and what.
func (r report) markdown() string {
	builds := reliability.Table{Header: []string{"build", "done", "not as it has to be"}}
	total, failed := 0, 0
	for _, name := range slices.Sorted(maps.Keys(r.counts)) {
		t := r.counts[name]
		total, failed = total+t.runs, failed+t.failed
		builds.Rows = append(builds.Rows, []string{name, fmt.Sprint(t.runs), fmt.Sprint(t.failed)})
	}
	builds.Rows = append(builds.Rows, []string{"all", fmt.Sprint(total), fmt.Sprint(failed)})
	figures := reliability.Table{Header: []string{"while nothing is built", "after the warm-up", "at the end"}}
	for _, f := range r.figures() {
		row := []string{f.name}
		for _, n := range []int64{f.before, f.after} {
			if f.bytes {
				row = append(row, fmt.Sprintf("%.1f MB", float64(n)/1e6))
				continue
			}
			row = append(row, fmt.Sprint(n))
		}
		figures.Rows = append(figures.Rows, row)
	}
	return fmt.Sprintf("`%s`, %s, begun %s: %d builds, %d at once.\n\n%s\n%s", r.command, r.time, r.began.UTC().Format("2006-01-02 15:04 UTC"),
		total, r.workers, builds.Markdown(), figures.Markdown())
}

// write puts the section into the page.
func (r report) write(docs string) error {
	return marks.Write(filepath.Join(docs, "reliability.md"), "soak-load", r.markdown())
}
