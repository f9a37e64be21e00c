package integration

import (
	"fmt"
	"slices"

	"github.com/openhands/llb-frontend/integration/faults"
)

// places are the requests that a build makes, with how many of them are hit. There is
// nothing else: layers of a deps image are mounted and not read, and BuildKit sends a
// blob in one PUT.
var places = []struct {
	phase  faults.Phase
	images []string
	n      int
}{
	{faults.Token, []string{"frontend", "base", "deps", "out"}, 1},
	{faults.ManifestHead, []string{"frontend", "base", "deps"}, 1},
	{faults.ManifestHead, []string{"out"}, 3},
	{faults.ManifestGet, []string{"frontend", "base", "deps"}, 1},
	{faults.Config, []string{"frontend", "base", "deps"}, 1},
	{faults.Layer, []string{"frontend", "base"}, 1},
	{faults.BlobHead, []string{"out"}, 3},
	{faults.Mount, []string{"out"}, 1},
	{faults.Upload, []string{"out"}, 3},
	{faults.Blob, []string{"out"}, 3},
	{faults.ManifestPut, []string{"out"}, 3},
}

// allFaults are all kinds at all places where they mean something.
func allFaults() []faults.Fault {
	var all []faults.Fault
	for _, kind := range faults.Kinds() {
		for _, p := range places {
			if !faults.Possible(kind, p.phase) {
				continue
			}
			for _, image := range p.images {
				for n := range p.n {
					if kind == faults.Flipped && p.phase == faults.ManifestPut && n == p.n-1 {
						continue // the tag's manifest, which no digest goes with: only TLS guards it
					}
					all = append(all, faults.Fault{Kind: kind, Place: faults.Place{Phase: p.phase, Image: image}, N: n + 1})
				}
			}
		}
	}
	return all
}

// outcome is what a fault does to a build.
type outcome string

const (
	goesOn outcome = "goes on"
	fails  outcome = "fails"
	// sticks is where the daemon keeps what it got and takes it for the beginning of the
	// right bytes, until it cleans up.
	sticks outcome = "fails until `docker buildx prune`"
	// either is what happens where Go's HTTP client asks again by itself, which it does
	// for a connection that it has used before.
	either outcome = "goes on or fails"
)

// expected is what BuildKit makes of a fault: it asks again after refusals and after
// broken connections, and believes nothing that has another digest.
func expected(f faults.Fault) outcome {
	wrote := []faults.Phase{faults.Blob, faults.ManifestPut}
	stored := []faults.Phase{faults.ManifestGet, faults.Config, faults.Layer}
	wrong := f.Kind == faults.Flipped || f.Kind == faults.Garbage
	switch {
	case wrong && slices.Contains(stored, f.Phase):
		return sticks
	case f.Kind == faults.Flipped && f.Image == "out" && !slices.Contains(wrote, f.Phase):
		return goesOn // it pushes what the registry seems not to have
	case wrong:
		return fails
	case f.Kind == faults.TooMany && f.Phase == faults.Token:
		return fails
	case (f.Kind == faults.Reset || f.Kind == faults.Lost) && f.Phase == faults.ManifestHead && f.Image != "out":
		return either
	default:
		return goesOn
	}
}

// plannedBuild is a build and the faults that it meets.
type plannedBuild struct {
	name   string
	faults []faults.Fault
	want   outcome
}

// planBuilds gives each fault that a build may not survive a build of its own. The
// others of a kind are met by three builds together: so many that no request meets
// more of them than BuildKit has patience.
func planBuilds() []plannedBuild {
	const rounds = 3
	together := map[string]*plannedBuild{}
	var plan []plannedBuild
	var order []string
	for i, f := range allFaults() {
		if want := expected(f); want != goesOn {
			plan = append(plan, plannedBuild{fmt.Sprintf("alone-%d", i), []faults.Fault{f}, want})
			continue
		}
		name := fmt.Sprintf("together-%d-%d", slices.Index(faults.Kinds(), f.Kind), (f.N+slices.Index(faults.Phases(), f.Phase))%rounds)
		if together[name] == nil {
			together[name] = &plannedBuild{name: name, want: goesOn}
			order = append(order, name)
		}
		together[name].faults = append(together[name].faults, f)
	}
	for _, name := range order {
		plan = append(plan, *together[name])
	}
	return plan
}
