package mirror_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/openhands/llb-frontend/integration/engine"
	"github.com/openhands/llb-frontend/integration/mirror"
)

// rattler is conda's client in Rust, which PyPI has as py-rattler.
const (
	rattlerVersion = "0.28.0"
	rattlerInstall = `import asyncio, os, sys
from rattler import Channel, install, solve

async def main(channel, prefix):
    records = await solve([Channel(channel)], ["poetry", "python 3.13.*"], platforms=["linux-64", "noarch"])
    print(sorted(r.name.normalized for r in records))
    await install(records, target_prefix=prefix)

asyncio.run(main(*sys.argv[1:]))
sys.stdout.flush()
os._exit(0)  # rattler's threads can crash a python that ends
`
)

// A real client of conda solves and installs from the channel, and what it
// installed runs.
func TestConda(t *testing.T) {
	amd64(t)
	m := parts(t, mirror.Conda)
	packages, root := t.TempDir(), trixie(t)
	cmd := exec.CommandContext(t.Context(), "pip3", "install", "--quiet", "--target", packages, "py-rattler=="+rattlerVersion)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, out)
	}
	cmd = exec.CommandContext(t.Context(), "python3", "-c", rattlerInstall, m.Addresses()["conda"]+"/conda-forge", filepath.Join(root, "srv/env"))
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "PYTHONPATH=" + packages}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("rattler: %v\n%s", err, out)
	}
	if !strings.Contains(string(out), "['poetry', 'python']") {
		t.Errorf("rattler installs %s", out)
	}
	if got := inside(t, root, "/srv/env/bin/poetry", "--version"); !strings.HasPrefix(got, "Poetry (version ") {
		t.Errorf("poetry --version says %q", got)
	}
}

// trixie is a root that holds the C library of Debian trixie, and nothing else
// but a shell and its tools. The CPythons of the mirror want one as new as that.
func trixie(t *testing.T) string {
	t.Helper()
	e, err := engine.Open(engine.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.NeedPrograms(t.Context(), "mmdebstrap", "unshare"); err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	output(t, "mmdebstrap", "--mode=root", "--variant=extract", "--include=base-files,libc6,libgcc-s1,dash,coreutils", "trixie", root)
	if err := os.MkdirAll(filepath.Join(root, "srv"), 0o755); err != nil {
		t.Fatal(err)
	}
	return root
}

// inside runs a program in a root. The loader asks /proc where a program lies.
func inside(t *testing.T, root string, args ...string) string {
	t.Helper()
	return output(t, "unshare", append([]string{"--mount", "--pid", "--fork", "--root=" + root, "--mount-proc"}, args...)...)
}
