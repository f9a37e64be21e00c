package frontend

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/gateway/client"
	gwpb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/apicaps"

	"github.com/openhands/llb-frontend/frontend/spec"
	ohllb "github.com/openhands/llb-frontend/llb"
)

// errNoMerge begins with the gist: a terminal may show no more of a step's name.
var errNoMerge = errors.New("no MergeOp in this engine: /openhands is copied for every base instead of being shared; " +
	"each base costs the time of a copy and its full size on the daemon's disk; " +
	"use a buildx builder of the docker-container driver, or Docker with the containerd image store")

// lacks tells what the request would get of another engine and does not get of
// this one.
func (r *request) lacks() []spec.Problem {
	in := r.input(r.TargetPlatforms[0])
	var problems []spec.Problem
	if r.noMerge {
		problems = append(problems, in.Problem("base_image", errNoMerge).Problems...)
	}
	if ignored := r.ignored(); len(ignored) > 0 {
		problems = append(problems, spec.Problem{Message: fmt.Sprintf(
			"this engine does not know %s: the commands of this build run without; a newer BuildKit does", strings.Join(ignored, ", "))})
	}
	return problems
}

// checkLayouts refuses OCI layouts of the client where the engine cannot fetch
// them: it would look for their content in a registry, under a name that nobody
// gave.
func (r *request) checkLayouts() error {
	if r.supports(pb.CapSourceOCILayout) {
		return nil
	}
	opts := r.BuildOpts().Opts
	for _, key := range slices.Sorted(maps.Keys(opts)) {
		if name, ok := strings.CutPrefix(key, "context:"); ok && strings.HasPrefix(opts[key], "oci-layout:") {
			return fmt.Errorf("build context %q is an OCI layout, which this engine cannot take from a client: push the image to a registry, or use a builder of the docker-container driver", name)
		}
	}
	return nil
}

// ignored lists the options of the request that runOptions leaves out.
func (r *request) ignored() []string {
	var flags []string
	for _, o := range []struct {
		flag  string
		given bool
		needs apicaps.CapID
	}{
		{"--cgroup-parent", r.CgroupParent != "", pb.CapExecMetaCgroupParent},
		{"--resource", r.LinuxResources != nil, pb.CapExecMetaLinuxResources},
		{"--shm-size", r.ShmSize > 0, pb.CapExecMountTmpfsSize},
		{"--ulimit", len(r.Ulimits) > 0, pb.CapExecMetaUlimit},
	} {
		if o.given && !r.supports(o.needs) {
			flags = append(flags, o.flag)
		}
	}
	return flags
}

// warn shows problems of the spec that do not stop the build.
func (r *request) warn(ctx context.Context, problems []spec.Problem) {
	r.warnOf(ctx, r.src.SourceMap, problems)
}

// warnOf shows problems of a file.
func (r *request) warnOf(ctx context.Context, file *llb.SourceMap, problems []spec.Problem) {
	caps := r.BuildOpts().Caps
	show := r.src.Warn
	if caps.Supports(gwpb.CapGatewayWarnings) != nil {
		show = r.warnByStep
	}
	for _, p := range problems {
		// Some quote what a base image says.
		msg, opts := spec.Printable(p.Message), client.WarnOpts{SourceInfo: sourceInfo(file)}
		if p.Path != "" {
			msg = fmt.Sprintf("%s (line %d)", msg, p.Range.Start.Line)
		}
		if p.Range != (spec.Range{}) {
			opts.Range = []*pb.Range{ohllb.PBRange(p.Range)}
		}
		show(ctx, msg, opts)
	}
}

// warnByStep is for engines without warnings, BuildKit before 0.10: what people
// see there are the names of steps. The step writes one small file that is part
// of no image; where that fails the build goes on, as with any warning.
func (r *request) warnByStep(ctx context.Context, msg string, _ client.WarnOpts) {
	st := llb.Scratch().File(llb.Mkfile("/warning", 0o644, []byte(msg)), llb.WithCustomName("[warning] "+msg))
	def, err := st.Marshal(ctx, llb.Platform(r.BuildPlatforms[0]))
	if err != nil {
		return
	}
	_, _ = r.GatewayClient().Solve(ctx, client.SolveRequest{Definition: def.ToPB(), Evaluate: true})
}
