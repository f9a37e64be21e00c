package deps

import (
	"regexp"
	"strings"
	"testing"

	"github.com/openhands/llb-frontend/frontend/spec"
	"github.com/openhands/llb-frontend/llb/llbtest"
)

// TestAgentLock reads the list of what the agent-server requires: each package
// once, by digest, without a condition that only one architecture meets, and
// without an address.
func TestAgentLock(t *testing.T) {
	var b []byte
	for _, name := range []string{agentLock, agentUnbuilt, agentBuilders} {
		list, err := scripts.ReadFile("scripts/" + name)
		if err != nil {
			t.Fatal(err)
		}
		b = append(b, list...)
	}
	pinned := regexp.MustCompile(`^[a-z0-9-]+==[A-Za-z0-9.+!]+ \\$`)
	hash := regexp.MustCompile(`^    --hash=sha256:[0-9a-f]{64}( \\)?$`)
	seen := map[string]bool{}
	own := map[string]bool{}
	for _, w := range agentWheels() {
		own[w[0]] = true
	}
	for n, line := range strings.Split(strings.TrimSuffix(string(b), "\n"), "\n") {
		if !pinned.MatchString(line) && !hash.MatchString(line) {
			t.Fatalf("line %d is neither a package of one version nor a digest: %s", n+1, line)
		}
		name, _, found := strings.Cut(line, "==")
		if found && (seen[name] || own[name]) {
			t.Errorf("line %d: %s is there twice, or is part of the code", n+1, name)
		}
		seen[name] = true
	}
	for _, name := range []string{"fastapi", "browser-use", "libtmux", "litellm", "func-timeout", "setuptools"} {
		if !seen[name] {
			t.Errorf("%s is not in the list", name)
		}
	}
}

// TestAgentVersions tells a version that has a list from one that has none.
func TestAgentVersions(t *testing.T) {
	for version, known := range map[string]bool{agentVersion: true, "1.50.0": false} {
		def, _ := definition(t, graphInput("amd64", everything("uv", "builder"), spec.Server{Name: spec.ServerAgent, Version: version}))
		text := llbtest.Render(t, def)
		if got := strings.Contains(text, "mkfile /"+agentLock); got != known {
			t.Errorf("%s has the list: %v", version, got)
		}
		if got := strings.Contains(text, "env HASHES=1"); got != known {
			t.Errorf("%s has digests: %v", version, got)
		}
		for _, not := range []string{"poetry", "LAUNCHER", "playwright-version"} {
			if strings.Contains(text, not) {
				t.Errorf("%s has %s", version, not)
			}
		}
	}
}

// TestAgentMicromamba leaves poetry out of conda-forge's environment.
func TestAgentMicromamba(t *testing.T) {
	for s, want := range map[spec.Server]bool{server: true, agent: false} {
		def, _ := definition(t, graphInput("amd64", everything("micromamba", "builder"), s))
		if got := strings.Contains(llbtest.Render(t, def), "POETRY_VERSION="); got != want {
			t.Errorf("%s has poetry: %v", s.Name, got)
		}
	}
}
