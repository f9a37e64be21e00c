package integration

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/openhands/llb-frontend/integration/engine"
	"github.com/openhands/llb-frontend/integration/faults"
	"github.com/openhands/llb-frontend/integration/reliability"
)

// faultsAtOnce is the number of builds that meet faults at the same time. They wait
// more than they work.
const faultsAtOnce = 12

// A build goes on where a registry fails for a moment, or says which image it cannot
// get; its tag always leads to a whole image, and the same command gives the same
// image afterwards. Where a registry sent something else than a digest says, the
// builder's cache is pruned before.
func TestFaults(t *testing.T) {
	second := freshDaemon(t, "faults")
	plan := planBuilds()
	var builds []*faultBuild
	for _, p := range plan {
		builds = append(builds, newFaultBuild(t, p.name, true, p.faults...))
	}
	want := references(t, builds...)
	// The frontend's own layers are there from now on: each build brings one more.
	if out, err := newFaultBuild(t, "first", true).command(t.Context(), second).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var checker faults.Checker
	problems := make([]error, len(plan))
	next := make(chan int)
	var running sync.WaitGroup
	for range faultsAtOnce {
		running.Go(func() {
			for i := range next {
				problems[i] = builds[i].meet(t.Context(), second, &checker, plan[i].want, want[i])
			}
		})
	}
	for i := range plan {
		next <- i
	}
	close(next)
	running.Wait()
	if out, err := second.Buildx(t.Context(), "prune", "--force").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for i, p := range plan {
		if p.want == sticks && problems[i] == nil {
			problems[i] = builds[i].repeat(t.Context(), second, &checker, want[i])
		}
		if problems[i] != nil {
			t.Errorf("%q: %v", p.faults, problems[i])
		}
	}
	if n := len(allFaults()); n < 200 {
		t.Errorf("%d faults, want at least 200", n)
	}
	reliability.Check(t, filepath.Join(eng.Repo(), "docs"), "faults", faultsTable(plan, problems))
}

// meet runs a build that meets its faults. The digest is what it gives without them.
func (b *faultBuild) meet(ctx context.Context, e *engine.Engine, checker *faults.Checker, want outcome, digest string) error {
	older, err := b.tag(ctx, checker)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	var broken error
	b.proxy.OnFault = func(f faults.Fault) {
		if _, err := b.tag(ctx, checker); err != nil {
			mu.Lock()
			broken = fmt.Errorf("while it meets %s: %w", f, err)
			mu.Unlock()
		}
	}
	b.proxy.Plan(b.plan...)
	out, failed := b.command(ctx, e).CombinedOutput()
	hits := b.proxy.Hits()
	got, err := b.tag(ctx, checker)
	switch {
	case err != nil:
		return err
	case broken != nil:
		return broken
	case len(hits) != len(b.plan):
		return fmt.Errorf("it has met only %q\n%s", hits, out)
	case (want == fails || want == sticks) && failed == nil, want == goesOn && failed != nil:
		return fmt.Errorf("the build %s: %w\n%s", want, failed, out)
	case failed == nil && got != digest:
		return fmt.Errorf("it gives %s, without faults %s", got, digest)
	case failed == nil:
		return nil
	case got != older:
		return fmt.Errorf("it fails, and its tag leads to another image\n%s", out)
	}
	says := []string{b.blames(b.plan[0].Image)}
	if want == sticks && b.plan[0].Image != "frontend" {
		says = append(says, "docker buildx prune") // the frontend's own image is fetched before it can say anything
	}
	for _, text := range says {
		if !strings.Contains(string(out), text) {
			return fmt.Errorf("%q is missing in\n%s", text, out)
		}
	}
	b.proxy.Plan()
	if want == sticks {
		return nil
	}
	return b.repeat(ctx, e, checker, digest)
}

// repeat types the same command again, and compares the image with the right one.
func (b *faultBuild) repeat(ctx context.Context, e *engine.Engine, checker *faults.Checker, digest string) error {
	out, err := b.command(ctx, e).CombinedOutput()
	if err != nil {
		return fmt.Errorf("the same command again: %w\n%s", err, out)
	}
	if got, err := b.tag(ctx, checker); err != nil || got != digest {
		return fmt.Errorf("the same command again gives %s, without faults it is %s, %w\n%s", got, digest, err, out)
	}
	return nil
}

// blames is how an error names an image that cannot be had: by the line of the spec,
// or by the name that is pushed.
func (b *faultBuild) blames(image string) string {
	name := b.host + "/" + b.repo + "/" + image
	return map[string]string{
		"frontend": ">>> # syntax=" + name, "base": ">>> base_image: " + name, "deps": ">>> deps_image: " + name, "out": "failed to push " + name,
	}[image]
}

// faultsTable says how many faults of a kind were injected, and what came of them, by
// phase.
func faultsTable(plan []plannedBuild, problems []error) reliability.Table {
	phases := slices.DeleteFunc(faults.Phases(), func(p faults.Phase) bool { return p == faults.Patch })
	table := reliability.Table{Header: []string{"fault"}}
	for _, p := range phases {
		table.Header = append(table.Header, string(p))
	}
	table.Header = append(table.Header, "in all", "tag whole, image right")
	all, allRight := 0, 0
	for _, kind := range faults.Kinds() {
		cells := map[faults.Phase]map[outcome]int{}
		sum, right := 0, 0
		for i, p := range plan {
			for _, f := range p.faults {
				if f.Kind != kind {
					continue
				}
				if cells[f.Phase] == nil {
					cells[f.Phase] = map[outcome]int{}
				}
				cells[f.Phase][p.want]++
				if sum++; problems[i] == nil {
					right++
				}
			}
		}
		row := []string{string(kind)}
		for _, phase := range phases {
			row = append(row, outcomes(cells[phase]))
		}
		table.Rows = append(table.Rows, append(row, fmt.Sprint(sum), fmt.Sprint(right)))
		all, allRight = all+sum, allRight+right
	}
	last := append([]string{"all"}, make([]string, len(phases))...)
	table.Rows = append(table.Rows, append(last, fmt.Sprint(all), fmt.Sprint(allRight)))
	return table
}

func outcomes(counts map[outcome]int) string {
	var cell []string
	for _, o := range []outcome{goesOn, fails, sticks, either} {
		if counts[o] > 0 {
			cell = append(cell, fmt.Sprintf("%d: %s", counts[o], o))
		}
	}
	return strings.Join(cell, "; ")
}
