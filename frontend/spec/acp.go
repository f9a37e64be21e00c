package spec

import (
	"fmt"
	"slices"
	"strings"
)

// Agents that speak the Agent Client Protocol, by the names that the agent-server
// has for them.
const (
	ACPClaudeCode = "claude-code"
	ACPCodex      = "codex"
	ACPGemini     = "gemini-cli"
)

var acpAgents = []string{ACPClaudeCode, ACPCodex, ACPGemini}

// ACP lists agents that speak the Agent Client Protocol.
//
//spec:short string one agent, or `none`
type ACP struct {
	// Agents lists the agents, by the names that the agent-server has for them
	// (`acp_server`): `claude-code`, `codex`, `gemini-cli`. Each is of one fixed
	// version.
	//
	//spec:example deps: {acp: {agents: [claude-code, codex, gemini-cli]}}
	Agents []string `yaml:"agents" spec:"scalar"`

	// Node is the Node.js that the agents run on, for themselves alone: the image's
	// `deps.node` and a node of the base stay what they are. It is 24 or newer, and
	// 24.21.0 unless said otherwise.
	//
	//spec:example deps: {acp: {agents: [codex], node: "24.21.0"}}
	Node Component `yaml:"node"`
}

// Wanted reports whether /openhands has any of the agents.
func (a ACP) Wanted() bool { return len(a.Agents) > 0 && a.Agents[0] != None }

func (a *ACP) setShort(text string) error {
	a.Agents = []string{text}
	return nil
}

func (a *ACP) setDefaults() {
	if a.Wanted() && a.Node.Version == "" {
		a.Node.Version = defaultNode
	}
}

func (l *loader) checkACP(a ACP) {
	const key, list = "deps.acp", "deps.acp.agents"
	if l.given(key) && len(a.Agents) == 0 && !l.broken(key) {
		l.problem(key, "deps.acp needs agents; add some of %s, or write %q", strings.Join(acpAgents, ", "), None)
	}
	l.checkUnique(list, a.Agents)
	for i, name := range a.Agents {
		switch {
		case name == "", name == None && len(a.Agents) == 1: // known to be wrong, or right
		case name == None:
			l.problem(item(list, i), "%s %q stands for no agent at all; write it alone, or remove it", item(list, i), name)
		case !slices.Contains(acpAgents, name):
			l.problem(item(list, i), "ACP agent %q is unknown%s", name, meantAgent(name))
		}
	}
	l.checkRelease(key+".node.version", a.Node.Version)
	l.checkDigests(key+".node.digests", a.Node.Digests)
	if a.Node.Version == None {
		l.problem(key+".node", "the agents of deps.acp run on a node of their own; give deps.acp.node a version, or remove it")
	}
}

// meantAgent also knows the agents by the names of their programs.
func meantAgent(name string) string {
	programs := map[string]string{"claude-agent-acp": ACPClaudeCode, "codex-acp": ACPCodex, "gemini": ACPGemini}
	if agent, ok := programs[name]; ok {
		return fmt.Sprintf(", did you mean %q?", agent)
	}
	return meant(name, acpAgents)
}
