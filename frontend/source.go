package frontend

import (
	"context"
	"fmt"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"

	ohllb "github.com/openhands/llb-frontend/llb"
)

// source is the checkout that server.source names; nil for a release.
func (r *request) source(ctx context.Context, in ohllb.Input) (*llb.State, error) {
	const key = "server.source"
	name, patterns := r.doc.Spec.Server.Source, ohllb.SourcePatterns(r.doc.Spec.Server)
	switch name {
	case "":
		return nil, nil
	case ".":
		st, err := r.MainContext(ctx, llb.IncludePatterns(patterns), alsoExclude{"**/__pycache__"},
			dockerui.WithInternalName("load the server's source"))
		if err != nil {
			return nil, err
		}
		return st, r.checkSource(ctx, in, *st)
	}
	named, err := r.NamedContext(name, dockerui.ContextOpt{Platform: &in.Platform, AsyncLocalOpts: func() []llb.LocalOption {
		return []llb.LocalOption{llb.IncludePatterns(patterns), alsoExclude{"**/__pycache__"}}
	}})
	if err != nil {
		return nil, placed(in, key, err)
	}
	if named == nil {
		return nil, in.Problem(key, fmt.Errorf("there is no build context %q: pass --build-context %s=DIRECTORY, or write %q for the build context", name, name, "."))
	}
	st, _, err := named.Load(ctx)
	if err != nil {
		return nil, placed(in, key, err)
	}
	return st, r.checkSource(ctx, in, *st)
}

// checkSource says what a checkout lacks, before a copy of it fails.
func (r *request) checkSource(ctx context.Context, in ohllb.Input, st llb.State) error {
	const key = "server.source"
	rd, err := r.reader(ctx, st, r.BuildPlatforms[0])
	if err != nil {
		return placed(in, key, err)
	}
	var missing []string
	for _, file := range ohllb.SourceNeeds(r.doc.Spec.Server) {
		if _, ok, err := rd.walk(ctx, "/"+file); err != nil {
			return placed(in, key, err)
		} else if !ok {
			missing = append(missing, file)
		}
	}
	if len(missing) > 0 {
		return in.Problem(key, ohllb.NoCheckout(r.doc.Spec.Server, missing))
	}
	return nil
}
