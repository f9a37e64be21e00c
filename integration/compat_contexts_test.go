package integration

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
)

// TestCompatContexts: --build-context for every image that a spec names, of
// every kind. Bake's target: is in TestCompatBake.
func TestCompatContexts(t *testing.T) {
	t.Run("base_image", baseContexts)
	t.Run("deps_image", depsContexts)
	t.Run("deps.builder", builderContexts)
}

// buildWith builds a spec with one more build context, and returns the image.
func buildWith(t *testing.T, yaml, context string) string {
	t.Helper()
	ref, args := destination(t)
	file := writeSpec(t, yaml)
	args = append([]string{"build", "-f", file, "--build-context", context}, args...)
	buildx(t, filepath.Dir(file), nil, append(args, ".")...)
	return ref
}

func baseContexts(t *testing.T) {
	image := relabelled(t, eng.BaseImage("distroless:latest"), "of", "the base")
	dir := writeFiles(t, map[string]string{"here": "x"})
	files := httptest.NewServer(http.FileServer(http.Dir(dir)))
	defer files.Close()
	for _, tt := range []struct{ from, file, label string }{
		{"docker-image://" + image, "/bin/base-program", "the base"},
		{"oci-layout://" + ociLayout(t, image), "/bin/base-program", "the base"},
		{dir, "/here", ""},
		{repository(t, map[string]string{"here": "x"}), "/here", ""},
		{files.URL + "/here", "/context", ""},
	} {
		ref := buildWith(t, "base_image: my-base\ndeps_image: "+prebuilt(t)+"\nuser: root\n", "my-base="+tt.from)
		if got := flat(t, ref); got[tt.file] == "" || got["/openhands/bin/tmux"] == "" {
			t.Errorf("%s: %s is %q, tmux %q", tt.from, tt.file, got[tt.file], got["/openhands/bin/tmux"])
		}
		if got := label(t, ref, "of"); got != tt.label {
			t.Errorf("%s: the base's label is %q, want %q", tt.from, got, tt.label)
		}
	}
}

func depsContexts(t *testing.T) {
	dir := writeFiles(t, map[string]string{"openhands/bin/mine": "x"})
	for _, tt := range []struct{ from, file string }{
		{"docker-image://" + prebuilt(t), "/openhands/bin/tmux"},
		{"oci-layout://" + ociLayout(t, prebuilt(t)), "/openhands/bin/tmux"},
		{dir, "/openhands/bin/mine"},
		{repository(t, map[string]string{"openhands/bin/mine": "x"}), "/openhands/bin/mine"},
	} {
		ref := buildWith(t, "base_image: "+eng.BaseImage("distroless:latest")+"\ndeps_image: my-deps\nuser: root\n", "my-deps="+tt.from)
		if got := flat(t, ref); got[tt.file] == "" || got["/bin/base-program"] == "" {
			t.Errorf("%s: %s is %q", tt.from, tt.file, got[tt.file])
		}
	}
}

// A builder without apt is of no use, but what the stages say of it shows that
// they ran in it.
func builderContexts(t *testing.T) {
	files := map[string]string{"etc/debian_version": "13"}
	for _, from := range []string{
		"docker-image://" + eng.BaseImage("distroless:latest"), writeFiles(t, files), repository(t, files),
	} {
		file := writeSpec(t, "base_image: scratch\ndeps: {builder: my-builder}\n")
		out, err := tryBuildx(t, filepath.Dir(file), nil, "build", "-f", file, "--progress=plain", "--target=deps", "--build-context=my-builder="+from, ".")
		if err == nil {
			t.Errorf("%s: the build succeeds", from)
		}
		contains(t, out, "[lib] ", "builder image has no apt-get")
	}
}

// ociLayout is a directory with an image of the local registry, by its digest.
func ociLayout(t *testing.T, ref string) string {
	t.Helper()
	img := pulled(t, ref, "amd64")
	dir := t.TempDir()
	index := mutate.AppendManifests(empty.Index, mutate.IndexAddendum{
		Add: img, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "amd64"}},
	})
	if _, err := layout.Write(dir, index); err != nil {
		t.Fatal(err)
	}
	digest, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return dir + "@" + digest.String()
}
