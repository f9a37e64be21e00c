package imageconfig

import (
	"maps"
	"slices"
	"time"

	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// clone copies an image config down to the last map, so that changing the copy
// cannot change an image that other platforms or targets share.
func clone(src dockerspec.DockerOCIImage) dockerspec.DockerOCIImage {
	img := src
	img.Created = cloneTime(src.Created)
	img.OSFeatures = slices.Clone(src.OSFeatures)
	img.RootFS.DiffIDs = slices.Clone(src.RootFS.DiffIDs)
	img.History = slices.Clone(src.History)
	for i, h := range img.History {
		img.History[i].Created = cloneTime(h.Created)
	}
	// Config shadows the OCI config of the embedded image, which JSON never sees.
	img.Image.Config = ocispecs.ImageConfig{}

	config := &img.Config
	config.ExposedPorts = maps.Clone(config.ExposedPorts)
	config.Env = slices.Clone(config.Env)
	config.Entrypoint = slices.Clone(config.Entrypoint)
	config.Cmd = slices.Clone(config.Cmd)
	config.Volumes = maps.Clone(config.Volumes)
	config.Labels = maps.Clone(config.Labels)
	config.OnBuild = slices.Clone(config.OnBuild)
	config.Shell = slices.Clone(config.Shell)
	if config.Healthcheck != nil {
		check := *config.Healthcheck
		check.Test = slices.Clone(check.Test)
		config.Healthcheck = &check
	}
	return img
}

func cloneTime(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	return ptr(*t)
}
