package engine

import (
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/openhands/llb-frontend/integration/mirror"
)

func TestUsedOf(t *testing.T) {
	for spec, want := range map[string]string{
		"base_image: scratch": "",
		"server: none":        "",
		"server: {name: none}\ndeps: {node: '22.1.0'}":                           "node 22.1.0",
		"server: agent-server":                                                   "node 24.21.0, vscode 1.109.5",
		"server: {name: agent-server}\ndeps: {browser: builder, vscode: none}":   "node 24.21.0",
		"server: agent-server\ndeps_image: example.com/deps":                     "",
		"deps: {python: uv}":                                                     "python 3.13.5+20250702",
		"deps: {python: {provider: uv, version: '3.13.1+20250101'}}":             "python 3.13.1+20250101",
		"deps: {python: builder}":                                                "",
		"deps: {vscode: {version: '1.2.3'}}":                                     "vscode 1.2.3",
		"deps: {browser: {provider: playwright, version: '1.50.0'}, node: none}": "playwright 1.50.0",
	} {
		var doc yaml.Node
		if err := yaml.Unmarshal([]byte(spec), &doc); err != nil {
			t.Fatal(err)
		}
		versions := mirror.DefaultVersions()
		_, parts := usedOf(doc.Content[0], &versions)
		var got []string
		for _, part := range parts {
			got = append(got, part+" "+versions.Of(part))
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%q uses %q, want %q", spec, got, want)
		}
	}
}

func TestAddMirrors(t *testing.T) {
	const spec = `# syntax=ghcr.io/openhands/llb-frontend:1
# What this is.
server: agent-server # the server
deps:
  node: "24.1.0" # old
  python: uv
mirrors: {apt: "https://mirror.example.com", pypi: "https://pypi.test"}
`
	const want = `# syntax=ghcr.io/openhands/llb-frontend:1
# What this is.
server: agent-server # the server
deps:
  node:
    version: "24.1.0" # old
    digests:
      amd64: "sha256:1"
      arm64: "sha256:2"
  python:
    provider: uv
    version: "3.13.5+20250702"
    digests:
      amd64: "sha256:3"
      arm64: "sha256:4"
mirrors: {pypi: "https://pypi.test", conda: "http://m/conda", github: "http://m/github", node: "http://m/node", playwright: "http://m/playwright"}
`
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(spec), &doc); err != nil {
		t.Fatal(err)
	}
	versions := mirror.DefaultVersions()
	used, _ := usedOf(doc.Content[0], &versions)
	used = slices.DeleteFunc(used, func(c mirrored) bool { return c.key == mirror.VSCode })
	m := &Mirror{URL: "http://m", Versions: versions, Content: mirror.Content{
		versions.NodeArchive("amd64"): "sha256:1", versions.NodeArchive("arm64"): "sha256:2",
		versions.PythonArchive("amd64"): "sha256:3", versions.PythonArchive("arm64"): "sha256:4",
	}}
	addAddresses(doc.Content[0], m)
	addDigests(doc.Content[0], m, used)
	got, err := encode(&doc)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
