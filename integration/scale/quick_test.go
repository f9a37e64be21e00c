package main

import (
	"io"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/openhands/llb-frontend/integration/engine"
)

// Every way gives a value, by calls and by bake, and no build fails. How long anything
// takes is not asked: machines are noisy.
func TestEveryWay(t *testing.T) {
	if os.Getuid() != 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("the engine needs root")
		}
		t.Skip("the engine needs root")
	}
	e, err := engine.Open(engine.Config{})
	if err != nil {
		t.Fatal(err)
	}
	opt := options{only: []string{"ways", "bake", "new-server"}, bases: 2, size: 2 * megabyte, hasty: true}
	r, err := measureAll(t.Context(), e, opt)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.failed(); err != nil {
		t.Error(err)
	}
	seen := map[string]bool{}
	for _, res := range r.Results {
		seen[res.Way] = true
		for name, c := range map[string]cost{"first": res.First, "further": res.Further} {
			if len(c.Seconds) != c.Images || c.Images == 0 || c.CPU.Daemon == 0 || c.CPU.Client == 0 || c.New.Documents == 0 || c.Store.Content == 0 {
				t.Errorf("%s, %s, %s: nothing was measured of something: %+v", res.Scenario, res.Way, name, c)
			}
			if math.IsNaN(quantile(c.Seconds, 0.5)) || c.Phases[exportPhase] == 0 || c.Phases[contextPhase] == 0 {
				t.Errorf("%s, %s, %s: no time or phase: %+v", res.Scenario, res.Way, name, c)
			}
			ours := wayNamed(res.Way).ours()
			// A frontend that ends at once may be missed; that all are is asked below.
			if !ours && c.FrontendPeak > 0 || ours && c.CPU.Containers == 0 || ours == (c.Phases[stepsPhase] > 0) {
				t.Errorf("%s, %s, %s: the frontend is ours: %v: %+v", res.Scenario, res.Way, name, ours, c)
			}
		}
		if res.First.Read.Documents == 0 {
			t.Errorf("%s, %s: not even a manifest was read: %+v", res.Scenario, res.Way, res.First.Read)
		}
		if pullsNothing := []string{"root", "start", "lock"}; slices.Contains(pullsNothing, res.Way) && res.First.Read.Bases+res.First.Read.Deps+res.Further.Read.Bases+res.Further.Read.Deps > 0 {
			t.Errorf("%s: layers were pulled for %s: %+v, %+v", res.Scenario, res.Way, res.First.Read, res.Further.Read)
		}
		if l := res.Lock; (l != nil) != (res.Way == "lock") || l != nil && (l.Bases != res.Point.Bases+1 || l.Read == 0 || l.Size == 0) {
			t.Errorf("%s: the lock was %+v", res.Way, l)
		}
		if res.Way == "source" && res.Further.New.Layers != 1 {
			t.Errorf("a new version of the server's code is %d new layers, want 1", res.Further.New.Layers)
		}
		if res.Way == "poc" && res.First.Read.Deps == 0 {
			t.Errorf("the proof of concept's Dockerfile has read nothing of /openhands: %+v", res.First.Read)
		}
	}
	for _, way := range ways() {
		if !seen[way.name] {
			t.Errorf("%s was not measured", way.name)
		}
	}
	f := r.Frontend
	if f.FirstRPC == 0 || f.Compressed == 0 || f.SpecToLLB == 0 || f.Peak == 0 {
		t.Errorf("figures of the frontend are missing: %+v", f)
	}
	if err := r.print(io.Discard); err != nil {
		t.Error(err)
	}
}
