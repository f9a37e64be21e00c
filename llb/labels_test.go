package llb_test

import (
	"maps"
	"testing"

	"github.com/moby/buildkit/client/llb"

	ohllb "github.com/openhands/llb-frontend/llb"
)

const digest1 = "sha256:1111111111111111111111111111111111111111111111111111111111111111"

func TestPinned(t *testing.T) {
	captured := ohllb.Image{State: llb.Image("debian"), Digest: digest1}
	if name, dgst := captured.Pinned(); name != "docker.io/library/debian:latest" || dgst != digest1 {
		t.Errorf("a build context: %q, %q", name, dgst)
	}
	for _, tt := range []struct {
		what         string
		state        llb.State
		name, digest string
	}{
		{"a registry's", llb.Image("registry.example.com/team/base:1@" + digest1), "registry.example.com/team/base:1", digest1},
		{"by a short name", llb.Image("debian:trixie-slim@" + digest1), "docker.io/library/debian:trixie-slim", digest1},
		{"by its tag alone", llb.Image("debian:trixie-slim"), "docker.io/library/debian:trixie-slim", ""},
		{"of an OCI layout", llb.OCILayout("layout/base@" + digest1), "", digest1},
		{"empty", llb.Scratch(), "", ""},
		{"a directory", llb.Local("context"), "", ""},
		{"built", llb.Image("debian@" + digest1).File(llb.Mkdir("/x", 0o755)), "", ""},
		{"two", llb.Merge([]llb.State{llb.Image("debian@" + digest1), llb.Image("alpine@" + digest1)}), "", ""},
	} {
		if name, dgst := (ohllb.Image{State: tt.state}).Pinned(); name != tt.name || dgst != tt.digest {
			t.Errorf("%s: %q, %q, want %q, %q", tt.what, name, dgst, tt.name, tt.digest)
		}
	}
}

// What a base says of its own making is not said of what is made of it.
func TestLabelsOfTheBase(t *testing.T) {
	in := input(t, "base_image: debian:trixie-slim\nuser: root\ndeps_image: deps\nlabels: {dev.openhands.layers: mine}\n", nil)
	in.Base.Config.Config.Labels = map[string]string{
		"keep": "k", "dev.openhands.server": "old", "dev.openhands.deps.version": "2", "dev.openhands.tag.lock": "old",
		ohllb.LabelBaseName: "old", ohllb.LabelBaseDigest: "old",
	}
	in.Base.State = llb.Local("context")
	in.Config.Labels = map[string]string{"dev.openhands.tag.build": "build-1"}
	want := map[string]string{
		"keep": "k", "dev.openhands.tag.build": "build-1", ohllb.LabelLayers: "mine", ohllb.LabelBaseLayers: "1",
		ohllb.LabelComponents: "lib,tools,init", ohllb.LabelDepsName: "docker.io/library/deps", ohllb.LabelDepsDigest: digest1,
	}
	if got := compose(t, in).Image.Config.Labels; !maps.Equal(got, want) {
		t.Errorf("%v\nwant %v", got, want)
	}
	in.Base.Config.RootFS.DiffIDs, in.Base.Config.History = nil, nil
	if n, ok := compose(t, in).Image.Config.Labels[ohllb.LabelBaseLayers]; ok {
		t.Errorf("a directory has %s layers", n)
	}
	in.Base.State = llb.Scratch()
	if n := compose(t, in).Image.Config.Labels[ohllb.LabelBaseLayers]; n != "0" {
		t.Errorf("scratch has %q layers", n)
	}
}

func TestComponentsLabel(t *testing.T) {
	const want = "lib,tools,init,python@3.13.17+20261021,poetry@2.5.1,node@24.21.0,uv@0.13.9,browser@1.55.0,vscode@1.109.5,python-deps,code@0.62.0"
	in := input(t, withServer+"deps: {python: uv, browser: {provider: playwright, version: \"1.55.0\"}}\nuser: root\n", nil)
	if got := compose(t, in).Image.Config.Labels[ohllb.LabelComponents]; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	// Through a deps image it is the same.
	deps := image("deps", amd64, ohllb.ComposeDeps(in).Image.Config.Labels)
	in = input(t, "base_image: debian:trixie-slim\nuser: root\n", nil, func(in *ohllb.Input) { in.Deps = ohllb.PrebuiltDeps(deps) })
	if got := compose(t, in).Image.Config.Labels[ohllb.LabelComponents]; got != want {
		t.Errorf("of a deps image: %s, want %s", got, want)
	}
}
