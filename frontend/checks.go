package frontend

import (
	"context"

	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/frontend/subrequests/lint"
	"github.com/moby/buildkit/solver/pb"

	ohlint "github.com/openhands/llb-frontend/frontend/lint"
	"github.com/openhands/llb-frontend/frontend/spec"
	ohllb "github.com/openhands/llb-frontend/llb"
)

// lint reports what loading the spec found as the build error, and what the
// rules find as warnings.
func (r *request) lint(doc *spec.Document, loadErr error) (*lint.LintResults, error) {
	res := &lint.LintResults{}
	src := int32(res.AddSource(r.src.SourceMap))
	if problems := problemsOf(loadErr); problems != nil {
		res.Error = &lint.BuildError{Message: loadErr.Error(), Location: pb.Location{SourceIndex: src, Ranges: ranges(problems)}}
		return res, nil
	}
	if loadErr != nil {
		return nil, loadErr
	}
	for _, err := range []error{r.locked.err, r.listed.err} {
		if problems := problemsOf(err); problems != nil {
			src := int32(res.AddSource(r.sourceOf(err)))
			res.Error = &lint.BuildError{Message: err.Error(), Location: pb.Location{SourceIndex: src, Ranges: ranges(problems)}}
			return res, nil
		}
	}
	if err := r.prepare(doc); err != nil {
		return nil, err
	}
	found, _, err := r.findings(doc)
	if err != nil {
		return nil, err
	}
	for _, f := range found {
		loc := location(f.Range)
		loc.SourceIndex = src
		res.Warnings = append(res.Warnings, lint.Warning{
			RuleName: f.Name, Description: f.Description, URL: f.URL(), Detail: f.Message, Location: loc,
		})
	}
	return res, nil
}

func ranges(problems []spec.Problem) []*pb.Range {
	var list []*pb.Range
	for _, p := range problems {
		list = append(list, ohllb.PBRange(p.Range))
	}
	return list
}

// findings are what the rules find that the request and the spec want checked.
// violation is their sum as an error, where they want one.
func (r *request) findings(doc *spec.Document) (found []ohlint.Finding, violation, err error) {
	config, err := ohlint.ConfigOf(r.LinterConfig, r.src.Data)
	if err != nil {
		return nil, nil, err
	}
	found, violation = ohlint.Run(ohlint.Input{
		Document: doc, IsContext: r.isContext,
		Locks: r.locked.lock != nil || r.target.name == lockTarget, Lock: r.locked.lock,
		Stale: r.stale(), LockCommand: r.lockCommand(),
	}, config)
	return found, violation, nil
}

// lintBuild shows in a build what --call=check would say.
func (r *request) lintBuild(ctx context.Context) error {
	found, violation, err := r.findings(r.doc)
	if err != nil {
		return err
	}
	var problems []spec.Problem
	for _, f := range found {
		f.Message = f.Name + ": " + f.Message
		problems = append(problems, f.Problem)
	}
	if violation != nil {
		return &spec.Error{Filename: r.src.Filename, Problems: problems}
	}
	r.warn(ctx, problems)
	return nil
}

// isContext tells whether the request has a build context of that name.
func (r *request) isContext(name string) bool {
	nc, err := r.NamedContext(name, dockerui.ContextOpt{Platform: &r.BuildPlatforms[0]})
	return err == nil && nc != nil
}
