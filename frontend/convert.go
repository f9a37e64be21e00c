package frontend

import (
	"context"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/subrequests/convertllb"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
)

// convertLLB answers a request for the graph of the first platform. As in a
// build, a base is read where its user has a name; nothing else runs.
func (r *request) convertLLB(ctx context.Context) (*convertllb.Result, error) {
	p := r.TargetPlatforms[0]
	r, err := r.on(p)
	if err != nil {
		return nil, err
	}
	out, err := r.target.build(r, ctx, r.input(p))
	if err != nil {
		return nil, err
	}
	marshalled, err := out.State.Marshal(ctx, llb.Platform(p), llb.WithCaps(r.BuildOpts().LLBCaps))
	if err != nil {
		return nil, err
	}
	res := &convertllb.Result{
		Def:      map[digest.Digest]*pb.Op{},
		Metadata: marshalled.Metadata,
		Source:   marshalled.Source,
	}
	for _, dt := range marshalled.Def {
		op := &pb.Op{}
		if err := op.Unmarshal(dt); err != nil {
			return nil, err
		}
		res.Def[digest.FromBytes(dt)] = op
	}
	return res, nil
}
