package integration

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/openhands/llb-frontend/integration/engine"
)

func TestPythonUV(t *testing.T) {
	image := imageName(t)
	buildAs(t, image, "base_image: alpine:3.22\ndeps: {tools: [bash], python: {provider: uv, requirements: [six, orjson]}}\n")
	const script = `import orjson, six, ssl, sqlite3, sys; print(orjson.dumps({"six": six.PY3}).decode(), sys.version_info[0], os.path.realpath(sys.executable))`
	for _, python := range []string{"python3", "/openhands/poetry/venv/bin/python"} {
		contains(t, run(t, engine.RunOptions{Image: image, Args: []string{python, "-c", "import os; " + script}}), `{"six":true} 3 /openhands/python/bin/`)
	}
}

// micromamba is no program that this machine can have: the spec is taken, and
// the build asks for the digest.
func TestPythonMicromamba(t *testing.T) {
	spec := writeSpec(t, "base_image: alpine:3.22\ndeps:\n  python: {provider: micromamba, version: \"3.12\", requirements: [six]}\n")
	out, err := eng.Buildx(t.Context(), "build", "--progress=plain", "-f", spec, filepath.Dir(spec)).CombinedOutput()
	if err == nil {
		t.Fatalf("the build succeeds:\n%s", out)
	}
	contains(t, string(out), "the digest of micromamba-linux-64 is not known to this frontend", "deps.python.digests: {amd64:", ">>>   python: {provider: micromamba")
}

// Secrets of a build are in nothing that is pushed.
func TestNoSecretInImage(t *testing.T) {
	const secret, ca = "hunter2-of-the-netrc", "hunter3-of-the-ca"
	netrc := filepath.Join(t.TempDir(), "netrc")
	if err := os.WriteFile(netrc, []byte("machine mirror.example login me password "+secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	// Text between the certificates of a bundle is a comment.
	bundle := filepath.Join(t.TempDir(), "ca.pem")
	have := os.Getenv("SSL_CERT_FILE")
	if have == "" {
		have = "/etc/ssl/certs/ca-certificates.crt"
	}
	certificates, err := os.ReadFile(have)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(bundle, append([]byte(ca+"\n"), certificates...), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SSL_CERT_FILE", bundle) // eng.Build makes it the secret "ca"
	// Not from the cache: these run now, with the secrets at hand.
	res := build(t, "base_image: alpine:3.22\ndeps: {tools: [bash], python: {provider: builder, requirements: [six]}}\n",
		"--platform=linux/amd64", "--secret", "id=netrc,src="+netrc, "--provenance=mode=max", "--no-cache-filter=python-deps,poetry,tools")
	for _, step := range []string{"[python-deps] install the Python packages", "[poetry] install poetry", "[tools] fetch and seal bash"} {
		if cached(t, res.Log, step) {
			t.Fatalf("%s comes from the cache, and proves nothing\n%s", step, res.Log)
		}
	}
	var attested bool
	for what, content := range contents(t, res.Ref) {
		for _, word := range []string{secret, ca} {
			if bytes.Contains(content, []byte(word)) {
				t.Errorf("%s holds %q", what, word)
			}
		}
		attested = attested || bytes.Contains(content, []byte("https://slsa.dev/provenance/")) && bytes.Contains(content, []byte("oh-seal"))
	}
	if !attested {
		t.Error("there is no provenance that knows the steps of the build")
	}
}

// contents are all blobs that an image's name leads to, layers uncompressed.
func contents(t *testing.T, image string) map[string][]byte {
	t.Helper()
	ref, err := name.ParseReference(image, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	index, err := remote.Index(ref)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{}
	add := func(what string, b []byte, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		all[what] = b
	}
	b, err := index.RawManifest()
	add("the index", b, err)
	m, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range m.Manifests {
		img, err := index.Image(d.Digest)
		if err != nil {
			t.Fatal(err)
		}
		b, err := img.RawManifest()
		add("manifest "+d.Digest.String(), b, err)
		b, err = img.RawConfigFile()
		add("config of "+d.Digest.String(), b, err)
		ls, err := img.Layers()
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range ls {
			what, b := content(t, l)
			add(what, b, nil)
		}
	}
	return all
}

func content(t *testing.T, l v1.Layer) (what string, b []byte) {
	t.Helper()
	digest, err := l.Digest()
	if err != nil {
		t.Fatal(err)
	}
	rc, err := l.Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	defer rc.Close()
	if b, err = io.ReadAll(rc); err != nil {
		t.Fatal(err)
	}
	return "layer " + digest.String(), b
}
