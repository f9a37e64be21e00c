package lint

import (
	"maps"
	"slices"

	"github.com/openhands/llb-frontend/frontend/spec"
)

// pythonVariables are read by the server's Python as well as by the base's.
var pythonVariables = []string{"PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONUSERBASE"}

func interpreterVariable(in Input) (found []spec.Problem) {
	if !in.Spec.Server.Wanted() {
		return nil
	}
	for _, name := range pythonVariables {
		if in.Spec.Environment[name] != "" {
			found = append(found, at(in, "environment."+name, "%s is for the server's python too, which may then not start: set it where your own python is called", name))
		}
	}
	return found
}

// ownVariables are those that only one server reads
// (openhands/runtime/action_execution_server.py of 0.62.0,
// openhands/agent_server/config.py of 1.58.2).
var ownVariables = map[string][]string{
	spec.ServerActionExecution: {
		"APP_PORT_1", "APP_PORT_2", "NO_CHANGE_TIMEOUT_SECONDS", "RUNTIME_MAX_MEMORY_GB", "RUNTIME_MEMORY_MONITOR",
		"RUNTIME_USERNAME", "SU_TO_USER", "VSCODE_PORT",
	},
	spec.ServerAgent: {
		"OH_BASH_EVENTS_DIR", "OH_CONVERSATIONS_PATH", "OH_ENABLE_VNC", "OH_ENABLE_VSCODE", "OH_SESSION_API_KEYS_0",
		"OH_VSCODE_PORT", "OH_WORKSPACE_PATH", "OPENHANDS_AGENT_SERVER_CONFIG_PATH",
	},
}

func unusedVariable(in Input) (found []spec.Problem) {
	if !in.Spec.Server.Wanted() {
		return nil
	}
	for _, server := range slices.Sorted(maps.Keys(ownVariables)) {
		for _, name := range ownVariables[server] {
			if _, set := in.Spec.Environment[name]; set && server != in.Spec.Server.Name {
				found = append(found, at(in, "environment."+name, "%s is read by the %s, not by the %s: remove it", name, server, in.Spec.Server.Name))
			}
		}
	}
	return found
}
