package llb

import (
	"maps"
	"slices"

	"github.com/openhands/llb-frontend/frontend/spec"
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
func (in Input) patch(id *plan, server spec.Server) imageconfig.Patch {
	s := in.Document.Spec
	p := in.Config
	p.Platform = in.Platform
	p.PathFirst = []string{binDir}
	p.PathLast = []string{toolsDir}
	p.DefaultEnv = map[string]string{"LANG": "C.UTF-8"}
	p.Env = map[string]string{}
	if id.home != "" {
		p.Env["HOME"] = id.home
	}
	p.Layers = in.layers(id)
	p.Labels = in.labels(p.Layers)
	p.DropLabels = baseLabels()
	p.DropVolumes = openhands
	in.patchForParts(&p)
	if server.Wanted() {
		in.patchForServer(&p, id, server)
	}
	maps.Copy(p.Env, s.Environment)
	maps.Copy(p.Labels, s.Labels)
	p.User = id.user
	p.WorkingDir = s.WorkingDir
	if s.Entrypoint != nil {
		p.Entrypoint = s.Entrypoint
		if s.Command == nil {
			p.Cmd = nil
		}
	}
	if s.Command != nil {
		p.Cmd = s.Command
	}
	if s.User.Create == spec.CreateStart {
		in.patchForStart(&p, id)
	}
	return p
}

// patchForStart puts oh-init in front of whatever starts: without it there is
// no account, and everything runs as root.
func (in Input) patchForStart(p *imageconfig.Patch, id *plan) {
	base := in.Base.Config.Config
	if len(base.Entrypoint) == 0 && p.Cmd == nil && p.Entrypoint == nil {
		p.Cmd = base.Cmd
	}
	p.Entrypoint = slices.Concat(createAtStart(id.account), p.Entrypoint)
}

// patchForParts sets what goes with a component, whoever uses it.
func (in Input) patchForParts(p *imageconfig.Patch) {
	if in.Deps.holds("browser") {
		p.Env["PLAYWRIGHT_BROWSERS_PATH"] = "/openhands/browser/ms-playwright"
		// Playwright would ask the base's ldd, which does not know our loader.
		p.Env["PLAYWRIGHT_SKIP_VALIDATE_HOST_REQUIREMENTS"] = "1"
	}
	if in.Deps.holds("acp") {
		p.PathLast = append(p.PathLast, deps.ACPBin)
	}
	if in.Deps.holds("vscode") {
		p.Env["OPENVSCODE_SERVER_ROOT"] = "/openhands/.openvscode-server"
		p.DefaultEnv["EDITOR"] = "code"
		p.DefaultEnv["VISUAL"] = "code"
		p.DefaultEnv["GIT_EDITOR"] = "code --wait"
	}
	if in.Deps.holds("python-deps") {
		p.Env["OH_INTERPRETER_PATH"] = deps.Interpreter(in.Deps.Server.Name)
	}
}

// layers describes every layer that the graph puts on the base, in order.
func (in Input) layers(id *plan) []imageconfig.Layer {
	var layers []imageconfig.Layer
	if in.Packages != nil {
		layers = append(layers, named("packages"))
	}
	layers = append(layers, in.depsLayers()...)
	layers = append(layers, componentLayers(id.component(in))...)
	layers = append(layers, componentLayers(in.code())...)
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

// createdBy stands before the name of a layer in the history.
const createdBy = "openhands-frontend: "

func named(step string) imageconfig.Layer {
	return imageconfig.Layer{CreatedBy: createdBy + step}
}
