package deps

import (
	"errors"
	"io/fs"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/openhands/llb-frontend/frontend/spec"
	"github.com/openhands/llb-frontend/llb/llbtest"
)

const sum = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

var (
	server = spec.Server{Name: spec.ServerActionExecution, Version: "0.62.0"}
	agent  = spec.Server{Name: spec.ServerAgent, Version: agentVersion}
	sums   = map[string]string{"amd64": sum, "arm64": sum}
)

// everything is a spec with all components by the given providers.
func everything(python, browser string) spec.Deps {
	d := spec.Deps{
		Tools:   []string{"bash", "tmux", "git"},
		Python:  spec.Python{Provider: python},
		Browser: spec.Browser{Provider: browser},
		VSCode:  spec.Component{Version: "1.109.5"},
		Node:    spec.Component{Version: "24.21.0"},
		UV:      true,
		ACP:     spec.ACP{Agents: []string{spec.ACPClaudeCode, spec.ACPCodex, spec.ACPGemini}, Node: spec.Component{Version: "24.21.0"}},
	}
	if python == spec.ProviderMicromamba {
		d.Python.Digests = sums
	}
	return d
}

// graphInput is what package llb would hand over.
func graphInput(arch string, d spec.Deps, s spec.Server) Input {
	return Input{
		Builder:           llb.Image("builder"),
		Helpers:           llb.Image("frontend"),
		Architecture:      arch,
		BuildArchitecture: "amd64",
		Spec:              d,
		Server:            s,
		Step: func(name, _, text string) []llb.ConstraintsOpt {
			return []llb.ConstraintsOpt{llb.WithCustomName("[" + name + "] " + text)}
		},
	}
}

// definition merges the components of a build, as an image would.
func definition(t *testing.T, in Input) (*llb.Definition, []string) {
	t.Helper()
	components, err := Build(in)
	if err != nil {
		t.Fatal(err)
	}
	var states []llb.State
	var names []string
	for _, c := range components {
		states, names = append(states, c.State), append(names, c.Name)
	}
	return llbtest.Marshal(t, llb.Merge(states), llb.Platform(ocispecs.Platform{OS: "linux", Architecture: in.Architecture})), names
}

func ops(t *testing.T, def *llb.Definition) []*pb.Op {
	t.Helper()
	list := make([]*pb.Op, len(def.Def))
	for i, dt := range def.Def {
		list[i] = new(pb.Op)
		if err := list[i].Unmarshal(dt); err != nil {
			t.Fatal(err)
		}
	}
	return list
}

// inputs are graphs with every stage in them, for both architectures.
func inputs() []Input {
	var all []Input
	source := llb.Local("context")
	for _, arch := range []string{"amd64", "arm64"} {
		for _, python := range []string{spec.ProviderBuilder, spec.ProviderUV, spec.ProviderMicromamba, ""} {
			for _, browser := range []string{spec.ProviderPlaywright, spec.ProviderBuilder} {
				d := everything(python, browser)
				with, without := graphInput(arch, d, server), graphInput(arch, d, spec.Server{})
				fromSource := with
				fromSource.Source = &source
				all = append(all, without)
				if python != "" {
					older := spec.Server{Name: spec.ServerAgent, Version: "1.50.0"}
					agentSource := graphInput(arch, d, spec.Server{Name: spec.ServerAgent, Source: "."})
					agentSource.Source = &source
					all = append(all, with, fromSource, graphInput(arch, d, agent), graphInput(arch, d, older), agentSource)
				}
			}
		}
	}
	return all
}

// TestScriptsAreEmbedded builds all stages by all providers. Every script that
// one names is there, and every one that is there is named.
func TestScriptsAreEmbedded(t *testing.T) {
	used := map[string]bool{}
	for _, in := range inputs() {
		def, _ := definition(t, in)
		for _, op := range ops(t, def) {
			for _, a := range op.GetFile().GetActions() {
				f := a.GetMkfile()
				if f == nil {
					continue
				}
				if strings.Contains(string(f.Data), "no script ") {
					t.Errorf("%s %s: a stage names a script that is not embedded: %s", in.Architecture, in.Spec.Python.Provider, f.Path)
				}
				used[path.Base(f.Path)] = true
			}
			if args := op.GetExec().GetMeta().GetArgs(); len(args) == 2 && args[0] == "/bin/sh" {
				if !used[path.Base(args[1])] {
					t.Errorf("%s is run and mounted nowhere", args[1])
				}
			}
		}
	}
	used["package-digest.sh"] = true // TestMeasure
	for _, name := range scriptNames(t) {
		if !used[name] {
			t.Errorf("no stage uses scripts/%s", name)
		}
	}
}

func scriptNames(t *testing.T) []string {
	t.Helper()
	entries, err := fs.ReadDir(scripts, "scripts")
	if err != nil || len(entries) == 0 {
		t.Fatalf("found %d scripts, error %v", len(entries), err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// TestScriptsAreShell lets sh read every script of a stage and every one that
// goes into images.
func TestScriptsAreShell(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range scriptNames(t) {
		b, err := scripts.ReadFile("scripts/" + name)
		if err != nil {
			t.Fatal(err)
		}
		text := string(b)
		if !strings.HasSuffix(name, ".sh") && !strings.HasPrefix(text, "#!/bin/sh") && !strings.HasPrefix(text, "#!/openhands/tools/bash") {
			continue
		}
		c := exec.CommandContext(t.Context(), sh, "-n")
		c.Stdin = strings.NewReader(text)
		if out, err := c.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
		if name != "common.sh" && name != "venv.sh" && strings.HasSuffix(name, ".sh") && !strings.Contains(text, "\n. /run/openhands/script/common.sh\n") {
			t.Errorf("%s does not begin with common.sh, which makes it stop at an error", name)
		}
	}
}

// TestScriptsGetWhatTheyRead compares the mounts below /run/openhands that a
// script reads with those that its stage has.
func TestScriptsGetWhatTheyRead(t *testing.T) {
	const optional = "extensions lock version" // each tested for in the script
	mentioned := regexp.MustCompile(`\$\{?RUN\}?"?/([a-z]+)`)
	for _, in := range inputs() {
		def, _ := definition(t, in)
		for _, op := range ops(t, def) {
			args := op.GetExec().GetMeta().GetArgs()
			if len(args) != 2 {
				continue
			}
			script := path.Base(args[1])
			b, err := scripts.ReadFile("scripts/" + script)
			if err != nil {
				t.Fatal(err)
			}
			mounted := map[string]bool{}
			for _, m := range op.GetExec().GetMounts() {
				mounted[strings.TrimPrefix(m.Dest, runDir+"/")] = true
			}
			for _, match := range mentioned.FindAllStringSubmatch(string(b), -1) {
				if name := match[1]; !mounted[name] && !slices.Contains(strings.Fields(optional), name) {
					t.Errorf("%s reads $RUN/%s, which is not mounted", script, name)
				}
			}
			if strings.Contains(string(b), "\npackages ") && !mounted["apt"] {
				t.Errorf("%s fetches packages without their cache", script)
			}
		}
	}
}

func TestKnownDigests(t *testing.T) {
	seen := map[string]string{}
	for file, known := range knownDigests {
		if err := digest.NewDigestFromEncoded(digest.SHA256, known).Validate(); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		if other := seen[known]; other != "" {
			t.Errorf("%s and %s have the same digest", file, other)
		}
		seen[known] = file
	}
	for _, hash := range slices.Concat(strings.Fields(uvRequirement), strings.Fields(requirementOf(graph{Input: Input{Server: server}}.serverRequirement())),
		strings.Fields(strings.Join(listOf(graph{Input: Input{Server: agent}}.agentRequirements()), " "))) {
		if text, ok := strings.CutPrefix(hash, "--hash="); ok && digest.Digest(text).Validate() != nil {
			t.Errorf("%s is no digest", hash)
		}
	}
}

func listOf(list []string, _ bool) []string { return list }

func requirementOf(requirement string, _ bool) string { return requirement }

// TestDefaultsAreKnown builds the defaults of a spec for both architectures
// without a digest of the user's.
func TestDefaultsAreKnown(t *testing.T) {
	for _, name := range []string{spec.ServerActionExecution, spec.ServerAgent} {
		doc, err := spec.Load("spec", []byte("base_image: a\nserver: "+name+"\n"), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, arch := range []string{"amd64", "arm64"} {
			for _, python := range []string{doc.Spec.Deps.Python.Provider, spec.ProviderUV} {
				in := graphInput(arch, doc.Spec.Deps, doc.Spec.Server)
				in.Spec.Python.Provider = python
				if _, err := Build(in); err != nil {
					t.Errorf("%s for %s: %v", python, arch, err)
				}
			}
		}
		in := graph{Input: Input{Server: doc.Spec.Server}}
		_, hashed := in.serverRequirement()
		if name == spec.ServerAgent {
			_, hashed = in.agentRequirements()
		}
		if !hashed {
			t.Errorf("the default server %+v has no digest", doc.Spec.Server)
		}
	}
}

func TestComponents(t *testing.T) {
	source := llb.Local("context")
	for _, tt := range []struct {
		name string
		in   Input
		want string
	}{
		{"tools alone", graphInput("amd64", spec.Deps{Tools: []string{"bash"}}, spec.Server{}), "lib tools init"},
		{"none", graphInput("amd64", spec.Deps{Python: spec.Python{Provider: "none"}, Node: spec.Component{Version: "none"}}, spec.Server{Name: "none"}), "lib tools init"},
		{"no server", graphInput("arm64", everything("builder", "builder"), spec.Server{}), "lib tools init python poetry node uv browser vscode acp python-deps"},
		{"server", graphInput("amd64", everything("uv", "playwright"), server), "lib tools init python poetry node uv browser vscode acp python-deps code"},
		{"agent-server has no poetry", graphInput("arm64", everything("uv", "builder"), agent), "lib tools init python node uv browser vscode acp python-deps code"},
		{"micromamba has poetry", graphInput("amd64", everything("micromamba", "playwright"), server), "lib tools init python node uv browser vscode acp python-deps code"},
		{"source", func() Input {
			in := graphInput("amd64", everything("uv", "playwright"), server)
			in.Source = &source
			return in
		}(), "lib tools init python poetry node uv browser vscode acp python-deps"},
	} {
		if _, names := definition(t, tt.in); strings.Join(names, " ") != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, names, tt.want)
		}
	}
}

// TestNoStageRunsOnTheTarget says that stages run on the machine that builds,
// in the builder image, whatever the target is.
func TestNoStageRunsOnTheTarget(t *testing.T) {
	for _, in := range inputs() {
		def, _ := definition(t, in)
		list := ops(t, def)
		builder := -1
		byDigest := map[string]int{}
		for i, dt := range def.Def {
			byDigest[digest.FromBytes(dt).String()] = i
			if strings.Contains(list[i].GetSource().GetIdentifier(), "/builder:") {
				builder = i
			}
		}
		for _, op := range list {
			for _, m := range op.GetExec().GetMounts() {
				if m.Dest == "/" && byDigest[op.Inputs[m.Input].Digest] != builder {
					t.Errorf("%q runs elsewhere than in the builder", op.GetExec().GetMeta().GetArgs())
				}
			}
		}
	}
}

func TestRequirementsAndMirrors(t *testing.T) {
	in := graphInput("arm64", everything("micromamba", "playwright"), server)
	in.Spec.Python.Requirements = []string{"numpy==2.3.4", "b"}
	in.Spec.Python.Version = "3.11"
	in.Mirrors = map[string]string{"pypi": "https://p/simple", "conda": "https://c/", "playwright": "https://pw", "github": "https://g/", "node": "https://n", "npm": "https://npm/", "apt": "https://a"}
	def, _ := definition(t, in)
	text := llbtest.Render(t, def)
	for _, want := range []string{
		"env CHANNEL=https://c/conda-forge", "env VERSION=3.11", "env PIP_INDEX_URL=https://p/simple", "env UV_DEFAULT_INDEX=https://p/simple",
		"env PLAYWRIGHT_DOWNLOAD_HOST=https://pw", `"https://n/v24.21.0/node-v24.21.0-linux-arm64.tar.gz"]`,
		`"https://g/gitpod-io/`, `"https://g/mamba-org/micromamba-releases/releases/download/` + micromambaVersion + `/micromamba-linux-aarch64"]`,
		`"fetch" "--sha256" "` + strings.TrimPrefix(sum, "sha256:") + `"`,
		"env NPM_CONFIG_REGISTRY=https://npm/", "env APT_MIRROR=https://a",
		`mkfile /requirements.txt 0644 - "numpy==2.3.4\nb\n"`,
	} {
		// The files of a script are shown by name alone, except here.
		if !strings.Contains(text, want) && !strings.Contains(renderFiles(t, def), want) {
			t.Errorf("the graph does not hold %s", want)
		}
	}
	in.Spec.Browser.Provider = spec.ProviderBuilder
	if def, _ := definition(t, in); strings.Contains(llbtest.Render(t, def), "PLAYWRIGHT_DOWNLOAD_HOST") {
		t.Error("the distribution's Chromium has Playwright's mirror")
	}
}

func renderFiles(t *testing.T, def *llb.Definition) string {
	t.Helper()
	var text strings.Builder
	for _, op := range ops(t, def) {
		for _, a := range op.GetFile().GetActions() {
			if f := a.GetMkfile(); f != nil && f.Path == "/requirements.txt" {
				text.WriteString("mkfile /requirements.txt 0644 - " + strings.ReplaceAll(`"`+string(f.Data)+`"`, "\n", `\n`) + "\n")
			}
		}
	}
	return text.String()
}

func TestUnknownDigestNamesItsKey(t *testing.T) {
	for _, tt := range []struct {
		edit      func(*spec.Deps)
		key, file string
	}{
		{func(d *spec.Deps) { d.Node.Version = "1.2.3" }, "deps.node", "node-v1.2.3-linux-arm64.tar.gz"},
		{func(d *spec.Deps) { d.ACP.Node.Version = "1.2.3" }, "deps.acp.node", "node-v1.2.3-linux-arm64.tar.gz"},
		{func(d *spec.Deps) { d.VSCode.Version = "1.2.3" }, "deps.vscode", "openvscode-server-v1.2.3-linux-arm64.tar.gz"},
		{func(d *spec.Deps) { d.Python = spec.Python{Provider: "uv", Version: "3.1.2+3"} }, "deps.python", "cpython-3.1.2+3-aarch64-unknown-linux-gnu-install_only_stripped.tar.gz"},
		// The machine that builds needs one as well.
		{func(d *spec.Deps) {
			d.Python = spec.Python{Provider: "uv", Version: "3.1.2+3", Digests: map[string]string{"arm64": sum}}
		}, "deps.python", "cpython-3.1.2+3-x86_64-unknown-linux-gnu-install_only_stripped.tar.gz"},
	} {
		d := everything("builder", "playwright")
		tt.edit(&d)
		_, err := Build(graphInput("arm64", d, server))
		var de *Error
		if !errors.As(err, &de) || de.Key != tt.key || !strings.Contains(err.Error(), "the digest of "+tt.file+" is not known") {
			t.Errorf("got %v at %+v, want the digest of %s at %s", err, de, tt.file, tt.key)
		}
	}
}
