package frontend

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"

	"github.com/openhands/llb-frontend/frontend/spec"
	ohllb "github.com/openhands/llb-frontend/llb"
)

// located gives a mistake in the spec the excerpt that the client prints under
// the message, with every line at fault marked.
//
// A file that is no spec at all can hold a problem a line: more than a gRPC
// message takes, and than anybody reads.
func (r *request) located(err error) error {
	const most = 50
	if problems := problemsOf(err); len(problems) > most {
		rest := spec.Problem{
			Range:   problems[most].Range,
			Message: fmt.Sprintf("and %d more problems: is this the right file?", len(problems)-most),
		}
		err = &spec.Error{Filename: r.sourceOf(err).Filename, Problems: append(slices.Clone(problems[:most]), rest)}
	}
	for _, c := range clusters(problemsOf(err)) {
		info := sourceInfo(r.sourceOf(err))
		src := &errdefs.Source{Info: info}
		for _, p := range c {
			src.Ranges = append(src.Ranges, ohllb.PBRange(p.Range))
		}
		err = errdefs.WithSource(err, src)
	}
	return err
}

// placed gives a key of the spec to an error that has no place of its own: one
// of a failing vertex brings the vertex's.
func placed(in ohllb.Input, path string, err error) error {
	if err == nil || errors.Is(err, context.Canceled) || len(errdefs.Sources(err)) > 0 || problemsOf(err) != nil {
		return err
	}
	return in.Problem(path, err)
}

// problemsOf are the mistakes in the spec that an error is about, if any.
func problemsOf(err error) []spec.Problem {
	var se *spec.Error
	if errors.As(err, &se) {
		return se.Problems
	}
	return nil
}

// together is what two things that were done side by side have failed at: mistakes in
// one file are shown at once, of other failures the first.
func together(a, b error) error {
	var first, second *spec.Error
	if errors.As(a, &first) && errors.As(b, &second) && first.Filename == second.Filename {
		return first.With(second.Problems...)
	}
	return cmp.Or(a, b)
}

// clusters groups problems that stand close together, so that a long spec is
// shown as a few short excerpts.
func clusters(problems []spec.Problem) [][]spec.Problem {
	const near = 5 // lines
	var out [][]spec.Problem
	last := 0
	for _, p := range problems {
		line := p.Range.Start.Line
		if len(out) == 0 || line-last > near {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], p)
		last = line
	}
	return out
}

// sourceOf is the file that an error is about: the spec, the lock, or the list.
func (r *request) sourceOf(err error) *llb.SourceMap {
	var se *spec.Error
	for _, m := range []*llb.SourceMap{r.locked.source, r.listed.source} {
		if m != nil && errors.As(err, &se) && se.Filename == m.Filename {
			return m
		}
	}
	return r.src.SourceMap
}

// sourceInfo is a file as clients print parts of it. A spec that is refused for its
// control characters must not reach the terminal with them.
func sourceInfo(m *llb.SourceMap) *pb.SourceInfo {
	return &pb.SourceInfo{Data: []byte(spec.PrintableText(string(m.Data))), Filename: m.Filename, Language: m.Language, Definition: m.Definition.ToPB()}
}
