package integration

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/openhands/llb-frontend/integration/engine"
)

// emulate lets this test run programs for arm64. The machine is as before when
// the test ends: no other may depend on emulation.
func emulate(t *testing.T) {
	t.Helper()
	stop, err := eng.Emulate(t.Context(), "arm64")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// The matrix again for arm64: made on this machine without emulation, run with.
// Bases run two at a time, as emulation is slow.
func TestSealMatrixOnARM64(t *testing.T) {
	deps := lab(t, "arm64")
	emulate(t)
	server := newPrivateServer(t)
	for _, c := range columns() {
		t.Run(c.name, func(t *testing.T) {
			if c.amd64Only != "" {
				t.Skip(c.amd64Only)
			}
			t.Parallel()
			needBase(t, c.base)
			image := imageName(t)
			buildAs(t, image, fmt.Sprintf("base_image: %s\ndeps_image: %s\n", c.base, deps), "--platform=linux/arm64")
			runRows(t, c, image, "arm64", server)
		})
	}
}

// A tree for arm64 is the same whether amd64 makes it or an arm64 builder,
// which runs under emulation here.
func TestForeignTreeEqualsEmulated(t *testing.T) {
	native := pulled(t, prebuilt(t), "arm64")
	needBase(t, "builder:trixie")
	work := t.TempDir()
	helper := filepath.Join(work, "oh-seal")
	t.Setenv("GOARCH", "arm64")
	t.Setenv("CGO_ENABLED", "0")
	if err := command(eng.Repo(), "go", "build", "-o", helper, "./frontend/cmd/oh-seal"); err != nil {
		t.Fatal(err)
	}
	emulate(t)
	for layer, args := range [][]string{
		{"lib", "--out", "/mnt/0"},
		{"tools", "--out", "/mnt/1", "--lib", "/mnt/0", "bash", "tmux", "git", "jq", "ripgrep"}, // the default
	} {
		out := filepath.Join(work, fmt.Sprint(layer))
		if err := os.Mkdir(out, 0o755); err != nil {
			t.Fatal(err)
		}
		run(t, engine.RunOptions{
			Image: "library/builder:trixie", Arch: "arm64", User: "0", Mounts: []specs.Mount{bind(work, "/mnt", "rw")},
			Args: append([]string{"/mnt/oh-seal", args[0], "--arch", "arm64"}, args[1:]...),
		})
		want, got := layerTree(t, native, layer), dirTree(t, out)
		if len(want) < 100 {
			t.Errorf("layer %d has only %d files", layer, len(want))
		}
		compareTrees(t, got, want)
	}
}

func compareTrees(t *testing.T, got, want map[string]string) {
	t.Helper()
	for name, w := range want {
		if got[name] != w {
			t.Errorf("%s: emulated %q, native %q", name, got[name], w)
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s: only emulated", name)
		}
	}
}

// layerTree describes all files of a layer: type, mode and content.
func layerTree(t *testing.T, img v1.Image, layer int) map[string]string {
	t.Helper()
	layers, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	rc, err := layers[layer].Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	defer rc.Close()
	tree := map[string]string{}
	for tr := tar.NewReader(rc); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return tree
		}
		if err != nil {
			t.Fatal(err)
		}
		name := "/" + strings.TrimSuffix(h.Name, "/")
		if h.Typeflag == tar.TypeLink { // of the same content, whichever is the first
			tree[name] = tree["/"+h.Linkname]
			continue
		}
		tree[name] = describe(t, h.FileInfo().Mode(), h.Linkname, tr)
	}
}

// dirTree is layerTree of a directory of this machine.
func dirTree(t *testing.T, dir string) map[string]string {
	t.Helper()
	tree := map[string]string{}
	err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || file == dir {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		var content io.Reader = strings.NewReader("")
		link := ""
		switch {
		case info.Mode().IsRegular():
			f, err := os.Open(file)
			if err != nil {
				return err
			}
			defer f.Close()
			content = f
		case info.Mode()&fs.ModeSymlink != 0:
			if link, err = os.Readlink(file); err != nil {
				return err
			}
		}
		tree[strings.TrimPrefix(file, dir)] = describe(t, info.Mode(), link, content)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func describe(t *testing.T, mode fs.FileMode, link string, content io.Reader) string {
	t.Helper()
	sum := sha256.New()
	if _, err := io.Copy(sum, content); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%v %s %s", mode, link, hex.EncodeToString(sum.Sum(nil)))
}
