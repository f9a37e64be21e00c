package lint_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/linter"

	"github.com/openhands/llb-frontend/frontend/lint"
	"github.com/openhands/llb-frontend/frontend/spec"
)

const pinned = "debian:trixie-slim@sha256:0000000000000000000000000000000000000000000000000000000000000000"

// found are the findings of a spec, one "Rule line: message" each.
func found(t *testing.T, yaml string, config linter.Config, contexts ...string) ([]string, error) {
	t.Helper()
	doc, err := spec.Load("openhands.yaml", []byte(yaml), nil)
	if err != nil {
		t.Fatal(err)
	}
	findings, err := lint.Run(lint.Input{Document: doc, Locks: true, IsContext: func(name string) bool { return slices.Contains(contexts, name) }}, config)
	var lines []string
	for _, f := range findings {
		lines = append(lines, fmt.Sprintf("%s %d: %s", f.Name, f.Range.Start.Line, f.Message))
	}
	return lines, err
}

func TestRules(t *testing.T) {
	for _, tt := range []struct {
		yaml string
		want []string // parts of each finding, in order
	}{
		{"base_image: debian:trixie-slim\nserver: agent-server\n", nil},
		{"base_image: debian\n", []string{`LatestTag 1: base_image "debian"`}},
		{"base_image: debian:latest\n", []string{"LatestTag 1"}},
		{"base_image: mine\n", nil}, // a context, below
		{"base_image: scratch\nuser: root\n", nil},
		{"base_image: debian@sha256:" + strings.Repeat("0", 64) + "\n", nil},
		{"base_image: debian:13\ndeps_image: deps\n", []string{`LatestTag 2: deps_image "deps"`}},
		{"args: {X: y}\nbase_image: debian:13\n", []string{`UnusedArg 1: arg "X"`}},
		{"base_image: debian:13\nenvironment:\n  OPENAI_API_KEY: abc\n  TOKENIZERS_PARALLELISM: 1\n  PUBLIC_KEY: abc\n  SECRET_FILE: /run/secrets/x\n  DB_PASSWORD: \"\"\n", []string{"SecretsUsedInArgOrEnv 3: environment.OPENAI_API_KEY"}},
		{"args: {GITHUB_TOKEN: abc}\nbase_image: debian:13\nextra_deps: {run: [\"echo $GITHUB_TOKEN\"]}\n", []string{"SecretsUsedInArgOrEnv 1: args.GITHUB_TOKEN"}},
		{"base_image: debian:13\nserver: {name: agent-server, version: 1.0.0}\n", []string{"UnverifiedDownload 2: agent-server 1.0.0"}},
		{"base_image: debian:13\ndeps: {python: {provider: builder, requirements: [numpy, \"six==1.17.0\"]}}\n", []string{`UnverifiedDownload 2: requirement "numpy"`}},
		{"base_image: debian:13\nextra_deps:\n  run:\n    - make install\n    - apt-get update && apt-get -y install make\n", []string{"PackagesInRun 5: apt-get"}},
		{"base_image: alpine:3.22\nextra_deps: apk add make\n", []string{"PackagesInRun 2: apk"}},
		{"base_image: debian:13\nserver: agent-server\nenvironment: {PYTHONPATH: /src}\n", []string{"InterpreterVariable 3: PYTHONPATH"}},
		{"base_image: debian:13\nenvironment: {PYTHONPATH: /src}\n", nil},
		{"base_image: debian:13\nserver: agent-server\nenvironment: {VSCODE_PORT: 1}\n", []string{"UnusedVariable 3: VSCODE_PORT is read by the action-execution-server, not by the agent-server"}},
	} {
		got, err := found(t, tt.yaml, linter.Config{}, "mine")
		if err != nil {
			t.Errorf("%s: %v", tt.yaml, err)
		}
		if len(got) != len(tt.want) {
			t.Errorf("%s\ngives %q, want %q", tt.yaml, got, tt.want)
			continue
		}
		for i := range got {
			if !strings.HasPrefix(got[i], tt.want[i]) {
				t.Errorf("%s\ngives %q, want %q", tt.yaml, got[i], tt.want[i])
			}
		}
	}
}

func TestStrictRules(t *testing.T) {
	const yaml = "base_image: debian:13\ndeps_image: " + pinned + "\nuser: root\n"
	got, err := found(t, yaml, linter.Config{ExperimentalAll: true})
	if err != nil || len(got) != 2 || !strings.HasPrefix(got[0], "NotPinned 1: base_image") || !strings.HasPrefix(got[1], "RootUser 3") {
		t.Errorf("found %q, %v", got, err)
	}
	unverified := linter.Config{ExperimentalRules: []string{"UnverifiedBrowser"}}
	for server, want := range map[string]int{"action-execution-server": 1, "agent-server": 0} {
		if got, _ := found(t, "base_image: debian:13\nserver: "+server+"\n", unverified); len(got) != want {
			t.Errorf("%s: found %q", server, got)
		}
	}
	got, _ = found(t, yaml, linter.Config{ExperimentalRules: []string{"RootUser"}})
	if len(got) != 1 || !strings.HasPrefix(got[0], "RootUser 3") {
		t.Errorf("found %q", got)
	}
}

func TestConfig(t *testing.T) {
	const yaml = "# syntax=example.com/frontend:1\n# check=skip=LatestTag;error=true\nargs: {X: y}\nbase_image: debian\n"
	config, err := lint.ConfigOf(nil, []byte(yaml))
	if err != nil {
		t.Fatal(err)
	}
	got, err := found(t, yaml, config)
	if len(got) != 1 || !strings.HasPrefix(got[0], "UnusedArg 3") || err == nil {
		t.Errorf("the file's own line: found %q, %v", got, err)
	}
	if config, err = lint.ConfigOf(&linter.Config{SkipAll: true}, []byte(yaml)); err != nil {
		t.Fatal(err)
	}
	if got, err := found(t, yaml, config); len(got) > 0 || err != nil {
		t.Errorf("the request's config: found %q, %v", got, err)
	}
	if _, err := lint.ConfigOf(nil, []byte("# check=nonsense\nbase_image: debian\n")); err == nil {
		t.Error("a wrong line is taken")
	}
}

// The page has a section for each rule, and for nothing else.
func TestPage(t *testing.T) {
	if _, err := os.Stat("../../docs"); err != nil {
		t.Skip("the documents are not here: the image that the Dockerfile tests in has the code alone")
	}
	page, err := os.ReadFile("../../docs/checks.md")
	if err != nil {
		t.Fatal(err)
	}
	var sections []string
	for _, m := range regexp.MustCompile(`(?m)^## (\w+)\n\n(Strict\. )?`).FindAllStringSubmatch(string(page), -1) {
		sections = append(sections, fmt.Sprintf("%s, strict: %t", m[1], m[2] != ""))
	}
	var names []string
	for _, r := range lint.Rules() {
		names = append(names, fmt.Sprintf("%s, strict: %t", r.Name, r.Strict))
	}
	if !slices.Equal(sections, names) {
		t.Errorf("docs/checks.md has the sections %q, the rules are %q", sections, names)
	}
}
