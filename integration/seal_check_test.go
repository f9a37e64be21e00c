package integration

import (
	"debug/elf"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/openhands/llb-frontend/integration/engine"
)

// helper compiles oh-seal for this machine and returns its directory.
func helper(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("CGO_ENABLED", "0")
	if err := command(eng.Repo(), "go", "build", "-o", dir+"/oh-seal", "./frontend/cmd/oh-seal"); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestCheckFindsNothingInTheDepsImage(t *testing.T) {
	opt := engine.RunOptions{
		Image: prebuilt(t), User: "0", Mounts: []specs.Mount{bind(helper(t), "/helper", "ro")},
		Args: []string{"/helper/oh-seal", "check", "--arch", "amd64", "/"},
	}
	if out := run(t, opt); strings.Contains(out, "/openhands") {
		t.Errorf("check says\n%s", out)
	}
}

// A library that is taken away is missed by name, with the programs that need it.
func TestCheckNamesWhoNeedsAMissingLibrary(t *testing.T) {
	const script = `
import glob, os, subprocess
def check():
    r = subprocess.run(["/helper/oh-seal", "check", "--arch", "amd64", "/"], capture_output=True, text=True)
    return set((r.stdout + r.stderr).removeprefix("oh-seal: ").splitlines())
before = check()
[os.remove(f) for f in glob.glob("/openhands/lib/x86_64/libevent_core*")]
print("\n".join(sorted(check() - before)))
`
	out := run(t, engine.RunOptions{
		Image: lab(t, "amd64"), User: "0", Mounts: []specs.Mount{bind(helper(t), "/helper", "ro")},
		Args: []string{"/openhands/venv/bin/python", "-c", script},
	})
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) != 1 || !strings.Contains(lines[0], "/openhands/bin/tmux") || !strings.Contains(lines[0], "libevent_core") {
		t.Errorf("check says %q, want one line that names tmux and libevent_core", lines)
	}
}

// A glibc program that pip brings at run time, when nobody seals it, starts on
// a base without glibc: its loader's usual path leads to ours.
func TestLateArrivalStartsOnMusl(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := command(dir, "pip3", "install", "--quiet", "--no-deps", "--only-binary=:all:", "--platform=manylinux_2_17_x86_64", "--target=site", "ruff==0.17.6"); err != nil {
		t.Fatal(err)
	}
	if got := interpreter(t, filepath.Join(dir, "site/bin/ruff")); got != "/lib64/ld-linux-x86-64.so.2" {
		t.Fatalf("ruff's interpreter is %q: it proves nothing", got)
	}
	for _, base := range []string{"alpine:3.22", "lib64:latest", "musl-preload:latest"} {
		t.Run(base, func(t *testing.T) {
			needBase(t, base)
			image := imageName(t)
			buildAs(t, image, "base_image: "+base+"\ndeps_image: "+prebuilt(t)+"\n")
			out := run(t, engine.RunOptions{
				Image: image, Mounts: []specs.Mount{bind(dir, "/late", "ro")},
				Args: []string{"/late/site/bin/ruff", "--version"},
			})
			contains(t, out, "ruff 0.17.6")
		})
	}
}

func interpreter(t *testing.T, file string) string {
	t.Helper()
	f, err := elf.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	i := slices.IndexFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP })
	if i < 0 {
		return ""
	}
	b := make([]byte, f.Progs[i].Filesz)
	if _, err := f.Progs[i].ReadAt(b, 0); err != nil {
		t.Fatal(err)
	}
	return strings.TrimRight(string(b), "\x00")
}
