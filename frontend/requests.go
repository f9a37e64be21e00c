package frontend

import (
	"context"
	"maps"
	"slices"

	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/frontend/subrequests/convertllb"
	"github.com/moby/buildkit/frontend/subrequests/lint"
	"github.com/moby/buildkit/frontend/subrequests/outline"
	"github.com/moby/buildkit/frontend/subrequests/targets"
	"github.com/moby/buildkit/solver/pb"

	"github.com/openhands/llb-frontend/frontend/spec"
	ohllb "github.com/openhands/llb-frontend/llb"
)

// subrequests answer --call. All of targets, outline and lint must be there:
// a client that gets "unsupported" asks the Dockerfile frontend instead, with
// our YAML.
func (r *request) subrequests(doc *spec.Document, loadErr error) dockerui.RequestHandler {
	return dockerui.RequestHandler{
		ListTargets: func(context.Context) (*targets.List, error) { return listTargets(), nil },
		Outline: func(context.Context) (*outline.Outline, error) {
			if loadErr != nil {
				return nil, loadErr
			}
			return r.outline(doc)
		},
		Lint: func(context.Context) (*lint.LintResults, error) { return r.lint(doc, loadErr) },
		ConvertLLB: func(ctx context.Context) (*convertllb.Result, error) {
			if loadErr != nil {
				return nil, loadErr
			}
			if err := r.prepare(doc); err != nil {
				return nil, err
			}
			return r.convertLLB(ctx)
		},
	}
}

func listTargets() *targets.List {
	list := &targets.List{}
	for i, t := range allTargets() {
		list.Targets = append(list.Targets, targets.Target{Name: t.name, Default: i == 0, Description: t.description})
	}
	return list
}

func (r *request) outline(doc *spec.Document) (*outline.Outline, error) {
	t, err := findTarget(r.Target)
	if err != nil {
		return nil, err
	}
	o := &outline.Outline{Name: t.name, Description: t.description}
	for _, name := range slices.Sorted(maps.Keys(doc.Spec.Args)) {
		o.Args = append(o.Args, outline.Arg{Name: name, Value: doc.Args[name], Location: location(doc.Range("args." + name))})
	}
	return o, nil
}

func location(rng spec.Range) *pb.Location {
	return &pb.Location{Ranges: []*pb.Range{ohllb.PBRange(rng)}}
}
