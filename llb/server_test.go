package llb_test

import (
	"cmp"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"

	"github.com/openhands/llb-frontend/frontend/spec"
	ohllb "github.com/openhands/llb-frontend/llb"
	"github.com/openhands/llb-frontend/llb/llbtest"
)

// hostName finds names of hosts on the internet.
var hostName = regexp.MustCompile(`\b[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:org|com|dev|net|io)\b`)

func TestServerIsDeterministic(t *testing.T) {
	for _, tt := range []struct {
		name, yaml string
		facts      *ohllb.Facts
		edit       func(*ohllb.Input)
	}{
		{"release", withServer, debian(), nil},
		{"other providers", withServer + "deps: {python: {provider: uv, requirements: [b, a]}, browser: builder}\n" +
			"mirrors: {pypi: \"https://m/p\", github: \"https://m/g\", node: \"https://m/n\"}\n", debian(), nil},
		{"micromamba for arm64", withServer + "deps: {python: {provider: micromamba, digests: {amd64: " + sum + ", arm64: " + sum + "}}}\n", debian(),
			func(in *ohllb.Input) { in.Platform = arm64 }},
		{"source", withSource, debian(), source},
		{"agent-server", withAgent, debian(), nil},
		{"agent-server of a source", "base_image: debian:trixie-slim\nserver: {name: agent-server, source: .}\ndeps: {acp: {agents: [codex, claude-code]}}\n", debian(), source},
		{"agent-server prebuilt", "base_image: debian\ndeps_image: deps\nuser: 1\n", nil, prebuiltAgent},
		{"no merge", withSource, debian(), func(in *ohllb.Input) {
			source(in)
			noMerge(in)
		}},
		{"prebuilt", "base_image: debian\ndeps_image: deps\nuser: 1\n", nil, prebuiltServer},
		{"create at start", "base_image: debian\nuser: {create: start}\ndeps: {node: \"24.21.0\"}\n", nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var config string
			llbtest.Deterministic(t, func() *llb.Definition {
				in := input(t, tt.yaml, tt.facts, tt.edit)
				out := compose(t, in)
				if got := indent(t, out.Image); config != "" && got != config {
					t.Fatalf("the image config differs between two runs\n%s\n%s", config, got)
				} else {
					config = got
				}
				return marshal(t, out.State, in.Platform)
			})
		})
	}
}

const sum = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func TestServerErrors(t *testing.T) {
	const aes = "action-execution-server"
	noCode := strings.TrimSuffix(allParts, ",code")
	for _, tt := range []struct {
		name, yaml    string
		parts, server string
		edit          func(*ohllb.Input)
		want          string
	}{
		{"no server", "server: " + aes, "lib,tools,init", "", nil,
			`openhands.yaml:3:9: deps image "deps" is not built for server "action-execution-server": build one with it (--target deps)`},
		{"another server", "server: " + aes, allParts, "agent-server@1", nil,
			`openhands.yaml:3:9: deps image "deps" is not built for server "action-execution-server", but for "agent-server": build one`},
		{"another version", "server: {name: " + aes + ", version: \"0.61.0\"}", allParts, aes + "@0.62.0", nil,
			`openhands.yaml:3:50: deps image "deps" has version "0.62.0" of the server, not "0.61.0": remove the version, or build`},
		{"code beside a source", "server: {name: " + aes + ", source: .}", allParts, aes + "@0.62.0", source,
			`openhands.yaml:3:49: the deps image holds a release's code, which code of a source cannot replace`},
		{"neither code nor source", "server: " + aes, noCode, aes, nil,
			`openhands.yaml:3:9: deps image "deps" has no code, as it was built with a server.source: give one here as well`},
		{"neither code nor source nor name", "user: root", noCode, aes, nil,
			`openhands.yaml:2:13: deps image "deps" has no code, as it was built with a server.source: give server "action-execution-server" with one`},
		{"unknown server", "user: root", allParts, "next-server@1", nil,
			`openhands.yaml:2:13: deps image "deps" is for server "next-server", which this frontend does not know: use a newer frontend`},
		{"account at start", "user: {create: start}", allParts, aes + "@0.62.0", nil,
			`openhands.yaml:3:16: user.create "start" does not go together with server "action-execution-server" of deps image "deps"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := input(t, "base_image: debian\ndeps_image: deps\n"+tt.yaml+"\n", debian(), tt.edit, func(in *ohllb.Input) {
				in.Deps = prebuilt("deps", tt.parts, tt.server)
			})
			_, err := ohllb.Compose(in)
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
			if _, err := ohllb.ComposeCheck(in); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("check: got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestServerOfADepsImage(t *testing.T) {
	const aes = "action-execution-server"
	noCode := strings.TrimSuffix(allParts, ",code")
	for _, tt := range []struct {
		name, yaml    string
		parts, server string
		edit          func(*ohllb.Input)
		want          string // label of the image
	}{
		{"open", "", allParts, aes + "@0.61.0", nil, aes + "@0.61.0"},
		{"by name", "server: " + aes, allParts, aes + "@0.61.0", nil, aes + "@0.61.0"},
		{"by version", "server: {name: " + aes + ", version: \"0.61.0\"}", allParts, aes + "@0.61.0", nil, aes + "@0.61.0"},
		{"source", "server: {name: " + aes + ", source: .}", noCode, aes, source, aes},
		{"source on packages of a release", "server: {name: " + aes + ", source: .}", noCode, aes + "@0.61.0", source, aes},
		{"left out", "server: none", allParts, aes + "@0.61.0", nil, ""},
		{"left out, account at start", "server: none\nuser: {create: start}", allParts, aes + "@0.61.0", nil, ""},
		{"there is none", "", "lib,tools,init", "", nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := input(t, "base_image: debian\ndeps_image: deps\n"+tt.yaml+"\n", debian(), tt.edit, func(in *ohllb.Input) {
				in.Deps = prebuilt("deps", tt.parts, tt.server)
			})
			config := compose(t, in).Image.Config
			if got := config.Labels[ohllb.LabelServer]; got != tt.want {
				t.Errorf("the image's label is %q, want %q", got, tt.want)
			}
			if got := slices.Contains(config.Cmd, "openhands.runtime.action_execution_server"); got != (tt.want != "") {
				t.Errorf("the image runs %q", config.Cmd)
			}
		})
	}
}

// Labels of a deps image are what the next build goes by.
func TestDepsLabels(t *testing.T) {
	const serverTools = "bash,tmux,git,jq,ripgrep,coreutils,findutils,grep,sed,procps"
	const withVersions = "lib,tools,init,python,poetry@2.5.1,node@24.21.0,uv@0.13.9,browser,vscode@1.109.5,python-deps"
	for _, tt := range []struct {
		yaml string
		edit func(*ohllb.Input)
		want map[string]string
	}{
		{"base_image: debian\n", nil, map[string]string{
			ohllb.LabelDepsVersion: ohllb.DepsVersion, ohllb.LabelDepsTools: "bash,tmux,git,jq,ripgrep", ohllb.LabelDepsComponents: "lib,tools,init",
			ohllb.LabelComponents: "lib,tools,init"}},
		{withServer, nil, map[string]string{
			ohllb.LabelDepsVersion: ohllb.DepsVersion, ohllb.LabelDepsTools: serverTools, ohllb.LabelDepsComponents: allParts,
			ohllb.LabelComponents: withVersions + ",code@0.62.0", ohllb.LabelDepsServer: "action-execution-server@0.62.0"}},
		{withSource, source, map[string]string{
			ohllb.LabelDepsVersion: ohllb.DepsVersion, ohllb.LabelDepsTools: serverTools,
			ohllb.LabelDepsComponents: strings.TrimSuffix(allParts, ",code"), ohllb.LabelComponents: withVersions, ohllb.LabelDepsServer: "action-execution-server"}},
	} {
		in := input(t, tt.yaml, nil, tt.edit)
		img := ohllb.ComposeDeps(in).Image
		if got := img.Config.Labels; !maps.Equal(got, tt.want) {
			t.Errorf("%s\nlabels\n%v\nwant\n%v", tt.yaml, got, tt.want)
		}
		back := ohllb.PrebuiltDeps(ohllb.Image{Ref: "deps", State: llb.Scratch(), Config: img})
		want := spec.Server{Name: in.Deps.Server.Name, Version: in.Deps.Server.Version}
		if !in.Deps.Server.Wanted() {
			want = spec.Server{}
		}
		if !slices.Equal(back.Parts, in.Deps.Parts) || !slices.Equal(back.Tools, in.Deps.Tools) || back.Server != want {
			t.Errorf("%s\nread back as %q, %q, %+v", tt.yaml, back.Parts, back.Tools, back.Server)
		}
	}
}

func TestDigestsOfReleases(t *testing.T) {
	for _, tt := range []struct{ deps, want string }{
		{`{node: "22.1.0"}`, `openhands.yaml:2:14: the digest of node-v22.1.0-linux-x64.tar.gz is not known to this frontend; add deps.node.digests: {amd64: "sha256:..."}`},
		{`{vscode: {version: "1.98.2", digests: {arm64: "` + sum + `"}}}`, `openhands.yaml:2:16: the digest of openvscode-server-v1.98.2-linux-x64.tar.gz is not known`},
		{`{python: {provider: uv, version: 3.13.9+20251120}}`, `openhands.yaml:2:16: the digest of cpython-3.13.9+20251120-x86_64-unknown-linux-gnu-install_only_stripped.tar.gz is not known`},
		{`{node: {version: "22.1.0", digests: {amd64: "` + sum + `"}}}`, ""},
		{`{node: "24.21.0", vscode: "1.109.5", python: uv}`, ""},
	} {
		in, err := tryInput(t, "base_image: debian\ndeps: "+tt.deps+"\nuser: root\n", nil)
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: %v", tt.deps, err)
		case tt.want == "" && strings.Contains(tt.deps, sum):
			if text := llbtest.Render(t, marshal(t, compose(t, in).State, amd64)); !strings.Contains(text, "http.checksum="+sum) {
				t.Errorf("%s: no such checksum in the graph\n%s", tt.deps, text)
			}
		case tt.want != "" && (err == nil || !strings.HasPrefix(err.Error(), tt.want)):
			t.Errorf("%s: got %v, want %s", tt.deps, err, tt.want)
		}
	}
}

// TestServerConfigGolden shows what of the config depends on which key.
func TestServerConfigGolden(t *testing.T) {
	var out strings.Builder
	for _, tt := range []struct{ name, yaml, parts string }{
		{"user openhands", "", allParts},
		{"user root", "user: root\n", allParts},
		{"numeric user", "user: \"1234:5\"\n", allParts},
		{"no browser, no VS Code", "", "lib,tools,init,python,poetry,python-deps,code"},
		{"command", "command: [bash, -l]\n", allParts},
		{"entrypoint", "entrypoint: [/bin/init, -x]\n", allParts},
		{"no entrypoint", "entrypoint: []\n", allParts},
		{"entrypoint and command", "entrypoint: [/bin/init]\ncommand: [bash]\n", allParts},
		{"environment, labels, working directory", "environment: {SU_TO_USER: \"true\", EDITOR: vi, VSCODE_PORT: 9000, HOME: /h}\nlabels: {dev.openhands.server: mine, a: b}\nworking_dir: /home\n", allParts},
		{"no server", "server: none\n", allParts},
	} {
		in := input(t, "base_image: debian\ndeps_image: deps\n"+tt.yaml, debian(), func(in *ohllb.Input) {
			in.Deps = prebuilt("deps", tt.parts, "action-execution-server@0.62.0")
		})
		config := compose(t, in).Image.Config
		out.WriteString("== " + tt.name + "\n")
		for _, line := range []struct {
			name   string
			values []string
		}{
			{"user", []string{config.User}},
			{"dir", []string{config.WorkingDir}},
			{"entrypoint", config.Entrypoint},
			{"cmd", config.Cmd},
			{"ports", slices.Sorted(maps.Keys(config.ExposedPorts))},
		} {
			out.WriteString(cmp.Or(strings.TrimSpace(line.name+" "+strings.Join(line.values, " ")), line.name) + "\n")
		}
		for _, kv := range config.Env {
			out.WriteString("env " + kv + "\n")
		}
		for _, k := range slices.Sorted(maps.Keys(config.Labels)) {
			if !strings.HasPrefix(k, "dev.openhands.deps.") {
				out.WriteString("label " + k + "=" + config.Labels[k] + "\n")
			}
		}
		out.WriteString("\n")
	}
	llbtest.Golden(t, "server-config", out.String())
}

// What oh-init does not start has no account.
func TestNothingStartsBeforeTheAccount(t *testing.T) {
	for _, tt := range []struct {
		yaml           string
		baseEntrypoint []string
		want           string
	}{
		{"", nil, "bash"},
		{"", []string{"/base"}, ""},
		{"command: [a]\n", nil, "a"},
		{"command: [a]\n", []string{"/base"}, "a"},
		{"command: []\n", nil, ""},
		{"entrypoint: [e]\n", nil, "e"},
		{"entrypoint: [e]\ncommand: [a]\n", nil, "e a"},
	} {
		in := input(t, "base_image: debian\ndeps_image: deps\nuser: {name: dev, gid: 5, home: /h, shell: /bin/sh, create: start}\n"+tt.yaml, nil)
		in.Base.Config.Config.Entrypoint = tt.baseEntrypoint
		if ohllb.NeedsFacts(&in.Document.Spec) {
			t.Error("facts are asked for")
		}
		config := compose(t, in).Image.Config
		got := strings.Join(slices.Concat(config.Entrypoint, config.Cmd), " ")
		want := strings.TrimSpace("/openhands/bin/oh-init --create dev --uid 1000 --gid 5 --home /h --shell /bin/sh -- " + tt.want)
		if got != want || config.User != "0" {
			t.Errorf("%sruns %q as %s, want %q as 0", tt.yaml, got, config.User, want)
		}
	}
}

func TestComposeCheck(t *testing.T) {
	in := input(t, "base_image: debian\ndeps_image: deps\nworking_dir: /etc\n", debian(), prebuiltServer)
	out, err := ohllb.ComposeCheck(in)
	if err != nil {
		t.Fatal(err)
	}
	text := llbtest.Render(t, marshal(t, out.State, amd64))
	_, check, _ := strings.Cut(text, "[check] ")
	for _, want := range []string{
		`exec ["/openhands/bin/oh-check" "--expect" "bash,chromium,loader,node,npm,npx,python,tmux,tools,uv,uvx,vscode,server"]`,
		"in /etc as openhands on linux/amd64",
		"env SU_TO_USER=false",
		"env PATH=/openhands/bin:",
	} {
		if !strings.Contains(check, want) {
			t.Errorf("the check does not hold %s:\n%s", want, text)
		}
	}
	if len(out.Image.RootFS.DiffIDs)+len(out.Image.History) > 0 {
		t.Errorf("the result has layers: %s", indent(t, out.Image))
	}
}

// vertices are the titles of a graph's vertices by digest.
func vertices(t *testing.T, def *llb.Definition) map[digest.Digest]string {
	t.Helper()
	titles := map[digest.Digest]string{}
	for _, dt := range def.Def {
		var op pb.Op
		if err := op.Unmarshal(dt); err != nil {
			t.Fatal(err)
		}
		if op.Op == nil { // the result, which names its only input
			continue
		}
		dgst := digest.FromBytes(dt)
		titles[dgst] = cmp.Or(def.Metadata[dgst].Description["llb.customname"], "unnamed")
	}
	return titles
}

// TestStepsAreNamed: of each step, people see which component it is for. Images and
// checkouts have their names from the frontend.
func TestStepsAreNamed(t *testing.T) {
	name := regexp.MustCompile(`^\[(linux/amd64 )?[a-z-]+\] \S`)
	for _, yaml := range []string{
		withServer, withSource, withAgent,
		"base_image: debian\ndeps: {python: {provider: uv, requirements: [a, b]}, acp: codex}\nextra_deps: {run: [id]}\n",
	} {
		for _, edit := range []func(*ohllb.Input){nil, noMerge, func(in *ohllb.Input) { in.Prefixed = true }} {
			from := edit
			if yaml == withSource {
				from = source
			}
			def := marshal(t, compose(t, input(t, yaml, debian(), from, edit)).State, amd64)
			for _, dt := range def.Def {
				var op pb.Op
				if err := op.Unmarshal(dt); err != nil {
					t.Fatal(err)
				}
				title := def.Metadata[digest.FromBytes(dt)].Description["llb.customname"]
				image := regexp.MustCompile(`^(docker-image|local)://`).MatchString(op.GetSource().GetIdentifier())
				if op.Op != nil && !image && !name.MatchString(title) {
					t.Errorf("%s: a step is called %q", yaml, title)
				}
			}
		}
	}
}

// TestChangesStayLocal changes one key and looks at which vertices differ: the
// others come from the cache.
func TestChangesStayLocal(t *testing.T) {
	for _, tt := range []struct {
		name, yaml, changed string
		want                []string // steps whose vertices differ
	}{
		{"vscode", withServer + "deps: {vscode: {version: \"1\", digests: {amd64: \"" + sum + "\"}}}\n",
			withServer + "deps: {vscode: {version: \"2\", digests: {amd64: \"" + sum + "\"}}}\n",
			[]string{"compose", "vscode"}},
		{"node", withServer, withServer + "deps: {node: {version: \"22\", digests: {amd64: \"" + sum + "\"}}}\n", []string{"compose", "node"}},
		// Playwright's driver then keeps the node of its wheel.
		{"no node", withServer, withServer + "deps: {node: none}\n", []string{"compose", "node", "python-deps"}},
		{"browser", withServer, withServer + "deps: {browser: builder}\n", []string{"browser", "compose"}},
		{"tools", withServer, withServer + "deps: {tools: [bash, tmux, git]}\n", []string{"compose", "tools"}},
		{"requirements", withServer, withServer + "deps: {python: {requirements: [numpy]}}\n", []string{"compose", "python-deps"}},
		// A lock file may name another Playwright, a release other extensions.
		{"server", withServer, "base_image: debian:trixie-slim\nserver: {name: action-execution-server, version: \"0.61.0\"}\n",
			[]string{"browser", "code", "compose", "python-deps", "server", "vscode"}},
		{"user", withServer, withServer + "user: {uid: 1001}\n", []string{"compose", "identity"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			graph := func(yaml string) map[digest.Digest]string {
				return vertices(t, marshal(t, compose(t, input(t, yaml, debian())).State, amd64))
			}
			before, after := graph(tt.yaml), graph(tt.changed)
			steps := map[string]bool{}
			for _, pair := range [][2]map[digest.Digest]string{{before, after}, {after, before}} {
				for dgst, title := range pair[0] {
					if _, same := pair[1][dgst]; !same {
						step, text, _ := strings.Cut(strings.TrimPrefix(title, "["), "] ")
						if step == "internal" { // of a stage
							step = strings.TrimPrefix(text, "script of ")
						}
						steps[step] = true
					}
				}
			}
			if got := slices.Sorted(maps.Keys(steps)); !slices.Equal(got, tt.want) {
				t.Errorf("changes %q, want %q", got, tt.want)
			}
		})
	}
}

// TestSourceReachesOnlyTheCodeLayer looks at who reads the checkout. BuildKit
// tells changed content by what a vertex copies or mounts: all but the code
// layer read what a change of the code leaves as it is.
func TestSourceReachesOnlyTheCodeLayer(t *testing.T) {
	def := marshal(t, compose(t, input(t, withSource, debian(), source)).State, amd64)
	var checkout string
	readers := map[string][]string{}
	for _, dt := range def.Def {
		var op pb.Op
		if err := op.Unmarshal(dt); err != nil {
			t.Fatal(err)
		}
		dgst := digest.FromBytes(dt)
		if strings.HasPrefix(op.GetSource().GetIdentifier(), "local://") {
			checkout = dgst.String()
		}
		title := def.Metadata[dgst].Description["llb.customname"]
		for i, in := range op.Inputs {
			if checkout == "" || in.Digest != checkout {
				continue
			}
			readers[title] = reads(&op, i)
		}
	}
	want := map[string][]string{
		"[server] copy pyproject.toml and poetry.lock": {"/pyproject.toml", "/poetry.lock"},
		"[vscode] install openvscode-server 1.109.5":   {"/openhands/runtime/utils/vscode-extensions"},
		"[code] copy the server's code":                {"/openhands", "/microagent[s]", "/third_part[y]", "/pyproject.toml", "/poetry.lock"},
	}
	if !maps.EqualFunc(readers, want, slices.Equal) {
		t.Errorf("the checkout is read by\n%q\nwant\n%q", readers, want)
	}
}

// reads lists what an operation takes of an input.
func reads(op *pb.Op, input int) []string {
	var paths []string
	for _, a := range op.GetFile().GetActions() {
		if c := a.GetCopy(); c != nil && int(a.SecondaryInput) == input {
			paths = append(paths, c.Src)
		}
	}
	for _, m := range op.GetExec().GetMounts() {
		if int(m.Input) == input {
			paths = append(paths, m.Selector)
		}
	}
	return paths
}

// The graph is in the provenance and in the log: it holds no password, and no
// address but those of the releases, or their mirrors.
func TestAddressesInTheGraph(t *testing.T) {
	for _, tt := range []struct {
		name, yaml string
		hosts      []string
	}{
		{"own", withServer + "deps: {python: {provider: uv, requirements: [numpy]}}\n", []string{"github.com", "nodejs.org"}},
		{"conda", withServer + "deps: {python: {provider: micromamba, digests: {amd64: \"" + sum + "\"}}, node: none, vscode: none}\n", []string{"github.com"}},
		{"mirrors", withServer + "deps: {python: {provider: micromamba, digests: {amd64: \"" + sum + "\"}}}\n" +
			"mirrors: {pypi: \"https://pypi.mirror/simple\", conda: \"https://conda.mirror/c/\", github: \"https://github.mirror/\", playwright: \"http://playwright.mirror\", node: \"https://node.mirror/dist/\"}\n",
			[]string{"conda.mirror", "github.mirror", "node.mirror", "playwright.mirror", "pypi.mirror"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			def := marshal(t, compose(t, input(t, tt.yaml, debian())).State, amd64)
			hosts := map[string]bool{}
			for _, dt := range def.Def {
				var op pb.Op
				if err := op.Unmarshal(dt); err != nil {
					t.Fatal(err)
				}
				texts := slices.Clone(op.GetExec().GetMeta().GetEnv())
				texts = append(texts, op.GetExec().GetMeta().GetArgs()...)
				texts = append(texts, op.GetSource().GetIdentifier())
				for _, text := range texts {
					for _, found := range strings.Split(text, "=") {
						u, err := url.Parse(found)
						if err == nil && (u.Scheme == "http" || u.Scheme == "https") {
							hosts[u.Host] = true
							if strings.Contains(u.Path, "//") {
								t.Errorf("unclean address %q", found)
							}
						}
					}
				}
				if exec := op.GetExec(); exec != nil && len(exec.Secretenv) > 0 {
					t.Errorf("secrets as variables: %v", exec.Secretenv)
				}
				for _, m := range op.GetExec().GetMounts() {
					if m.SecretOpt != nil && !m.SecretOpt.Optional {
						t.Errorf("the secret %q must be given", m.SecretOpt.ID)
					}
				}
				if op.GetFile() != nil {
					continue
				}
				// No other host, wherever in a vertex: clients know their registries.
				for _, host := range hostName.FindAllString(string(dt), -1) {
					if host != "docker.io" && !slices.Contains(tt.hosts, host) {
						t.Errorf("%s is in the graph: %s", host, op.String())
					}
				}
				if strings.Contains(string(dt), "password") {
					t.Errorf("a password is in the graph: %s", op.String())
				}
			}
			if got := slices.Sorted(maps.Keys(hosts)); !slices.Equal(got, tt.hosts) {
				t.Errorf("addresses of %q, want %q", got, tt.hosts)
			}
		})
	}
}
