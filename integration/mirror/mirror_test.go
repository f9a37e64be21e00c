// These tests make the content, from packages that the network has, and use it
// as a build would.
package mirror_test

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/openhands/llb-frontend/integration/engine"
	"github.com/openhands/llb-frontend/integration/mirror"
)

// parts makes parts of the mirror and returns it, running.
func parts(t *testing.T, names ...string) *engine.Mirror {
	t.Helper()
	if os.Getuid() != 0 {
		unable(t, "the engine needs root")
	}
	e, err := engine.Open(engine.Config{})
	if err != nil {
		t.Fatal(err)
	}
	m, err := e.Mirror(t.Context(), names...)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// unable skips a test, but not where everything must be there.
func unable(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// amd64 skips what runs programs that are made for that architecture alone.
func amd64(t *testing.T) {
	t.Helper()
	if runtime.GOARCH != "amd64" {
		t.Skip("the programs are for amd64")
	}
}

// get downloads a file and holds it to the digest that the mirror gave.
func get(t *testing.T, m *engine.Mirror, name string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, m.URL+"/"+name, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", name, resp.Status)
	}
	file := filepath.Join(t.TempDir(), filepath.Base(name))
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sum := sha256.New()
	size, err := io.Copy(io.MultiWriter(f, sum), resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: %.1f MB", name, float64(size)/1e6)
	if got := "sha256:" + hex.EncodeToString(sum.Sum(nil)); got != m.Content[name] {
		t.Errorf("%s has digest %s, the mirror says %q", name, got, m.Content[name])
	}
	return file
}

// entries lists a tar.gz: the mode and, of a symlink, the target of each path.
func entries(t *testing.T, file string) map[string]string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	gz, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for tr := tar.NewReader(gz); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Uid != 0 || h.Gid != 0 || h.ModTime.Year() != 2025 {
			t.Fatalf("%s: owner %d:%d, time %s", h.Name, h.Uid, h.Gid, h.ModTime)
		}
		all[h.Name] = h.FileInfo().Mode().String() + strings.TrimRight(" "+h.Linkname, " ")
	}
}

func wantEntries(t *testing.T, file, top string, want map[string]string) {
	t.Helper()
	have := entries(t, file)
	for name, mode := range want {
		if have[top+name] != mode {
			t.Errorf("%s in %s: %q, want %q", top+name, filepath.Base(file), have[top+name], mode)
		}
	}
	for name := range have {
		if !strings.HasPrefix(name, top) {
			t.Fatalf("%s holds %q, outside %s", filepath.Base(file), name, top)
		}
	}
}

// unpack unpacks a tar.gz as builds do.
func unpack(t *testing.T, file string) string {
	t.Helper()
	dir := t.TempDir()
	output(t, "tar", "-x", "-C", dir, "-f", file)
	return dir
}

// output runs a program with an environment of its own.
func output(t *testing.T, program string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Env = []string{"PATH=/usr/bin:/bin", "HOME=" + t.TempDir()}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

func TestNode(t *testing.T) {
	m := parts(t, mirror.Node)
	for goarch, name := range map[string]string{"amd64": "x64", "arm64": "arm64"} {
		archive := get(t, m, m.Versions.NodeArchive(goarch))
		wantEntries(t, archive, "node-v"+m.Versions.Node+"-linux-"+name+"/", map[string]string{
			"bin/node":                            "-rwxr-xr-x",
			"bin/npm":                             "Lrwxrwxrwx ../lib/node_modules/npm/bin/npm-cli.js",
			"bin/npx":                             "Lrwxrwxrwx ../lib/node_modules/npm/bin/npx-cli.js",
			"include/node/node.h":                 "-rw-r--r--",
			"lib/node_modules/npm/bin/":           "drwxr-xr-x",
			"share/man/man1/node.1":               "-rw-r--r--",
			"LICENSE":                             "-rw-r--r--",
			"lib/node_modules/npm/bin/npm-cli.js": "-rwxr-xr-x",
		})
		if goarch != runtime.GOARCH {
			continue
		}
		bin := filepath.Join(unpack(t, archive), "node-v"+m.Versions.Node+"-linux-"+name, "bin")
		if got := output(t, bin+"/node", "--version"); got != "v"+m.Versions.Node {
			t.Errorf("node --version says %q", got)
		}
		if got := output(t, bin+"/node", bin+"/npm", "--version"); !strings.HasPrefix(got, "11.") {
			t.Errorf("npm --version says %q", got)
		}
	}
}
