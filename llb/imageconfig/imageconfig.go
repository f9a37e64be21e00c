// Package imageconfig puts the runtime's settings on the image config of a
// base. It is pure: values in, a new value out, the same one on every machine.
//
// What belongs to the base's file system stays (environment, exposed ports,
// volumes, labels, shell); what belongs to the program that the base used to
// start goes when that program is no longer what runs.
package imageconfig

import (
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// Patch says what Apply changes. The zero value of a field keeps the base's.
type Patch struct {
	// Platform fills the platform of a base whose config does not name one.
	Platform ocispecs.Platform
	// Created is the time of the image and of everything in it that has none:
	// usually SOURCE_DATE_EPOCH. Nil means the base's own time, or the Unix epoch
	// where the base has none; never the time of the build.
	Created *time.Time

	// PathFirst and PathLast are directories in front of and behind the base's
	// PATH.
	PathFirst, PathLast []string
	// DefaultEnv is set where neither the base nor Env sets the variable. LANG is
	// also left out where LC_ALL is set, which would override it.
	DefaultEnv map[string]string
	// Env sets or replaces variables. A PATH here stands for the base's PATH:
	// PathFirst and PathLast still go around it.
	Env map[string]string

	User       string
	WorkingDir string
	// Entrypoint and Cmd are the spec's; nil means that the spec does not say,
	// and an empty slice that there shall be none. See patchCommand.
	Entrypoint, Cmd []string

	// ExposedPorts are added to the base's, as "8000/tcp".
	ExposedPorts []string

	// DropVolumes is a directory that no volume of the base may hide, in whole or
	// in part.
	DropVolumes string

	// DropLabels are labels of the base that are about the base itself; one that
	// ends in "." stands for all that begin so.
	DropLabels []string
	// Labels are the spec's, RequestLabels those of the build request (--label).
	// The request wins over the spec, the spec over the base.
	Labels, RequestLabels map[string]string

	// Layers are the layers on top of the base, lowest first: one for each.
	Layers []Layer
}

// Apply returns the config of the image that p makes of the base. The result
// shares no memory with either.
//
// Volumes stay the base's, but for DropVolumes. ONBUILD goes: these are instructions
// for Dockerfiles on top of the base, written for the base. So does ArgsEscaped,
// which only Windows knows.
func Apply(base dockerspec.DockerOCIImage, p Patch) dockerspec.DockerOCIImage {
	img := withLayers(base, p, p.Layers)
	created := fixedTime(base, p)
	img.Created = &created
	fillPlatform(&img.Platform, p.Platform)

	config := &img.Config
	config.Env = patchEnv(config.Env, p)
	if p.User != "" {
		config.User = p.User
	}
	if p.WorkingDir != "" {
		config.WorkingDir = p.WorkingDir
	}
	for _, port := range p.ExposedPorts {
		if config.ExposedPorts == nil {
			config.ExposedPorts = map[string]struct{}{}
		}
		config.ExposedPorts[port] = struct{}{}
	}
	patchCommand(config, p)
	maps.DeleteFunc(config.Volumes, func(dir string, _ struct{}) bool { return p.hides(dir) })
	maps.DeleteFunc(config.Labels, func(name, _ string) bool { return p.drops(name) })
	for _, labels := range []map[string]string{p.Labels, p.RequestLabels} {
		if config.Labels == nil && len(labels) > 0 {
			config.Labels = map[string]string{}
		}
		maps.Copy(config.Labels, labels)
	}
	config.OnBuild = nil
	config.ArgsEscaped = false //nolint:staticcheck // deprecated, and bases still set it
	return img
}

func (p Patch) drops(label string) bool {
	return slices.ContainsFunc(p.DropLabels, func(d string) bool {
		return label == d || strings.HasSuffix(d, ".") && strings.HasPrefix(label, d)
	})
}

// hides tells whether a volume lies on what DropVolumes names, or below it.
func (p Patch) hides(volume string) bool {
	return p.DropVolumes != "" && strings.HasPrefix(path.Clean("/"+volume)+"/", p.DropVolumes+"/")
}

// patchCommand settles what a container of the image runs. The base's
// ENTRYPOINT would take our command as its arguments, so it goes unless the
// spec gives one. The base's CMD is written for the base's ENTRYPOINT, so it
// goes with it; where the base has none, its CMD is a command of its own (a
// shell, mostly) and stays. HEALTHCHECK probes the program that the base
// starts, and would report another one as unhealthy for ever; STOPSIGNAL is a
// word that the base's program alone understands (SIGQUIT for nginx).
func patchCommand(config *dockerspec.DockerOCIImageConfig, p Patch) {
	entrypoint, cmd := slices.Clone(p.Entrypoint), config.Cmd
	if len(entrypoint) > 0 || len(config.Entrypoint) > 0 {
		cmd = nil
	}
	if p.Cmd != nil {
		cmd = slices.Clone(p.Cmd)
	}
	if !slices.Equal(entrypoint, config.Entrypoint) || !slices.Equal(cmd, config.Cmd) {
		config.Healthcheck = nil
		config.StopSignal = ""
	}
	config.Entrypoint, config.Cmd = entrypoint, cmd
}

// Empty is the config of an image without layers, as Dockerfile's FROM scratch
// has it: the platform, the default PATH and the root as working directory.
func Empty(p ocispecs.Platform) dockerspec.DockerOCIImage {
	var img dockerspec.DockerOCIImage
	fillPlatform(&img.Platform, p)
	img.RootFS.Type = rootFSType
	img.Config.WorkingDir = "/"
	img.Config.Env = []string{"PATH=" + defaultPath}
	return img
}

// fillPlatform completes a platform. The variant and what follows belong to the
// architecture: one that the config gives without a variant is complete.
func fillPlatform(have *ocispecs.Platform, p ocispecs.Platform) {
	if have.OS == "" {
		have.OS = p.OS
	}
	if have.Architecture == "" {
		have.Architecture = p.Architecture
		have.Variant = p.Variant
		have.OSVersion = p.OSVersion
		have.OSFeatures = slices.Clone(p.OSFeatures)
	}
}
