package integration

import (
	"os"
	"path/filepath"
	"testing"

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
	for _, step := range []string{"[python-deps] install six", "[poetry] install poetry", "[tools] install bash"} {
		if cached(t, res.Log, step) {
			t.Fatalf("%s comes from the cache, and proves nothing\n%s", step, res.Log)
		}
	}
	inOrder(t, story(res.Log), "[poetry] install poetry 2.5.1", "[python-deps] install six", "[compose] put /openhands on alpine:3.22")
	inOrder(t, story(res.Log), "[tools] install bash", "[compose] put /openhands on alpine:3.22")
	found := search{needles: map[string][]byte{"the password": []byte(secret), "the bundle of certificates": []byte(ca)}, seen: map[string]bool{}}
	found.image(t, res.Ref)
	if found.attested == 0 {
		t.Error("there is no provenance that knows the steps of the build")
	}
}
