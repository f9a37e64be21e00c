package deps

import (
	"slices"
	"strings"

	"github.com/openhands/llb-frontend/frontend/spec"
)

// Versions gives the versions of components by name, as far as they are known
// before anything is built: what a distribution has, its mirrors decide.
func Versions(s spec.Deps, server spec.Server) map[string]string {
	return map[string]string{
		"node":    s.Node.Version,
		"vscode":  s.VSCode.Version,
		"browser": s.Browser.Version,
		"code":    server.Version,
		"acp":     acpVersions(s.ACP),
		"python":  pythonVersion(s.Python),
		"uv":      uvVersion,
		"poetry":  poetryVersion,
	}
}

func pythonVersion(p spec.Python) string {
	preset := map[string]string{spec.ProviderUV: defaultUVPython, spec.ProviderMicromamba: condaPython}
	if p.Version != "" {
		return p.Version
	}
	return preset[p.Provider]
}

// acpVersions is "codex-1.10.0" for one agent, and those of several with "+"
// between them.
func acpVersions(acp spec.ACP) string {
	var list []string
	for _, a := range acpAgents() {
		if slices.Contains(acp.Agents, a.name) {
			list = append(list, a.name+"-"+a.version)
		}
	}
	return strings.Join(list, "+")
}
