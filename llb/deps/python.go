package deps

import (
	"cmp"
	"strings"

	"github.com/moby/buildkit/client/llb"

	"github.com/openhands/llb-frontend/frontend/spec"
)

// Interpreters, by where a provider has them.
const (
	python      = "/openhands/python/bin/python3"
	condaPrefix = "/openhands/micromamba/envs/openhands"

	// VenvPython is the interpreter of the server's virtual environment: a link
	// leads to the place where poetry looks for it.
	VenvPython = "/openhands/poetry/venv/bin/python"
)

// python is CPython by the wanted provider.
func (in graph) python() (Component, error) {
	switch in.Spec.Python.Provider {
	case spec.ProviderUV:
		return in.once("python", in.uvPython)
	case spec.ProviderMicromamba:
		return in.once("python", in.condaPython)
	default:
		return in.builderPython(), nil
	}
}

// builderPython is the distribution's CPython. The machine's own also runs pip
// for other stages, whatever the image's provider is.
func (in graph) builderPython() Component {
	c := in.must("builder's python", func() llb.State {
		return in.exec(stage{
			name: "python", key: "deps.python", text: "install the builder's Python",
			script: "python-builder.sh", files: []string{"pip_wheel.py"}, apt: true,
			mounts: []llb.RunOption{below("lib", in.lib())},
		})
	})
	c.Name = "python"
	return c
}

func (in graph) uvPython() (llb.State, error) {
	archives, err := in.downloads(graph.uvPythonArchive)
	return in.exec(stage{
		name: "python", key: "deps.python", text: "install Python " + in.uvPythonVersion() + " of python-build-standalone",
		script: "python-uv.sh",
		mounts: append(archives, below("lib", in.lib())),
	}), err
}

// hasPoetry tells whether poetry is a component of its own.
func (in graph) hasPoetry() bool {
	return in.Spec.Python.Wanted() && in.Spec.Python.Provider != spec.ProviderMicromamba && in.preset().poetry
}

// condaPython holds poetry as well, where it is wanted: conda-forge has it.
func (in graph) condaPython() (llb.State, error) {
	archives, err := in.downloads(graph.micromambaArchive)
	channel := "conda-forge"
	if m := in.Mirrors["conda"]; m != "" {
		channel = strings.TrimSuffix(m, "/") + "/conda-forge"
	}
	env := map[string]string{"CHANNEL": channel, "VERSION": cmp.Or(in.Spec.Python.Version, condaPython)}
	if in.preset().poetry {
		env["POETRY_VERSION"] = poetryVersion
	}
	return in.exec(stage{
		name: "python", key: "deps.python", text: "install Python " + env["VERSION"] + " of conda-forge",
		script: "python-micromamba.sh",
		env:    env,
		mounts: append(archives, below("lib", in.lib()),
			CacheDir(in.CacheNamespace, runDir+"/mamba", "openhands-conda", llb.CacheMountLocked)),
	}), err
}

// downloads mounts an archive for the target, and the same for the machine that
// builds.
func (in graph) downloads(which func(graph) archive) ([]llb.RunOption, error) {
	target, err := in.download(which(in))
	if err != nil {
		return nil, err
	}
	native, err := in.native().download(which(in.native()))
	return []llb.RunOption{mountAt("archive", target), mountAt("native", native)}, err
}

// interpreter is the path of the python that the virtual environment is made of.
func (in graph) interpreter() string {
	if in.Spec.Python.Provider == spec.ProviderMicromamba {
		return condaPrefix + "/bin/python"
	}
	return python
}

// interpreters are the components that must stand at /openhands for the
// wanted python to run on this machine.
func (in graph) interpreters() ([]Component, error) {
	n := in.native()
	p, err := n.python()
	if err != nil {
		return nil, err
	}
	components := []Component{n.lib(), p}
	if in.hasPoetry() {
		poetry, err := n.poetry()
		if err != nil {
			return nil, err
		}
		components = append(components, poetry)
	}
	return components, nil
}

// pip is what must stand at /openhands for stages that fetch by pip.
func (in graph) pip() []Component {
	n := in.native()
	return []Component{n.lib(), n.builderPython()}
}

// uv is the package manager, as a component and as a tool of the build.
func (in graph) uv() (Component, error) {
	return in.must("uv", func() llb.State {
		return in.exec(stage{
			name: "uv", key: "deps.uv", text: "install uv " + uvVersion,
			script:    "uv.sh",
			files:     []string{"uv-launcher"},
			env:       map[string]string{"REQUIREMENT": uvRequirement, "PLATFORM": "musllinux_1_1_" + in.machine("x86_64", "aarch64")},
			openhands: in.pip(),
			mounts:    []llb.RunOption{below("lib", in.lib())},
		})
	}), nil
}

// poetry is poetry in the environment that hosts of OpenHands name, and the
// launchers that they call.
func (in graph) poetry() (Component, error) {
	return in.once("poetry", func() (llb.State, error) {
		mounts, err := in.onPython()
		if err != nil {
			return llb.State{}, err
		}
		native, err := in.native().python()
		return in.exec(stage{
			name: "poetry", key: "deps.python", text: "install poetry " + poetryVersion,
			script: "poetry.sh", files: []string{"poetry.txt", "prune.py"},
			env:       map[string]string{"PLATFORM": in.wheels(), "BELOW": "python"},
			openhands: []Component{in.native().lib(), native},
			mounts:    mounts,
		}), err
	})
}

// onPython mounts what packages of Python are installed with and sealed on.
func (in graph) onPython() ([]llb.RunOption, error) {
	uv, err := in.native().uv()
	if err != nil {
		return nil, err
	}
	target, err := in.python()
	return []llb.RunOption{below("lib", in.lib()), below("python", target), below("uv", uv), in.uvCache()}, err
}

// mountAt mounts a download.
func mountAt(name string, st llb.State) llb.RunOption {
	return llb.AddMount(runDir+"/"+name, st, llb.Readonly)
}
