package llb

import (
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"

	"github.com/openhands/llb-frontend/llb/deps"
)

// Labels of a deps image. They spare the reader a pull: an image that carries
// [LabelDepsVersion] was made by the deps target, so it holds only /openhands.
const (
	// LabelDepsVersion is the version of the /openhands layout.
	LabelDepsVersion = "dev.openhands.deps.version"
	// LabelDepsTools lists the packages of the tools component, separated by commas.
	LabelDepsTools = "dev.openhands.deps.tools"

	// DepsVersion is the layout that this frontend writes and understands.
	DepsVersion = "1"
)

// Deps are the layers of /openhands: built by this graph, or those of a deps
// image.
type Deps struct {
	Components []deps.Component
	// Prebuilt is the deps image that Components has been taken from as it is;
	// nil where the layers come into being in this graph.
	Prebuilt *Image
	// Tools are the distribution packages that the tools component holds.
	Tools []string
}

// BuildDeps adds the stages that build /openhands. builder is a Debian-like
// image for the machine that builds, helpers the image that holds oh-seal.
func BuildDeps(in Input, builder, helpers llb.State) Deps {
	tools := in.Document.Spec.Deps.Tools
	return Deps{
		Tools: tools,
		Components: deps.Build(deps.Input{
			Builder:      builder,
			Helpers:      helpers,
			Architecture: in.Platform.Architecture,
			Tools:        tools,
			Step:         in.Step,
			Run:          in.Run,
			NoMerge:      in.NoMerge,
		}),
	}
}

// PrebuiltDeps takes a deps image as it is: its labels say what it holds.
func PrebuiltDeps(img Image) Deps {
	var tools []string
	if v := img.Config.Config.Labels[LabelDepsTools]; v != "" {
		tools = strings.Split(v, ",")
	}
	return Deps{
		Components: []deps.Component{{Name: "deps", State: img.State}},
		Prebuilt:   &img,
		Tools:      tools,
	}
}

// ReducedDeps keeps only /openhands of an image that holds more. The copy is a
// layer of its own, with a digest of its own on every daemon.
func ReducedDeps(in Input, img Image) Deps {
	copied := llb.Scratch().File(
		llb.Copy(img.State, "/openhands", "/", &llb.CopyInfo{}),
		in.Step("deps", "deps_image", "take /openhands out of "+img.Ref)...)
	return Deps{Components: []deps.Component{{Name: "deps", State: copied}}}
}

func (d Deps) labels() map[string]string {
	return map[string]string{
		LabelDepsVersion: DepsVersion,
		LabelDepsTools:   strings.Join(d.Tools, ","),
	}
}

// has tells whether the tools component holds a package.
func (d Deps) has(pkg string) bool { return slices.Contains(d.Tools, pkg) }
