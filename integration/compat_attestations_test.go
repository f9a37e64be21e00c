package integration

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/openhands/llb-frontend/integration/engine"
)

// TestCompatAttestations: what an image says of its making.
func TestCompatAttestations(t *testing.T) {
	t.Run("--provenance", provenance)
	t.Run("--sbom", sbom)
}

// sbom: a scanner reads the composed image: what the base has, and of what /openhands
// is made, on a base that has no package of Debian.
func sbom(t *testing.T) {
	if err := eng.Images(t.Context(), engine.Scanner); err != nil {
		t.Fatal(err)
	}
	const document = `"predicateType":"https://spdx.dev/Document"`
	debian := "base_image: " + eng.BaseImage("debian:trixie-slim") + "\ndeps_image: " + prebuilt(t) + "\nuser: root\n"
	contains(t, statements(t, build(t, debian, "--attest=type=sbom,generator="+engine.Scanner).Ref), document, "pkg:deb/debian/dpkg@")

	server := "base_image: " + eng.BaseImage("alpine:3.22") + "\ndeps_image: " + prebuiltServer(t) + "\nuser: root\n"
	text := statements(t, build(t, server, "--sbom=true").Ref)
	contains(t, text, document,
		"pkg:deb/debian/tmux@", "pkg:deb/debian/git@", "pkg:deb/debian/libc6@", "pkg:deb/debian/ca-certificates@", // tools, lib
		"pkg:deb/debian/libpython3.13-stdlib@", "pkg:deb/debian/fonts-dejavu-core@", "pkg:deb/debian/libnss3@", // python, browser
		"pkg:pypi/fastapi@", "pkg:pypi/uv@", "pkg:pypi/poetry@", "pkg:npm/npm@", "pkg:npm/playwright-core@", "pkg:generic/chromium@")
	if name := "pkg:deb/debian/chromium"; strings.Contains(text, name) { // its libraries come along, not the browser
		t.Errorf("%s is listed, and is not there", name)
	}
}

// provenance: on without a word; with mode=max it holds the spec and the steps.
func provenance(t *testing.T) {
	yaml := plain(t, "labels: {note: some text of the spec}\n")
	for _, tt := range []struct {
		args       []string
		want, lack []string
	}{
		{nil, []string{"https://slsa.dev/provenance/", "alpine", "library"}, []string{"some text of the spec", "[compose] put"}},
		{[]string{"--provenance=mode=max"}, []string{"alpine", "openhands.yaml", `"merge":{`, base64.StdEncoding.EncodeToString([]byte(syntaxLine + yaml))}, nil},
	} {
		res := build(t, yaml, tt.args...)
		text := statements(t, res.Ref)
		contains(t, text, tt.want...)
		for _, lack := range tt.lack {
			if strings.Contains(text, lack) {
				t.Errorf("%q: %q is in\n%s", tt.args, lack, text)
			}
		}
	}
}

// statements are the in-toto statements beside an image.
func statements(t *testing.T, image string) string {
	t.Helper()
	ref, err := name.ParseReference(image, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	index, err := remote.Index(ref)
	if err != nil {
		t.Fatal(err)
	}
	m, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, desc := range m.Manifests {
		if desc.Annotations["vnd.docker.reference.type"] != "attestation-manifest" {
			continue
		}
		img, err := index.Image(desc.Digest)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range layerTexts(t, img) {
			all.WriteString(text + "\n")
		}
	}
	return all.String()
}

func layerTexts(t *testing.T, img v1.Image) (texts []string) {
	t.Helper()
	layers, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range layers {
		rc, err := l.Compressed()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(rc)
		if err != nil {
			t.Fatal(err)
		}
		if err := rc.Close(); err != nil {
			t.Fatal(err)
		}
		if !json.Valid(b) {
			t.Errorf("an attestation is no JSON: %.200s", b)
		}
		texts = append(texts, string(b))
	}
	return texts
}
