package frontend

import (
	"maps"
	"slices"

	"github.com/containerd/platforms"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/openhands/llb-frontend/frontend/spec"
)

// firstPlatform is the one that a spec is first read for.
func (r *request) firstPlatform() ocispecs.Platform {
	return slices.Concat(r.TargetPlatforms, r.BuildPlatforms)[0]
}

// load reads the spec for one platform. One that wants a base of the request has
// one of the list, where the request is about that.
func (r *request) load(p ocispecs.Platform) (*spec.Document, error) {
	args := r.args(p)
	doc, err := spec.Load(r.src.Filename, r.src.Data, args)
	if err == nil || r.listed.source == nil || args[spec.BaseImageArg] != "" {
		return doc, err
	}
	args[spec.BaseImageArg] = r.listed.first()
	return spec.Load(r.src.Filename, r.src.Data, args)
}

// args are the build args of the request, and the platform's own.
func (r *request) args(p ocispecs.Platform) map[string]string {
	args := platformArgs(p, r.BuildPlatforms[0])
	maps.Copy(args, r.BuildArgs)
	return args
}

// on is the request for one platform: the spec that was read first holds for
// all of them, unless it uses TARGETARCH or the like.
func (r *request) on(p ocispecs.Platform) (*request, error) {
	if !r.doc.PerPlatform() {
		return r, nil
	}
	doc, err := r.load(p)
	if err != nil {
		return nil, err
	}
	one := *r
	one.doc = doc
	return &one, nil
}

// platformArgs are the args that every build of a Dockerfile has too
// (https://docs.docker.com/reference/dockerfile/#automatic-platform-args-in-the-global-scope).
func platformArgs(target, builder ocispecs.Platform) map[string]string {
	return map[string]string{
		"TARGETPLATFORM": platforms.Format(target),
		"TARGETOS":       target.OS,
		"TARGETARCH":     target.Architecture,
		"TARGETVARIANT":  target.Variant,
		"BUILDPLATFORM":  platforms.Format(builder),
		"BUILDOS":        builder.OS,
		"BUILDARCH":      builder.Architecture,
		"BUILDVARIANT":   builder.Variant,
	}
}
