package deps

import (
	"strings"

	"github.com/moby/buildkit/client/llb"

	"github.com/openhands/llb-frontend/frontend/spec"
)

// ACPBin holds the programs of the agents of ACP, by the names that the
// agent-server looks for on PATH.
const ACPBin = "/openhands/acp/bin"

// acpAgent is an agent that speaks the Agent Client Protocol: a package of npm
// and its program.
//
// scripts/acp-NAME.json is its package-lock.json, with the hashes of all that the
// package requires: `npm install --package-lock-only --ignore-scripts
// --omit-lockfile-registry-resolved`. Without addresses it holds for any registry.
type acpAgent struct {
	name, program, npm, version string
}

// acpAgents are of the versions that agentVersion of the agent-server names
// (openhands/sdk/settings/acp_install_catalog.py), but for gemini-cli: npm no
// longer has its 0.46.0.
func acpAgents() []acpAgent {
	return []acpAgent{
		{spec.ACPClaudeCode, "claude-agent-acp", "@agentclientprotocol/claude-agent-acp", "0.63.0"},
		{spec.ACPCodex, "codex-acp", "@agentclientprotocol/codex-acp", "1.10.0"},
		{spec.ACPGemini, "gemini", "@google/gemini-cli", "0.47.0"},
	}
}

func (a acpAgent) lock() string { return "acp-" + a.name + ".json" }

// acp is the wanted agents, with a node of their own that no PATH leads to: a
// project's node, and ours, stay what they are.
func (in graph) acp() (Component, error) {
	archives, err := in.downloads(graph.acpNodeArchive)
	if err != nil {
		return Component{}, err
	}
	s := stage{
		name: "acp", key: "deps.acp",
		script: "acp.sh",
		made:   map[string]string{},
		env:    map[string]string{"CPU": in.machine("x64", "arm64")},
		mounts: append(archives, below("lib", in.lib()),
			CacheDir(in.CacheNamespace, runDir+"/npmcache", "openhands-npm", llb.CacheMountShared)),
	}
	var list, text []string
	for _, a := range acpAgents() {
		for _, name := range in.Spec.ACP.Agents {
			if name == a.name {
				s.files = append(s.files, a.lock())
				list = append(list, strings.Join([]string{a.name, a.program, a.npm, a.version}, " "))
				text = append(text, a.name+" "+a.version)
			}
		}
	}
	s.text = "install " + strings.Join(text, ", ")
	s.made["agents.txt"] = lines(list)
	return Component{Name: "acp", State: in.exec(s)}, nil
}
