package frontend

import (
	"context"
	"time"

	"github.com/moby/buildkit/client/llb"

	ohllb "github.com/openhands/llb-frontend/llb"
)

// builder is the image that the stages of /openhands run in.
func (r *request) builder(ctx context.Context) (ohllb.Image, error) {
	return r.image(ctx, builderKey, r.doc.Spec.Deps.Builder, r.BuildPlatforms[0])
}

// stages are what the stages of /openhands need beside the spec.
func (r *request) stages(builder ohllb.Image) (ohllb.Stages, error) {
	helpers, err := r.helpers()
	return ohllb.Stages{
		Builder:           builder,
		Helpers:           helpers,
		BuildArchitecture: r.BuildPlatforms[0].Architecture,
		Times:             llb.WithCreatedTime(time.Unix(0, 0)),
		Locked:            r.lockedDigest,
		Snapshot:          r.snapshot(builder),
	}, err
}
