package deps

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/openhands/llb-frontend/frontend/spec"
	"github.com/openhands/llb-frontend/llb/llbtest"
)

// TestACPLocks reads the lock files of the agents: the wanted version, everything by
// digest, and no address, so that any registry will do.
func TestACPLocks(t *testing.T) {
	for _, a := range acpAgents() {
		b, err := scripts.ReadFile("scripts/" + a.lock())
		if err != nil {
			t.Fatal(err)
		}
		var lock struct {
			Packages map[string]struct {
				Version, Integrity, Resolved string
				Dependencies                 map[string]string
				Link                         bool
			}
		}
		if err := json.Unmarshal(b, &lock); err != nil {
			t.Fatalf("%s: %v", a.lock(), err)
		}
		if got := lock.Packages[""].Dependencies; len(got) != 1 || got[a.npm] != a.version {
			t.Errorf("%s asks for %v, want %s %s", a.lock(), got, a.npm, a.version)
		}
		if got := lock.Packages["node_modules/"+a.npm].Version; got != a.version {
			t.Errorf("%s has %s %q, want %s", a.lock(), a.npm, got, a.version)
		}
		for name, p := range lock.Packages {
			if name != "" && (!strings.HasPrefix(p.Integrity, "sha512-") || p.Resolved != "" || p.Link) {
				t.Errorf("%s: %s has the digest %q and the address %q, want a digest alone", a.lock(), name, p.Integrity, p.Resolved)
			}
		}
	}
}

// TestACPAgents takes the wanted agents alone, on a node that deps.node says nothing
// about.
func TestACPAgents(t *testing.T) {
	in := graphInput("arm64", spec.Deps{
		Tools: []string{"bash"},
		Node:  spec.Component{Version: "22.1.0", Digests: sums},
		ACP:   spec.ACP{Agents: []string{spec.ACPGemini, spec.ACPCodex}, Node: spec.Component{Version: "24.21.0"}},
	}, spec.Server{})
	def, names := definition(t, in)
	text := llbtest.Render(t, def)
	for _, want := range []string{"acp-codex.json", "acp-gemini-cli.json", "env CPU=arm64", "node-v24.21.0-linux-arm64.tar.gz", "node-v24.21.0-linux-x64.tar.gz", "node-v22.1.0-linux-arm64.tar.gz"} {
		if !strings.Contains(text, want) {
			t.Errorf("the graph lacks %s", want)
		}
	}
	for _, not := range []string{"acp-claude-code.json", "node-v22.1.0-linux-x64.tar.gz"} {
		if strings.Contains(text, not) {
			t.Errorf("the graph has %s", not)
		}
	}
	if want := "lib tools init node acp"; strings.Join(names, " ") != want {
		t.Errorf("components are %q, want %s", names, want)
	}
}
