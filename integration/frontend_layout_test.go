package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"github.com/openhands/llb-frontend/integration/engine"
)

// elsewhere is a frontend image in a registry that no daemon can reach.
const elsewhere = "registry.invalid/team/llb-frontend:1"

// A frontend in a directory stands for the image that the syntax line names, by
// tag and by digest.
func TestFrontendFromOCILayout(t *testing.T) {
	dir, digest := frontendLayout(t)
	pinned, unknown := elsewhere+"@"+digest, elsewhere+"@sha256:"+strings.Repeat("0", 64)
	for _, tt := range []struct {
		name, syntax, contexts string
		fails                  []string // what is said
	}{
		{"by tag", elsewhere, elsewhere + "=oci-layout://" + dir + ":1", nil},
		{"by digest", pinned, pinned + "=oci-layout://" + dir + "@" + digest, nil},
		{"a name that differs", unknown, elsewhere + "=oci-layout://" + dir + ":1", []string{">>> # syntax=" + unknown, "registry.invalid"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			log, err := targetsBy(t, eng, tt.syntax, tt.contexts)
			if (err == nil) != (tt.fails == nil) {
				t.Fatalf("%v\n%s", err, log)
			}
			if err == nil {
				tt.fails = []string{"runtime (default)"}
			}
			contains(t, log, tt.fails...)
		})
	}
}

// answersFromLayout does the same on another engine, by digest.
func answersFromLayout(t *testing.T, e *engine.Engine) {
	t.Helper()
	dir, digest := frontendLayout(t)
	pinned := elsewhere + "@" + digest
	log, err := targetsBy(t, e, pinned, pinned+"=oci-layout://"+dir+"@"+digest)
	if err != nil {
		t.Error(err)
	}
	contains(t, log, "runtime (default)")
}

// targetsBy asks a frontend for its targets, with a build context.
func targetsBy(t *testing.T, e *engine.Engine, syntax, context string) (string, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), engine.SpecFile)
	if err := os.WriteFile(file, []byte("# syntax="+syntax+"\nbase_image: scratch\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	res, err := e.Build(t.Context(), engine.BuildOptions{Spec: file, Args: []string{"--call=targets", "--build-context", context}})
	return res.Log, err
}

// frontendLayout writes the published frontend to an OCI layout, tagged 1.
func frontendLayout(t *testing.T) (dir, digest string) {
	t.Helper()
	img := pulled(t, eng.FrontendRef(), "amd64")
	dir = filepath.Join(t.TempDir(), "frontend")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	path, err := layout.Write(dir, mutate.IndexMediaType(empty.Index, "application/vnd.oci.image.index.v1+json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := path.AppendImage(img, layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": "1"})); err != nil {
		t.Fatal(err)
	}
	d, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return dir, d.String()
}

// refusesLayouts: an old Docker cannot take a directory of images from its
// client, and would look for it in a registry.
func refusesLayouts(t *testing.T, d *engine.Docker) {
	t.Helper()
	dir, _ := frontendLayout(t)
	args := d.BuildArgs(writeSpec(t, "base_image: base\n"), "--build-context", "base=oci-layout://"+dir+":1")
	out, err := d.Buildx(t.Context(), args...).CombinedOutput()
	if err == nil {
		t.Fatalf("it builds:\n%s", out)
	}
	contains(t, string(out), `build context "base" is an OCI layout, which this engine cannot take`)
}
