package llb

import (
	"maps"

	"github.com/openhands/llb-frontend/llb/deps"
	"github.com/openhands/llb-frontend/llb/imageconfig"
)

const (
	// binDir holds names of our own and what servers drive themselves: it is
	// first on PATH, so that an old tmux of the base is not taken.
	binDir = "/openhands/bin"
	// toolsDir holds what projects bring themselves (git, bash, jq): it is last
	// on PATH, so that a project's own toolchain wins.
	toolsDir = "/openhands/tools"
)

// patch is what the image config gets on top of the base's own.
func (in Input) patch(id *plan) imageconfig.Patch {
	s := in.Document.Spec
	p := in.Config
	p.Platform = in.Platform
	p.PathFirst = []string{binDir}
	p.PathLast = []string{toolsDir}
	p.DefaultEnv = map[string]string{"LANG": "C.UTF-8"}
	p.Env = maps.Clone(s.Environment)
	if _, ok := p.Env["HOME"]; !ok && id.home != "" {
		if p.Env == nil {
			p.Env = map[string]string{}
		}
		p.Env["HOME"] = id.home
	}
	p.User = id.user
	p.WorkingDir = s.WorkingDir
	p.Entrypoint, p.Cmd = s.Entrypoint, s.Command
	p.Labels = s.Labels
	p.Layers = in.layers(id)
	return p
}

// layers describes every layer that the graph puts on the base, in order.
func (in Input) layers(id *plan) []imageconfig.Layer {
	var layers []imageconfig.Layer
	if in.Packages != nil {
		layers = append(layers, named("packages"))
	}
	layers = append(layers, in.depsLayers()...)
	layers = append(layers, componentLayers(id.component(in))...)
	for range in.Document.Spec.ExtraDeps.Run {
		layers = append(layers, named("run"))
	}
	return layers
}

// depsLayers are the layers of /openhands. Those of a prebuilt image are
// known by their diffIDs; a copy makes one new layer of them.
func (in Input) depsLayers() []imageconfig.Layer {
	if in.Deps.Prebuilt != nil && !in.NoMerge {
		return imageconfig.LayersOf(in.Deps.Prebuilt.Config, named("deps").CreatedBy)
	}
	return componentLayers(in.Deps.Components)
}

func componentLayers(components []deps.Component) []imageconfig.Layer {
	var layers []imageconfig.Layer
	for _, c := range components {
		layers = append(layers, named(c.Name))
	}
	return layers
}

func named(step string) imageconfig.Layer {
	return imageconfig.Layer{CreatedBy: "openhands-frontend: " + step}
}
