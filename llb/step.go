package llb

import (
	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"

	"github.com/openhands/llb-frontend/frontend/spec"
)

// Step gives a vertex its name, its place in the spec and its cache policy.
// name is what --no-cache-filter calls the step; path is the spec key that asks
// for it.
func (in Input) Step(name, path, text string) []llb.ConstraintsOpt {
	opts := []llb.ConstraintsOpt{
		llb.WithCustomName(in.title(name, text)),
		in.location(path),
	}
	if in.IgnoreCache != nil && in.IgnoreCache(name) {
		opts = append(opts, llb.IgnoreCache)
	}
	return opts
}

func (in Input) title(name, text string) string {
	if in.Prefixed {
		name = platforms.Format(in.Platform) + " " + name
	}
	return "[" + name + "] " + spec.Printable(text)
}

func (in Input) location(path string) llb.ConstraintsOpt {
	return in.SourceMap.Location([]*pb.Range{PBRange(in.Document.Range(path))})
}

// PBRange is a range of the spec in the form that BuildKit's source maps and
// errors carry.
func PBRange(r spec.Range) *pb.Range {
	return &pb.Range{
		Start: &pb.Position{Line: int32(r.Start.Line), Character: int32(r.Start.Column)},
		End:   &pb.Position{Line: int32(r.End.Line), Character: int32(r.End.Column)},
	}
}
