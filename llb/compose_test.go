package llb_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/moby/buildkit/client/llb"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/openhands/llb-frontend/frontend/spec"
	ohllb "github.com/openhands/llb-frontend/llb"
	"github.com/openhands/llb-frontend/llb/identity"
	"github.com/openhands/llb-frontend/llb/imageconfig"
	"github.com/openhands/llb-frontend/llb/llbtest"
)

var (
	amd64 = ocispecs.Platform{OS: "linux", Architecture: "amd64"}
	arm64 = ocispecs.Platform{OS: "linux", Architecture: "arm64"}
)

const pinned = "@sha256:1111111111111111111111111111111111111111111111111111111111111111"

// image is a resolved image with one layer.
func image(ref string, p ocispecs.Platform, labels map[string]string) ohllb.Image {
	config := imageconfig.Empty(p)
	config.RootFS.DiffIDs = []digest.Digest{digest.FromString(ref)}
	config.History = []ocispecs.History{{CreatedBy: "base"}}
	config.Config.Labels = labels
	return ohllb.Image{Ref: ref, Config: config, State: llb.Image(ref+pinned, llb.Platform(p))}
}

// debian are the facts of a merged-usr base with a package manager and sudo.
func debian() *ohllb.Facts {
	dir := ohllb.Entry{Mode: fs.ModeDir | 0o755}
	file := ohllb.Entry{Mode: 0o755}
	link := func(to string) ohllb.Entry { return ohllb.Entry{Mode: fs.ModeSymlink | 0o777, Linkname: to} }
	return &ohllb.Facts{
		Distribution: "debian-13",
		Entries: map[string]ohllb.Entry{
			"/etc": dir, "/home": dir, "/usr": dir, "/usr/bin": dir, "/usr/lib64": dir, "/usr/sbin": dir,
			"/bin": link("usr/bin"), "/lib64": link("usr/lib64"),
			"/usr/bin/sh": file, "/usr/bin/bash": file, "/usr/bin/env": file, "/usr/bin/apt-get": file, "/usr/bin/sudo": file,
			"/usr/lib64/ld-linux-x86-64.so.2": file,
			"/tmp":                            {Mode: fs.ModeDir | fs.ModeSticky | 0o777},
			"/etc/passwd":                     {Mode: 0o644}, "/etc/group": {Mode: 0o644}, "/etc/shadow": {Mode: 0o640, GID: 42},
			"/etc/sudoers.d": {Mode: fs.ModeDir | 0o750},
		},
		Accounts: identity.Files{
			Passwd: []byte("root:x:0:0:root:/root:/bin/bash\n"),
			Group:  []byte("root:x:0:\n"),
			Shadow: []byte("root:*:19000:0:99999:7:::\n"),
		},
	}
}

// input is what the frontend would hand over for a spec, with everything
// resolved. Edits come before the deps are built.
func input(t *testing.T, yaml string, facts *ohllb.Facts, edits ...func(*ohllb.Input)) ohllb.Input {
	t.Helper()
	in, err := tryInput(t, yaml, facts, edits...)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func tryInput(t *testing.T, yaml string, facts *ohllb.Facts, edits ...func(*ohllb.Input)) (ohllb.Input, error) {
	t.Helper()
	doc, err := spec.Load("openhands.yaml", []byte(yaml), nil)
	if err != nil {
		t.Fatal(err)
	}
	in := ohllb.Input{
		Document:  doc,
		SourceMap: llb.NewSourceMap(nil, doc.Filename, "YAML", doc.Data),
		Platform:  amd64,
		Facts:     facts,
	}
	for _, edit := range edits {
		if edit != nil {
			edit(&in)
		}
	}
	in.Base = image(doc.Spec.BaseImage, in.Platform, nil)
	in.Base.Config.Config.Cmd = []string{"bash"}
	switch {
	case in.Deps.Components != nil:
	case doc.Spec.DepsImage != "":
		in.Deps = prebuilt(doc.Spec.DepsImage, "lib,tools,init", "")
	default:
		in.Deps, err = ohllb.BuildDeps(in, ohllb.Stages{
			Builder:           ohllb.Image{State: llb.Image("builder"+pinned, llb.Platform(amd64))},
			Helpers:           llb.Image("frontend"+pinned, llb.Platform(amd64)),
			BuildArchitecture: "amd64",
			Times:             llb.WithCreatedTime(time.Unix(0, 0)),
		})
	}
	return in, err
}

// allParts are the components of a deps image for the server.
const allParts = "lib,tools,init,python,poetry,node,uv,browser,vscode,python-deps,code"

func prebuilt(ref, parts, server string) ohllb.Deps {
	labels := map[string]string{ohllb.LabelDepsTools: "bash,tmux", ohllb.LabelDepsComponents: parts}
	if server != "" {
		labels[ohllb.LabelDepsServer] = server
	}
	return ohllb.PrebuiltDeps(image(ref, amd64, labels))
}

// prebuiltServer makes the deps image one for the server.
func prebuiltServer(in *ohllb.Input) {
	in.Deps = prebuilt("deps", allParts, "action-execution-server@0.62.0")
}

// agentParts are the components of a deps image for the agent-server.
const agentParts = "lib,tools,init,python,node,uv,browser,vscode,python-deps,code"

// prebuiltAgent makes the deps image one for the agent-server.
func prebuiltAgent(in *ohllb.Input) {
	in.Deps = prebuilt("deps", agentParts, "agent-server@1.58.2")
}

// source makes server.source a directory of the client.
func source(in *ohllb.Input) {
	st := llb.Local("context", llb.IncludePatterns(ohllb.SourcePatterns(in.Document.Spec.Server)))
	in.Source = &st
}

func noMerge(in *ohllb.Input) { in.NoMerge = true }

func compose(t *testing.T, in ohllb.Input) *ohllb.Output {
	t.Helper()
	if len(in.Document.Spec.ExtraDeps.Packages) > 0 {
		st, err := ohllb.InstallPackages(in, in.Facts)
		if err != nil {
			t.Fatal(err)
		}
		in.Packages = &st
	}
	out, err := ohllb.Compose(in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

const (
	aes        = "server: action-execution-server\n"
	withServer = "base_image: debian:trixie-slim\n" + aes
	withAgent  = "base_image: debian:trixie-slim\nserver: agent-server\n"
	withSource = "base_image: debian:trixie-slim\nserver: {name: action-execution-server, source: .}\n"
)

func TestTooDeep(t *testing.T) {
	for n, want := range map[int]bool{1: false, 123: false, 124: true, 127: true} {
		in := input(t, "base_image: debian\ndeps_image: deps\nuser: root\n", nil)
		in.Base.Config.RootFS.DiffIDs = make([]digest.Digest, n)
		out := compose(t, in)
		if got := len(out.Warnings) > 0 && strings.Contains(out.Warnings[0].Message, fmt.Sprintf("the image has %d layers, and Docker", n+2)); got != want {
			t.Errorf("%d layers and two of ours: warnings %v, want one: %t", n, out.Warnings, want)
		}
	}
}

func TestTemporaryFilesInMemory(t *testing.T) {
	facts := debian()
	facts.Entries["/tmp"] = ohllb.Entry{Mode: fs.ModeSymlink | 0o777, Linkname: "/dev/shm"}
	if _, err := ohllb.Compose(input(t, "base_image: debian\ndeps_image: deps\n", facts)); err != nil {
		t.Error(err)
	}
}

// A directory that our files lie in keeps its owner, wherever the base leads.
func TestWorkspaceThatIsNobodys(t *testing.T) {
	for target, refused := range map[string]bool{"/etc": true, "/": true, "etc/..": true, "/srv": false, "/home/openhands": false} {
		facts := debian()
		facts.Entries["/workspace"] = ohllb.Entry{Mode: fs.ModeSymlink | 0o777, Linkname: target}
		_, err := ohllb.Compose(input(t, "base_image: debian\ndeps_image: deps\n", facts))
		if refused != (err != nil && strings.Contains(err.Error(), "in the base image")) {
			t.Errorf("%s: got %v, want an error: %t", target, err, refused)
		}
	}
}

func TestComposeGolden(t *testing.T) {
	empty := &ohllb.Facts{Entries: map[string]ohllb.Entry{}}
	symlinks := debian()
	symlinks.Entries["/home"] = ohllb.Entry{Mode: fs.ModeSymlink | 0o777, Linkname: "/srv/home"}
	symlinks.Entries["/srv"] = ohllb.Entry{Mode: fs.ModeDir | 0o711, UID: 7}
	symlinks.Entries["/srv/home"] = ohllb.Entry{Mode: fs.ModeDir | fs.ModeSetgid | 0o775, GID: 50}
	symlinks.Entries["/etc/passwd"] = ohllb.Entry{Mode: fs.ModeSymlink | 0o777, Linkname: "../data/passwd"}
	symlinks.Entries["/data"] = ohllb.Entry{Mode: fs.ModeDir | 0o700}
	symlinks.Entries["/data/passwd"] = ohllb.Entry{Mode: 0o600, UID: 3, GID: 4}
	xattrs := debian()
	xattrs.Entries["/etc"] = ohllb.Entry{Mode: fs.ModeDir | 0o755, Xattrs: true}

	for _, tt := range []struct {
		name  string
		yaml  string
		facts *ohllb.Facts
		edit  func(*ohllb.Input)
	}{
		{name: "two-lines", yaml: "base_image: debian:trixie-slim", facts: debian()},
		{name: "nothing-read", yaml: "base_image: debian\ndeps_image: deps\nuser: root"},
		{name: "numeric-user", yaml: "base_image: debian\ndeps_image: deps\nuser: 1234"},
		{name: "empty-base", yaml: "base_image: distroless\ndeps_image: deps", facts: empty},
		{
			name: "engine-without-symlinks", yaml: "base_image: distroless\ndeps_image: deps", facts: empty,
			edit: func(in *ohllb.Input) {
				st := llb.Image("frontend"+pinned, llb.Platform(amd64))
				in.Links = &st
			},
		},
		{name: "symlinks", yaml: "base_image: symlinks\ndeps_image: deps", facts: symlinks},
		{name: "xattrs", yaml: "base_image: debian\ndeps_image: deps", facts: xattrs},
		{
			name: "extra-deps",
			yaml: "args: {WHAT: all}\nbase_image: debian\ndeps_image: deps\nextra_deps:\n  packages: [ffmpeg, sudo]\n  run:\n    - echo $HOME\n    - make ${WHAT}\n" +
				"user: {name: dev, uid: 1001, sudo: true}\nenvironment: {B: b, A: a}\n",
			facts: debian(),
		},
		{
			name: "no-merge", yaml: "base_image: debian\ndeps_image: deps", facts: debian(),
			edit: noMerge,
		},
		{
			name: "arm64-deps", yaml: "base_image: debian\nuser: root\n",
			edit: func(in *ohllb.Input) {
				in.Platform, in.Prefixed = arm64, true
				in.IgnoreCache = func(step string) bool { return step == "tools" }
			},
		},
		{name: "server", yaml: withServer, facts: debian()},
		{name: "server-python-uv", yaml: withServer + "deps: {python: uv, browser: none, vscode: none, node: none}\n", facts: debian()},
		{
			name: "server-arm64-deps", yaml: "base_image: debian\nuser: root\n" + aes, edit: func(in *ohllb.Input) { in.Platform = arm64 },
		},
		{name: "server-source", yaml: withSource, facts: debian(), edit: source},
		{name: "server-source-no-merge", yaml: withSource + "deps: {browser: none, vscode: none, node: none}\n", facts: debian(), edit: func(in *ohllb.Input) {
			source(in)
			noMerge(in)
		}},
		{name: "server-prebuilt", yaml: "base_image: debian\ndeps_image: deps\nuser: root\n", edit: prebuiltServer},
		{name: "server-prebuilt-source", yaml: withSource + "deps_image: deps\n", facts: debian(), edit: func(in *ohllb.Input) {
			source(in)
			in.Deps = prebuilt("deps", strings.TrimSuffix(allParts, ",code"), "action-execution-server")
		}},
		{name: "server-numeric-user", yaml: "base_image: debian\ndeps_image: deps\nuser: 1234\n", edit: prebuiltServer},
		{name: "agent-server", yaml: withAgent, facts: debian()},
		{name: "agent-server-source", yaml: "base_image: debian:trixie-slim\nserver: {name: agent-server, source: .}\n", facts: debian(), edit: source},
		{name: "agent-server-prebuilt", yaml: "base_image: debian\ndeps_image: deps\nuser: 1234\n", edit: prebuiltAgent},
		{name: "agent-server-no-merge", yaml: "base_image: distroless\ndeps_image: deps\n", facts: empty, edit: func(in *ohllb.Input) {
			prebuiltAgent(in)
			noMerge(in)
			st := llb.Image("frontend"+pinned, llb.Platform(amd64))
			in.Links = &st
		}},
		{name: "create-at-start", yaml: "base_image: debian\ndeps_image: deps\nuser: {uid: 1234, create: start}\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := input(t, tt.yaml, tt.facts, tt.edit)
			out := compose(t, in)
			llbtest.Golden(t, tt.name, llbtest.Render(t, marshal(t, out.State, in.Platform))+"\nimage "+indent(t, out.Image)+"\n")
		})
	}
}

func marshal(t *testing.T, st llb.State, p ocispecs.Platform) *llb.Definition {
	t.Helper()
	return llbtest.Marshal(t, st, llb.Platform(p))
}

func indent(t *testing.T, img dockerspec.DockerOCIImage) string {
	t.Helper()
	dt, err := json.MarshalIndent(img, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(dt)
}

func TestComposeIsDeterministic(t *testing.T) {
	var yaml strings.Builder
	yaml.WriteString("base_image: debian\nextra_deps: {packages: [ffmpeg], run: [make]}\nenvironment:\n")
	for i := range 12 {
		fmt.Fprintf(&yaml, "  KEY_%d: value\n", i)
	}
	yaml.WriteString("labels:\n")
	for i := range 12 {
		fmt.Fprintf(&yaml, "  label%d: value\n", i)
	}
	var configs []string
	llbtest.Deterministic(t, func() *llb.Definition {
		out := compose(t, input(t, yaml.String(), debian()))
		configs = append(configs, indent(t, out.Image))
		return marshal(t, out.State, amd64)
	})
	for _, c := range configs[1:] {
		if c != configs[0] {
			t.Fatalf("the image config differs between two runs\n%s\n%s", configs[0], c)
		}
	}
}

// What only the config says must not reach the graph: else a new label would
// build the image's layers again.
func TestConfigKeysDoNotReachTheGraph(t *testing.T) {
	const plain = "base_image: debian\ndeps_image: deps\n"
	want := marshal(t, compose(t, input(t, plain, debian())).State, amd64)
	for _, key := range []string{"environment: {A: b}", "labels: {a: b}", "entrypoint: [a]", "command: [a]"} {
		got := marshal(t, compose(t, input(t, plain+key, debian())).State, amd64)
		if a, b := llbtest.Render(t, want), llbtest.Render(t, got); a != b {
			t.Errorf("%s changes the graph\n--- without\n%s--- with\n%s", key, a, b)
		}
	}
}

// rewrite-timestamp leaves what BaseImage names: base and deps must be in it
// when their digests are known.
func TestBaseImageNamesTheDeps(t *testing.T) {
	out := compose(t, input(t, "base_image: debian\ndeps_image: deps\n", debian()))
	if got, want := len(out.BaseImage.RootFS.DiffIDs), 2; got != want {
		t.Errorf("BaseImage has %d diffIDs, want %d: %v", got, want, out.BaseImage.RootFS.DiffIDs)
	}
	out = compose(t, input(t, "base_image: debian\ndeps_image: deps\nextra_deps: {packages: [x1]}", debian()))
	if got, want := len(out.BaseImage.RootFS.DiffIDs), 1; got != want {
		t.Errorf("with packages below them the deps have no known place: BaseImage has %d diffIDs, want %d", got, want)
	}
}

func TestComposeErrors(t *testing.T) {
	file := debian()
	file.Entries["/home"] = ohllb.Entry{Mode: 0o644}
	taken := debian()
	taken.Accounts.Passwd = append(taken.Accounts.Passwd, "openhands:x:500:500::/home/openhands:/bin/sh\n"...)
	loop := debian()
	loop.Entries["/home"] = ohllb.Entry{Mode: fs.ModeSymlink, Linkname: "home"}

	for _, tt := range []struct {
		name, yaml string
		facts      *ohllb.Facts
		want       []string
	}{
		{"home is a file", "base_image: b\ndeps_image: d\n", file, []string{"openhands.yaml:1:", "/home", "not a directory"}},
		{"uid conflict", "base_image: b\ndeps_image: d\nuser:\n  name: openhands\n  uid: 1000\n", taken, []string{"openhands.yaml:5:", "500", "1000"}},
		{"symlink loop", "base_image: b\ndeps_image: d\n", loop, []string{"openhands.yaml:1:", "symlinks"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ohllb.Compose(input(t, tt.yaml, tt.facts))
			if err == nil {
				t.Fatal("no error")
			}
			for _, w := range tt.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%q does not say %q", err, w)
				}
			}
		})
	}
	t.Run("no package manager", func(t *testing.T) {
		in := input(t, "base_image: b\ndeps_image: d\nextra_deps:\n  packages: [x1]\n", &ohllb.Facts{})
		_, err := ohllb.InstallPackages(in, in.Facts)
		if err == nil || !strings.Contains(err.Error(), "openhands.yaml:4:") || !strings.Contains(err.Error(), "deps.tools") {
			t.Errorf("got %v", err)
		}
	})
}
