package frontend

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/suggest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/openhands/llb-frontend/frontend/spec"
	ohllb "github.com/openhands/llb-frontend/llb"
)

// target is what a request can ask for with --target.
type target struct {
	name        string
	description string
	build       func(*request, context.Context, ohllb.Input) (*ohllb.Output, error)
}

// allTargets lists them, the default first.
func allTargets() []target {
	return []target{
		{targetRuntime, "the base image with /openhands, user and environment", (*request).runtime},
		{targetDeps, "an image that holds only /openhands, for deps_image of other builds", (*request).depsOnly},
		{"check", "starts the server in the composed image and fails if something of it does not work", (*request).check},
		{lockTarget, "writes openhands.lock.yaml: all that a build takes from outside, by digest", (*request).lockOnly},
	}
}

func findTarget(name string) (target, error) {
	all := allTargets()
	if name == "" {
		return all[0], nil
	}
	var names []string
	for _, t := range all {
		if t.name == name {
			return t, nil
		}
		names = append(names, t.name)
	}
	err := fmt.Errorf("unknown target %q: targets are %s", name, strings.Join(names, ", "))
	return target{}, suggest.WrapError(err, name, names, true)
}

// options reads what the request, not the spec, has to say, and lets the spec
// fill in where the request is silent.
func (r *request) options() error {
	var err error
	if r.target, err = findTarget(r.Target); err != nil {
		return err
	}
	if r.repository, err = parseRepository(r.BuildArgs[spec.RuntimeImageRepo]); err != nil {
		return err
	}
	if err := r.checkLayouts(); err != nil {
		return err
	}
	r.noMerge = !r.supports(pb.CapMergeOp)
	if err := r.platforms(); err != nil {
		return err
	}
	r.lockOnce()
	return nil
}

// platforms decides what to build for: --platform, else the spec's list, else
// the builder's own platform.
func (r *request) platforms() error {
	if len(r.TargetPlatforms) == 0 {
		for _, v := range r.doc.Spec.Platforms {
			p, err := platforms.Parse(v)
			if err != nil {
				return err
			}
			r.TargetPlatforms = append(r.TargetPlatforms, platforms.Normalize(p))
		}
		r.MultiPlatformRequested = r.MultiPlatformRequested || len(r.TargetPlatforms) > 1
	}
	if len(r.TargetPlatforms) == 0 {
		r.TargetPlatforms = []ocispecs.Platform{r.BuildPlatforms[0]}
	}
	for _, p := range r.TargetPlatforms {
		if p.OS != "linux" || !slices.Contains(architectures(), p.Architecture) {
			return fmt.Errorf("platform %q is not supported: use linux/amd64 or linux/arm64", platforms.Format(p))
		}
	}
	return nil
}

// architectures are those that images are built for, all with Linux.
func architectures() []string { return []string{"amd64", "arm64"} }

// sourceDateEpoch reads SOURCE_DATE_EPOCH, seconds since 1970
// (https://reproducible-builds.org/specs/source-date-epoch/). As for Dockerfiles,
// "context" is the time of the commit or of the file that the build context is
// fetched from, and nil for a local one.
func (r *request) sourceDateEpoch(ctx context.Context) (*time.Time, error) {
	v := r.BuildArgs["SOURCE_DATE_EPOCH"]
	switch v {
	case "":
		return nil, nil
	case "context":
		return r.ResolveMainContextSourceDateEpoch(ctx)
	}
	sec, err := strconv.ParseInt(v, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("invalid SOURCE_DATE_EPOCH %q: it must be a number of seconds since 1970, or %q for the time of a git or http context", v, "context")
	}
	t := time.Unix(sec, 0).UTC()
	return &t, nil
}
