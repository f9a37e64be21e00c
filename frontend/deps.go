package frontend

import (
	"context"
	"errors"
	"fmt"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/solver/pb"

	ohllb "github.com/openhands/llb-frontend/llb"
)

// deps gives the layers of /openhands: from the deps image, or from stages of
// this build.
func (r *request) deps(ctx context.Context, in ohllb.Input) (ohllb.Deps, error) {
	if ref := r.doc.Spec.DepsImage; ref != "" {
		return r.prebuilt(ctx, in, ref)
	}
	builder, err := r.builder(ctx)
	if err != nil {
		return ohllb.Deps{}, err
	}
	stages, err := r.stages(builder)
	if err != nil {
		return ohllb.Deps{}, err
	}
	return ohllb.BuildDeps(in, stages)
}

// prebuilt takes a deps image as it is where its label says that it holds only
// /openhands. Of any other the directory is copied, which pulls it: its layers may
// have files elsewhere, and whiteouts of the base's, which nobody sees in it.
func (r *request) prebuilt(ctx context.Context, in ohllb.Input, ref string) (ohllb.Deps, error) {
	img, err := r.image(ctx, depsKey, ref, in.Platform)
	if err != nil {
		return ohllb.Deps{}, err
	}
	switch v := img.Config.Config.Labels[ohllb.LabelDepsVersion]; v {
	case ohllb.DepsVersion:
		return ohllb.PrebuiltDeps(img), nil
	case "":
	default:
		return ohllb.Deps{}, in.Problem(depsKey.path, fmt.Errorf("deps image %q has layout version %q, this frontend knows %q: build it again with the target deps of this frontend", ref, v, ohllb.DepsVersion))
	}
	rd, err := r.reader(ctx, img.State, in.Platform)
	if err != nil {
		return ohllb.Deps{}, placed(in, depsKey.path, err)
	}
	top, ok, err := rd.lstat(ctx, "/openhands")
	switch {
	case err != nil:
		return ohllb.Deps{}, placed(in, depsKey.path, err)
	case !ok:
		return ohllb.Deps{}, in.Problem(depsKey.path, fmt.Errorf("deps image %q has no /openhands: build one with --target deps", ref))
	case !top.Mode.IsDir():
		return ohllb.Deps{}, in.Problem(depsKey.path, fmt.Errorf("deps image %q: /openhands is %s, not a directory: build one with --target deps", ref, top.Kind()))
	}
	r.warn(ctx, in.Problem(depsKey.path, fmt.Errorf("deps image %q has no label %s: its /openhands is copied on every daemon, and the copy is a layer that no other image shares; build one with --target deps", ref, ohllb.LabelDepsVersion)).Problems)
	return ohllb.ReducedDeps(in, img), nil
}

// helpers is the frontend's own image, which holds the helper programs.
func (r *request) helpers() (llb.State, error) {
	if c, ok := r.GatewayClient().(interface {
		CurrentFrontend() (*llb.State, error)
	}); ok {
		st, err := c.CurrentFrontend()
		if err != nil {
			return llb.State{}, err
		}
		if st != nil {
			return *st, nil
		}
	}
	source := r.BuildOpts().Opts["source"]
	if source == "" {
		return llb.State{}, errors.New("cannot find the frontend's own image, which holds the helpers: the engine names neither it nor a source option; use a frontend image by # syntax=, or give deps_image")
	}
	return llb.Image(source, llb.Platform(r.BuildPlatforms[0]), dockerui.WithInternalName("helpers of "+source)), nil
}

// links is the frontend's own image where the engine cannot make symlinks, and
// nil where it can.
func (r *request) links() (*llb.State, error) {
	caps := r.BuildOpts().LLBCaps
	if caps.Supports(pb.CapFileSymlinkCreate) == nil {
		return nil, nil
	}
	st, err := r.helpers()
	return &st, err
}
