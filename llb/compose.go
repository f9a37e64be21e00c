// Package llb turns a resolved spec, and what is known of its base image, into
// the LLB graph of a runtime image. It does no I/O: what has to be asked of a
// registry or of a base's file system reaches it as an [Input].
//
// [Compose] tells the whole story; every other file is one chapter of it.
package llb

import (
	"fmt"
	"maps"
	"slices"

	"github.com/moby/buildkit/client/llb"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/openhands/llb-frontend/frontend/spec"
	"github.com/openhands/llb-frontend/llb/deps"
	"github.com/openhands/llb-frontend/llb/imageconfig"
)

// Input is all that decides what one platform's image looks like.
type Input struct {
	// Document is the user's spec; its ranges become the vertices' locations.
	Document *spec.Document
	// SourceMap is the spec file as BuildKit knows it; nil leaves vertices
	// without a location.
	SourceMap *llb.SourceMap
	// Platform is the target platform, always set: the host's must not matter.
	Platform ocispecs.Platform
	// Prefixed puts the platform in front of every vertex name. It is wanted
	// where one request builds for several platforms.
	Prefixed bool

	Base Image
	// Packages is the base with extra_deps.packages installed, as returned by
	// [InstallPackages]; nil when the spec asks for none.
	Packages *llb.State
	// Snapshot is the time that these packages are from; "" means today's.
	Snapshot string
	// Facts tell what stands in the file system that /openhands is put on
	// (Packages, or else Base). They are nil when [NeedsFacts] says no: then
	// nothing has been read, and BuildKit pulls no layer.
	Facts *Facts
	// Deps are the layers that hold /openhands and nothing else.
	Deps Deps
	// Source is the checkout that server.source names; nil for a release, whose
	// code is one of the deps layers.
	Source *llb.State

	// Created is the time of the files that this graph writes.
	Created llb.CreatedTime
	// Config is what the request itself adds to the image config: its labels
	// (--label) and, with SOURCE_DATE_EPOCH, the creation time.
	Config imageconfig.Patch
	// NoMerge says that the engine lacks MergeOp: layers are copied instead.
	NoMerge bool
	// Links is the frontend's image, which holds [LinksDir]: set where the
	// engine cannot make symlinks.
	Links *llb.State
	// Run holds what every command of the build gets: proxies, extra hosts,
	// network mode.
	Run []llb.RunOption
	// CacheNamespace keeps cache directories apart from those of other builds
	// (BUILDKIT_CACHE_MOUNT_NS).
	CacheNamespace string
	// Proxied says that proxies are among them.
	Proxied bool
	// IgnoreCache tells whether a step of that name must run again
	// (--no-cache, --no-cache-filter); nil means never.
	IgnoreCache func(step string) bool
}

// Image is an image that has been resolved.
type Image struct {
	// Ref is the reference as the spec has it, for names and messages.
	Ref    string
	State  llb.State
	Config dockerspec.DockerOCIImage
	// Digest is what the registry, or the build context, has for Ref; "" where
	// there is none.
	Digest digest.Digest
	// Registry says that the image is the one that a registry has for Ref: no
	// build context stands for it.
	Registry bool
}

// Output is one platform's image.
type Output struct {
	State llb.State
	Image dockerspec.DockerOCIImage
	// BaseImage names the leading layers and history entries that belong to
	// others and must be left alone by rewrite-timestamp.
	BaseImage dockerspec.DockerOCIImage
	// Warnings are for the user; none of them stops the build.
	Warnings []spec.Problem
}

// Compose puts /openhands on a base:
//
//	base image layers      unchanged
//	[packages]             extra_deps.packages, already in Input.Packages
//	/openhands             one layer per component, the same in every image
//	[identity]             user, home, workspace and fill-ins: one small layer
//	[code]                 the server's code, where server.source names a checkout
//	[run]                  extra_deps.run, executed on all of the above
//
// Only the last step executes anything; all others are merged, so they cost
// no copy and, while nothing asks for files, no pull.
func Compose(in Input) (*Output, error) {
	server, err := in.Server()
	if err != nil {
		return nil, err
	}
	id, err := planIdentity(in, server)
	if err != nil {
		return nil, err
	}
	root := in.onto(in.root(), in.Base.Ref, slices.Concat(in.Deps.Components, id.component(in), in.code()))
	patch := in.patch(id, server)
	img := imageconfig.Apply(in.Base.Config, patch)
	return &Output{
		State:     in.runCommands(root, img.Config.Env),
		Image:     img,
		BaseImage: imageconfig.BaseFor(in.Base.Config, patch),
		Warnings:  append(id.warnings, in.tooDeep(patch)...),
	}, nil
}

// maxLayers is what Docker's own image store takes (maxLayerDepth in moby's
// layer/layer_store.go). BuildKit and containerd take more.
const maxLayers = 125

// tooDeep warns of an image that some engines cannot pull.
func (in Input) tooDeep(patch imageconfig.Patch) []spec.Problem {
	n := len(in.Base.Config.RootFS.DiffIDs) + len(patch.Layers)
	if n <= maxLayers {
		return nil
	}
	return []spec.Problem{in.problem("base_image",
		fmt.Sprintf("the image has %d layers, and Docker without containerd's image store takes at most %d: use a base image of fewer layers", n, maxLayers))}
}

// ComposeDeps is the image that holds only /openhands: what deps_image of
// another build names.
func ComposeDeps(in Input) *Output {
	layers := in.Deps.Components
	root := in.onto(llb.Scratch(), "an empty root", layers)
	base := imageconfig.Empty(in.Platform)
	patch := in.Config
	patch.Labels = in.Deps.labels()
	maps.Copy(patch.Labels, in.Config.Labels)
	patch.Platform = in.Platform
	patch.Layers = in.depsLayers()
	return &Output{
		State:     root,
		Image:     imageconfig.Apply(base, patch),
		BaseImage: imageconfig.BaseFor(base, patch),
	}
}

// root is the file system that /openhands is put on.
func (in Input) root() llb.State {
	if in.Packages != nil {
		return *in.Packages
	}
	return in.Base.State
}

// onto puts layers on a root: by MergeOp, or by copies where the engine has
// no MergeOp. Both give the same files; only a merge keeps the layers' digests
// and leaves them lazy.
func (in Input) onto(root llb.State, ref string, layers []deps.Component) llb.State {
	if !in.NoMerge {
		states := []llb.State{root}
		for _, l := range layers {
			states = append(states, l.State)
		}
		return llb.Merge(states, in.Step("compose", "base_image", "put /openhands on "+ref)...)
	}
	for _, l := range layers {
		root = root.File(
			llb.Copy(l.State, "/", "/", &llb.CopyInfo{CopyDirContentsOnly: true}),
			in.Step("compose", "base_image", "copy "+l.Name+" to "+ref)...)
	}
	return root
}
