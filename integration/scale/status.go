package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/moby/buildkit/client"
)

// phase is a part of a build that a user sees by the names of its vertices.
type phase string

const (
	startPhase    phase = "frontend" // the frontend's image: resolve, and unpack it the first time
	contextPhase  phase = "context"  // spec or Dockerfile, .dockerignore, files of the context
	resolvePhase  phase = "resolve"  // configs of base and deps image
	basePhase     phase = "base"     // the base: pulled where its accounts are read
	identityPhase phase = "identity" // the user's accounts and directories
	composePhase  phase = "compose"  // merge of base and layers
	stepsPhase    phase = "steps"    // what a Dockerfile copies and runs
	exportPhase   phase = "export"   // manifests, layers that are new, push
	otherPhase    phase = "between"  // no vertex runs: processes start, round trips
)

// phases are all of them, in the order of a build.
func phases() []phase {
	return []phase{startPhase, contextPhase, resolvePhase, basePhase, identityPhase, composePhase, stepsPhase, exportPhase, otherPhase}
}

// phasePrefixes tell a vertex's phase by how its name begins.
var phasePrefixes = []struct {
	prefix string
	phase  phase
}{
	{"resolve image config for ", startPhase},
	{"docker-image://", startPhase},
	{"[internal] load metadata for ", resolvePhase},
	{"[internal] ", contextPhase},
	{"[context ", contextPhase},
	{"[auth] ", exportPhase},
	{"exporting ", exportPhase},
	{"[base] ", basePhase},
	{"[identity] ", identityPhase},
	{"[deps] ", composePhase},
	{"[compose] ", composePhase},
	{"[code] ", composePhase},
}

func phaseOf(name string) phase {
	for _, p := range phasePrefixes {
		if strings.HasPrefix(name, p.prefix) {
			return p.phase
		}
	}
	return stepsPhase
}

// interval is when a vertex ran.
type interval struct {
	phase    phase
	from, to time.Time
}

// progress is what the progress of a build shows of one image.
type progress []interval

// readStatus reads what buildx prints with --progress=rawjson: BuildKit's solve
// status, the source of all other displays. Images of a bake call come apart by the
// names of their targets; what has none is under "". Lines that are no JSON are the
// client's own.
func readStatus(r io.Reader) (map[string]progress, error) {
	type key struct{ target, vertex string }
	vertices := map[key]interval{}
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 && line[0] == '{' {
			var status client.SolveStatus
			if err := json.Unmarshal(line, &status); err != nil {
				return nil, err
			}
			for _, v := range status.Vertexes {
				if v.Started == nil || v.Completed == nil || v.Name == bakeDefinitions {
					continue
				}
				target, name := splitTarget(v.Name)
				vertices[key{target, v.Digest.String()}] = interval{phaseOf(name), *v.Started, *v.Completed}
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	byTarget := map[string]progress{}
	for k, v := range vertices {
		byTarget[k.target] = append(byTarget[k.target], v)
	}
	return byTarget, nil
}

// bakeDefinitions is bake's own work, for no image.
const bakeDefinitions = "[internal] load local bake definitions"

// targetPrefix begins the names of our bake targets, so that they are told from
// words that BuildKit puts in brackets.
const targetPrefix = "scale-"

// splitTarget undoes what bake does to names: "[scale-7 internal] x" is "[internal]
// x" of target scale-7, "[scale-7] exporting" is "exporting".
func splitTarget(name string) (target, rest string) {
	inner, ok := strings.CutPrefix(name, "["+targetPrefix)
	if !ok {
		return "", name
	}
	end := strings.IndexAny(inner, " ]")
	if end < 0 {
		return "", name
	}
	target = targetPrefix + inner[:end]
	if inner[end] == ']' {
		return target, strings.TrimPrefix(inner[end+1:], " ")
	}
	return target, "[" + inner[end+1:]
}

// span is from the first to the last thing that happened.
func (p progress) span() time.Duration {
	if len(p) == 0 {
		return 0
	}
	first := slices.MinFunc(p, func(a, b interval) int { return a.from.Compare(b.from) })
	last := slices.MaxFunc(p, func(a, b interval) int { return a.to.Compare(b.to) })
	return last.to.Sub(first.from)
}

// phases are the seconds of each phase, of which those that run side by side count
// once, and what of the whole is left between them.
func (p progress) phases(whole float64) map[phase]float64 {
	byPhase := map[phase]progress{}
	for _, v := range p {
		byPhase[v.phase] = append(byPhase[v.phase], v)
	}
	seconds := map[phase]float64{otherPhase: max(0, whole-p.union().Seconds())}
	for name, list := range byPhase {
		seconds[name] = list.union().Seconds()
	}
	return seconds
}

// union is how long at least one of the intervals lasted.
func (p progress) union() time.Duration {
	sorted := slices.SortedFunc(slices.Values(p), func(a, b interval) int { return a.from.Compare(b.from) })
	var total time.Duration
	var end time.Time
	for _, v := range sorted {
		from := v.from
		if from.Before(end) {
			from = end
		}
		if v.to.After(from) {
			total += v.to.Sub(from)
			end = v.to
		}
	}
	return total
}
