package engine

import (
	"context"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// Status says what of an engine is there.
type Status struct {
	BuildkitHost string
	Registry     string
	Mirror       string
	BuildkitUp   bool     // our own daemon runs; false also when the user's is used
	RegistryUp   bool     // the registry runs
	MirrorUp     bool     // the mirror of the places outside runs
	Images       []string // base images that the registry serves
	Frontend     string   // digest of the published frontend, or empty
}

// Status looks without starting anything.
func (e *Engine) Status(ctx context.Context) Status {
	s := Status{
		BuildkitHost: e.BuildkitHost(),
		Registry:     e.Registry(),
		Mirror:       e.mirrorURL(),
		BuildkitUp:   e.pid("buildkitd") != 0,
		RegistryUp:   e.pid("registry") != 0,
		MirrorUp:     e.pid("mirror") != 0,
	}
	if !s.RegistryUp {
		return s
	}
	for _, image := range BaseImages() {
		if digestOf(ctx, e.BaseImage(image)) != "" {
			s.Images = append(s.Images, image)
		}
	}
	s.Frontend = digestOf(ctx, e.FrontendRef())
	return s
}

// digestOf is the digest behind a reference, or empty when it cannot be had.
func digestOf(ctx context.Context, image string) string {
	ref, err := name.ParseReference(image)
	if err != nil {
		return ""
	}
	desc, err := remote.Head(ref, remote.WithContext(ctx))
	if err != nil {
		return ""
	}
	return desc.Digest.String()
}
