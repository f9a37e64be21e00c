package deps

import (
	"github.com/moby/buildkit/client/llb"

	"github.com/openhands/llb-frontend/frontend/spec"
)

// preset is how the parts of /openhands that a server has of its own are made.
// Another server is another file and an entry in presets.
type preset struct {
	// project is the server's name on PyPI.
	project string
	// sources are the server's, as they are before anything is compiled.
	sources func(graph) llb.State
	// extensions is where the sources have extensions for VS Code.
	extensions string
	// packages is the virtual environment, code the server's own code.
	packages, code func(graph) (Component, error)
	// venvPython is the interpreter of the virtual environment.
	venvPython string
	// poetry says that the server's hosts call poetry and micromamba.
	poetry bool
	// locksPlaywright says that the sources name the Playwright that the server
	// drives.
	locksPlaywright bool
	// headless says that the server drives its browser through Playwright alone,
	// which takes the headless shell.
	headless bool
}

func presets() map[string]preset {
	return map[string]preset{
		spec.ServerActionExecution: {
			project: serverPackage, sources: graph.actionSources, extensions: "/openhands/runtime/utils/vscode-extensions",
			packages: graph.actionPackages, code: graph.actionCode,
			venvPython: VenvPython, poetry: true, locksPlaywright: true, headless: true,
		},
		spec.ServerAgent: {
			project: agentPackage, sources: graph.agentSources, extensions: "/openhands/agent_server/vscode_extensions",
			packages: graph.agentPackages, code: graph.agentCode,
			venvPython: AgentPython,
		},
	}
}

// presetOf is the preset of a server. Without a server, packages of Python go
// where those of the first one would.
func presetOf(server string) preset {
	if p, ok := presets()[server]; ok {
		return p
	}
	return presets()[spec.ServerActionExecution]
}

// Interpreter is the path of the Python that runs a server.
func Interpreter(server string) string { return presetOf(server).venvPython }

func (in graph) preset() preset { return presetOf(in.Server.Name) }

// release names the server's release to people.
func (in graph) release() string { return in.preset().project + " " + in.Server.Version }
