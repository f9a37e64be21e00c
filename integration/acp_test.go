package integration

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/openhands/llb-frontend/integration/engine"
)

// speakACP starts an agent, says hello, and asks for a session. It prints a line for
// each answer, and ends when it has both.
const speakACP = `
coproc agent { exec "$@" 2>/tmp/errors; }
say() { printf '%s\n' "$1" >&"${agent[1]}"; }
hear() { while read -r -t 120 line <&"${agent[0]}"; do [[ $line == *"\"id\":$1,"* ]] && { printf '%s\n' "$line"; return; }; done; cat /tmp/errors >&2; exit 1; }
say '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":1,"clientCapabilities":{}}}'
hear 1
say '{"jsonrpc":"2.0","id":2,"method":"session/new","params":{"cwd":"/workspace","mcpServers":[]}}'
hear 2
kill $agent_PID
`

// Agents of ACP run on a node of their own, with their programs for glibc, on a base
// that has neither; no other node is on PATH. The agent-server finds them.
func TestACPAgents(t *testing.T) {
	deps, err := buildServerDeps("server: agent-server\ndeps: {acp: {agents: [claude-code, codex, gemini-cli]}, node: none}\n", "test/acp-deps:latest")
	if err != nil {
		t.Fatal(err)
	}
	for _, base := range agentBases {
		t.Run(base, func(t *testing.T) {
			image := imageName(t)
			buildAs(t, image, "base_image: "+base+"\ndeps_image: "+deps+"\n")
			if out := run(t, engine.RunOptions{Image: image, Args: []string{"bash", "-c", "command -v node npm npx || echo none"}}); out != "none\n" {
				t.Errorf("a node is on PATH: %s", out)
			}
			for _, agent := range []struct {
				command, name string
				// What comes of a session without a key: its own program must have
				// been started for that.
				session string
			}{
				{"claude-agent-acp", "@agentclientprotocol/claude-agent-acp", `"sessionId":"`},
				{"codex-acp", "@agentclientprotocol/codex-acp", "Authentication required"},
				{"gemini --acp", "gemini-cli", "Gemini API key is missing"},
			} {
				out := run(t, engine.RunOptions{Image: image, Args: append([]string{"bash", "-c", speakACP, "bash"}, strings.Fields(agent.command)...)})
				hello, session, _ := strings.Cut(out, "\n")
				var answer struct {
					Result struct {
						ProtocolVersion int
						AgentInfo       struct{ Name string }
					}
				}
				if err := json.Unmarshal([]byte(hello), &answer); err != nil || answer.Result.ProtocolVersion != 1 || answer.Result.AgentInfo.Name != agent.name {
					t.Errorf("%s: the answer to initialize is %v, %.500s", agent.command, err, hello)
				}
				if !strings.Contains(session, agent.session) {
					t.Errorf("%s: the answer to session/new is %.500s, want %s in it", agent.command, session, agent.session)
				}
			}
		})
	}
	t.Run("by the server", func(t *testing.T) {
		image := imageName(t)
		buildAs(t, image, "base_image: alpine:3.22\ndeps_image: "+deps+"\n")
		port := freePort(t)
		s := startAgent(t, port, "", engine.RunOptions{Image: image, Args: []string{"--port", fmt.Sprint(port)}})
		var answer struct {
			Name    string `json:"agent_name"`
			Version string `json:"agent_version"`
			Models  []any  `json:"available_models"`
			Error   any
		}
		s.ask("POST", "/api/acp/models", map[string]any{"agent_settings": map[string]any{"agent_kind": "acp", "acp_server": "claude-code"}}, &answer)
		if answer.Error != nil || answer.Name != "@agentclientprotocol/claude-agent-acp" || answer.Version != "0.63.0" || len(answer.Models) == 0 {
			t.Errorf("the server asks its agent for models and gets %+v", answer)
		}
	})
}
