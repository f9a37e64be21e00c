package integration

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/openhands/llb-frontend/integration/engine"
)

// changed are the layers of an image that another one does not have, by the
// history's text for them.
func changed(t *testing.T, before, after v1.Image) []string {
	t.Helper()
	old, now := layers(t, before), layers(t, after)
	if len(old) != len(now) {
		t.Fatalf("%d layers have become %d", len(old), len(now))
	}
	var names []string
	history := slices.DeleteFunc(configOf(t, after).History, func(h v1.History) bool { return h.EmptyLayer })
	for i, digest := range now {
		if digest != old[i] {
			names = append(names, history[i].CreatedBy)
		}
	}
	return names
}

// Another version of a component is one other layer: all else is neither built
// nor pushed again.
func TestOneLayerChanges(t *testing.T) {
	deps := pulled(t, prebuiltServer(t), "amd64")
	t.Run("VS Code", func(t *testing.T) {
		res := build(t, "base_image: scratch\nserver: action-execution-server\ndeps: {vscode: \"1.109.4\"}\n", "--target=deps", "--platform=linux/amd64")
		img := pulled(t, res.Ref, "amd64")
		if got := changed(t, deps, img); !slices.Equal(got, []string{"openhands-frontend: vscode"}) {
			t.Errorf("other layers are %q, want that of vscode alone", got)
		}
		contains(t, configOf(t, img).Config.Labels["dev.openhands.components"], "vscode@1.109.4")
	})
	t.Run("code of the server", func(t *testing.T) {
		checkout := t.TempDir()
		extract(t, deps, "openhands/code/", checkout, "python-deps", "code")
		yaml := "base_image: alpine:3.22\nserver: {name: action-execution-server, source: checkout}\n"
		args := []string{"--build-context", "checkout=" + checkout, "--platform=linux/amd64"}
		before := pulled(t, build(t, yaml, args...).Ref, "amd64")
		release := layers(t, deps)
		for _, layer := range release[:len(release)-1] { // the code is the last
			if got := layers(t, before); !slices.Contains(got, layer) {
				t.Errorf("layers of a checkout are %q, want all of the release but for the code, and %s is missing", got, layer)
			}
		}
		file := filepath.Join(checkout, "openhands", "runtime", "runtime_status.py")
		f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Fprintln(f, "CHANGED = 42"); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		res := build(t, yaml, args...)
		if got := changed(t, before, pulled(t, res.Ref, "amd64")); !slices.Equal(got, []string{"openhands-frontend: code"}) {
			t.Errorf("other layers are %q, want that of the code alone", got)
		}
		if !cached(t, res.Log, "[python-deps] install the packages of poetry.lock") {
			t.Errorf("the packages are installed again\n%s", res.Log)
		}
		const ask = "import openhands.runtime.runtime_status as m; print(m.CHANGED, m.__file__)"
		contains(t, run(t, engine.RunOptions{Image: imageName(t), Args: []string{"/openhands/poetry/venv/bin/python", "-P", "-c", ask}}),
			"42 /openhands/code/openhands/runtime/runtime_status.py\n")
	})
}

// extract writes what an image has below a directory to another, without
// compiled Python. Where the layers of some components hold all of it, only these
// are read.
func extract(t *testing.T, img v1.Image, below, to string, components ...string) {
	t.Helper()
	if len(components) == 0 {
		extractTar(t, mutate.Extract(img), below, to)
	}
	for _, c := range components {
		extractTar(t, componentLayer(t, img, c), below, to)
	}
}

func extractTar(t *testing.T, rc io.ReadCloser, below, to string) {
	t.Helper()
	defer rc.Close()
	for tr := tar.NewReader(rc); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		rel, ok := strings.CutPrefix(strings.TrimPrefix(h.Name, "/"), below)
		if !ok || rel == "" || strings.Contains(rel, "__pycache__") {
			continue
		}
		file := filepath.Join(to, rel)
		switch h.Typeflag {
		case tar.TypeDir:
			err = os.MkdirAll(file, 0o755)
		case tar.TypeReg:
			var content []byte
			if content, err = io.ReadAll(tr); err == nil {
				err = errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, content, 0o644))
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// The target check passes on a base that has nothing of what the server needs,
// and says what a broken deps image lacks.
func TestCheckTarget(t *testing.T) {
	const yaml = "base_image: alpine:3.22\ndeps_image: "
	t.Run("whole", func(t *testing.T) {
		res := build(t, yaml+prebuiltServer(t)+"\n", "--target=check", "--no-cache-filter=check")
		contains(t, res.Log, "check           result  seconds", "server-browser", "server-vscode", "checks, no failure")
		if strings.Contains(res.Log, "FAIL") {
			t.Errorf("a row fails\n%s", res.Log)
		}
	})
	t.Run("without a library", func(t *testing.T) {
		const lib = "libevent_core-2.1.so.7"
		log := buildFails(t, yaml+without(t, prebuiltServer(t), "openhands/lib/x86_64", lib)+"\n", "--target=check")
		contains(t, log, lib+" for tmux", "libraries       FAIL", "tmux            FAIL", "to do: ", "checks failed",
			// The key that is marked.
			">>> deps_image: ")
		if strings.Contains(log, "no failure") {
			t.Errorf("the table says that all is well\n%s", log)
		}
	})
}

// without pushes an image that lacks a file of another one.
func without(t *testing.T, ref, dir, file string) string {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for path := ""; path != dir; {
		next, _, _ := strings.Cut(strings.TrimPrefix(dir[len(path):], "/"), "/")
		path = strings.TrimPrefix(path+"/"+next, "/")
		if err := w.WriteHeader(&tar.Header{Name: path + "/", Typeflag: tar.TypeDir, Mode: 0o755}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.WriteHeader(&tar.Header{Name: dir + "/.wh." + file, Typeflag: tar.TypeReg, Mode: 0o644}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil },
		tarball.WithMediaType("application/vnd.oci.image.layer.v1.tar+gzip"))
	if err != nil {
		t.Fatal(err)
	}
	img, err := mutate.Append(pulled(t, ref, "amd64"), mutate.Addendum{Layer: layer, History: v1.History{CreatedBy: "without " + file}})
	if err != nil {
		t.Fatal(err)
	}
	tag, err := name.NewTag(eng.Registry()+"/test/without-"+strings.ToLower(file)+":latest", name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(tag, img); err != nil {
		t.Fatal(err)
	}
	return tag.String()
}
