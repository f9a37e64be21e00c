package integration

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/openhands/llb-frontend/integration/engine"
)

// What docs/runtime-builder.md says is typed as it stands there, but for the name
// of the registry.
func TestRuntimeBuilder(t *testing.T) {
	page := readPage(t, "runtime-builder.md")
	dir := t.TempDir()
	for file, text := range page.files {
		writeFile(t, filepath.Join(dir, file), text)
	}
	writeProject(t, filepath.Join(dir, "OpenHands"))
	standInDeps(t, "openhands-deps:1", true)
	standInDeps(t, "openhands-deps:2", true)
	standInDeps(t, "openhands-deps:source", false)

	said := map[string]string{}
	for _, c := range page.commands {
		t.Run(c.section, func(t *testing.T) {
			said[c.section] += typed(t, dir, c.text)
		})
	}
	if t.Failed() {
		return
	}
	runtime := func(tag, arch string) map[string]string {
		return configOf(t, pulled(t, eng.Registry()+"/runtime:"+tag, arch)).Config.Labels
	}
	names := regexp.MustCompile(eng.Registry()+`/runtime:\S+`).FindAllString(said["dry_run"], -1)
	if len(names) != 5 {
		t.Errorf("dry_run names %q", names)
	}
	for _, name := range names {
		pulled(t, name, "amd64")
	}
	contains(t, said["dry_run"], "lock        "+eng.Registry()+"/runtime:oh_v0.62.0_5u2ibbb7lrxprt82\n", "Check complete")
	found := said["An image that is there already"]
	lines := strings.Fields(found)
	if !slices.Contains(names, lines[len(lines)-1]) || strings.Contains(found, "exporting") {
		t.Errorf("the recipe builds, or finds another image:\n%s", found)
	}
	if got := runtime("arm64", "arm64")["org.opencontainers.image.base.name"]; got != "docker.io/library/debian:trixie-slim" {
		t.Errorf("platform: the base is %q", got)
	}
	if got := runtime("extra", "amd64")["dev.openhands.layers"]; got != "deps,identity,run" {
		t.Errorf("extra_deps: layers are %q", got)
	}
	if got := runtime("source", "amd64")["dev.openhands.layers"]; got != "deps,identity,code" {
		t.Errorf("build_folder: layers are %q", got)
	}
	alpine := runtime("alpine", "amd64")
	if alpine["team"] != "" || alpine["dev.openhands.deps.name"] != eng.Registry()+"/openhands-deps:2" ||
		alpine["org.opencontainers.image.base.digest"] != runtime("stdin", "amd64")["org.opencontainers.image.base.digest"] {
		t.Errorf("the image with new deps has the labels %v", alpine)
	}
	contains(t, said["force_rebuild"], "[compose]")
}

// page is what a reader of a document types.
type page struct {
	files    map[string]string
	block    map[string]string // the last one of a language
	commands []recipe
}

// recipe is a command line or a script, and the section that it stands in.
type recipe struct{ section, text string }

var (
	heading = regexp.MustCompile(`^## (.*)`)
	isFile  = regexp.MustCompile("`([a-z-]+\\.(?:yaml|hcl))`:$")
)

// readPage takes blocks of a document: of console the lines after the prompt, of
// sh all, and of a block below a line that ends in the name of a file, the file.
func readPage(t *testing.T, file string) page {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(eng.Repo(), "docs", file))
	if err != nil {
		t.Fatal(err)
	}
	p := page{files: map[string]string{}, block: map[string]string{}}
	var section, above string
	blocks := strings.Split(string(b), "```")
	for i, text := range blocks {
		text = strings.ReplaceAll(text, "registry.example.com", eng.Registry())
		if i%2 == 0 {
			for line := range strings.Lines(text) {
				if m := heading.FindStringSubmatch(strings.TrimSpace(line)); m != nil {
					section = m[1]
				}
			}
			above = strings.TrimSpace(text)
			continue
		}
		language, body, _ := strings.Cut(text, "\n")
		p.block[language] = body
		switch m := isFile.FindStringSubmatch(above); {
		case m != nil:
			p.files[m[1]] = body
		case language == "sh":
			p.commands = append(p.commands, recipe{section, body})
		case language == "console":
			for _, c := range prompts(body) {
				p.commands = append(p.commands, recipe{section, c})
			}
		}
	}
	if len(p.commands) == 0 {
		t.Fatalf("%s has no commands", file)
	}
	return p
}

// last is the last command of a page with some words in it.
func (p page) last(words string) string {
	for _, r := range slices.Backward(p.commands) {
		if strings.Contains(r.text, words) {
			return r.text
		}
	}
	return "false # no " + words
}

// prompts are the command lines of a console; what they print is left out.
func prompts(console string) []string {
	var commands []string
	typing := false
	for line := range strings.Lines(console) {
		text, prompt := strings.CutPrefix(line, "$ ")
		switch {
		case prompt:
			commands = append(commands, text)
		case typing:
			commands[len(commands)-1] += line
		}
		typing = (prompt || typing) && strings.HasSuffix(strings.TrimSpace(line), "\\")
	}
	return commands
}

// typed runs a command line in a directory, with the engine's buildx behind the
// name docker, and returns what it prints.
func typed(t *testing.T, dir, script string) string {
	t.Helper()
	bin := t.TempDir()
	writeFile(t, filepath.Join(bin, "docker"), fmt.Sprintf("#!/bin/sh\nshift\nexec %s \"$@\"\n", eng.Bin("buildx")))
	if err := os.Chmod(filepath.Join(bin, "docker"), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "/bin/sh", "-euc", script)
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), eng.Env()...), "BUILDX_PROGRESS=plain", "PATH="+bin+":"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
	return string(out)
}

func writeFile(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// writeProject makes a checkout of a V0 server of which OpenHands' own functions
// were asked: without a browser its lock tag on alpine:3.22 ends in
// 5u2ibbb7lrxprt82, and its source hash is dmu3wpy08mojtyn2.
func writeProject(t *testing.T, dir string) {
	t.Helper()
	for file, text := range map[string]string{
		"pyproject.toml": "[tool.poetry]\nname = \"openhands-ai\"\nversion = \"0.62.0\"\n", "poetry.lock": "lock\n",
		"openhands/__init__.py": "", "openhands/sub/a.py": "a = 1\n", "openhands/__pycache__/x.pyc": "x",
	} {
		writeFile(t, filepath.Join(dir, file), text)
	}
	for link, to := range map[string]string{"openhands/link.py": "sub/a.py", "openhands/linked": "sub"} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
}

// standInDeps pushes a deps image with the labels and the project of a server, and
// nothing that runs: composing images of it takes no time.
func standInDeps(t *testing.T, image string, code bool) {
	t.Helper()
	dir := t.TempDir()
	parts := "lib,tools,init"
	writeFile(t, filepath.Join(dir, "openhands", "version"), image)
	if code {
		parts += ",code"
		writeProject(t, filepath.Join(dir, "openhands", "code"))
	}
	server := "action-execution-server"
	if code {
		server += "@0.62.0"
	}
	writeFile(t, filepath.Join(dir, "Dockerfile"), "FROM scratch\nCOPY openhands /openhands\n"+
		"LABEL dev.openhands.deps.version=2 dev.openhands.deps.tools=bash dev.openhands.deps.components="+parts+
		" dev.openhands.deps.server="+server+"\n")
	_, err := eng.Build(t.Context(), engine.BuildOptions{
		Spec: filepath.Join(dir, "Dockerfile"), Context: dir, Image: image, Args: []string{"--platform=linux/amd64,linux/arm64"},
	})
	if err != nil {
		t.Fatal(err)
	}
}
