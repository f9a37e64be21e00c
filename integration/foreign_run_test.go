package integration

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/openhands/llb-frontend/integration/engine"
)

// loadAll opens every compiled module and library of the agent-server's
// environment with all its symbols, and imports what the distributions with
// compiled modules have at their top.
const loadAll = `
import ctypes, importlib, importlib.metadata, os, platform, re, sys
files, failed, modules = 0, [], set()
for d in importlib.metadata.distributions():
    names = [str(f) for f in d.files or () if re.search(r"\.so[0-9.]*$", f.name)]
    files += len(names)
    for name in names:
        try:
            ctypes.CDLL(str(d.locate_file(name)), os.RTLD_NOW)
        except OSError as e:
            failed.append(f"{name}: {e}")
    if names:
        top = (d.read_text("top_level.txt") or "").split() or [n.split("/")[0] for n in names if not n.split("/")[0].endswith(".libs")]
        modules.update(m.split(".")[0] for m in top)
for m in sorted(modules - {"litellm"}): # minutes of emulation, and the server imports it
    try:
        importlib.import_module(m)
    except Exception as e:
        failed.append(f"import {m}: {e!r}")
print(platform.machine(), len(modules) > 20, files > 100, *failed, sep="\n")
print(files, "files,", len(modules), "modules", file=sys.stderr)
`

// notWithoutFiles is what oh-seal check says of paths that programs may try; all
// else means that something does not start, or loads what is not ours.
var notWithoutFiles = regexp.MustCompile(`: (names /\S+, which images need not have|is a script for .*)$`)

// The agent-server that this machine made for arm64 runs on a base that has no
// glibc: every compiled module is loaded, and the server answers and runs a
// command. Chromium does not start under qemu: see docs/architectures.md.
func TestForeignAgentServerRuns(t *testing.T) {
	image := imageName(t)
	needBase(t, "alpine:3.22")
	buildAs(t, image, "base_image: alpine:3.22\ndeps_image: "+foreign(t, "agent", foreignAgent)+"\n", "--platform=linux/arm64")
	t.Run("oh-seal check", func(t *testing.T) { foreignIsWhole(t, image) })
	emulate(t)
	t.Run("compiled modules", func(t *testing.T) {
		out := run(t, engine.RunOptions{Image: image, Arch: "arm64", Args: []string{"/agent-server/.venv/bin/python", "-P", "-c", loadAll}})
		if want := "aarch64\nTrue\nTrue\n"; out != want {
			t.Errorf("loading what is compiled gives\n%s\nwant\n%s", out, want)
		}
	})
	t.Run("oh-check", func(t *testing.T) { foreignAnswers(t, image) })
}

// foreignIsWhole looks at headers and paths of all that is in the image. The
// program is this machine's.
func foreignIsWhole(t *testing.T, image string) {
	helper := t.TempDir()
	crossCompile(t, filepath.Join(helper, "oh-seal"), "amd64")
	res, err := eng.Run(t.Context(), engine.RunOptions{
		Image: image, Arch: "arm64", User: "0", Entrypoint: []string{}, Mounts: []specs.Mount{bind(helper, "/helper", "ro")},
		Args: []string{"/helper/oh-seal", "check", "--arch", "arm64", "/"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(strings.TrimPrefix(res.Stdout+res.Stderr, "oh-seal: ")) {
		if line = strings.TrimSpace(line); line != "" && !notWithoutFiles.MatchString(line) {
			t.Errorf("oh-seal check: %s", line)
		}
	}
}

// foreignAnswers starts the server by oh-check, which emulation makes slow.
func foreignAnswers(t *testing.T, image string) {
	res, err := eng.Run(t.Context(), engine.RunOptions{
		Image: image, Arch: "arm64", Entrypoint: []string{}, Args: []string{"/openhands/bin/oh-check", "--timeout=900"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(res.Stdout)
	var ok []string
	for _, m := range regexp.MustCompile(`(?m)^(\S+) +ok `).FindAllStringSubmatch(res.Stdout, -1) {
		ok = append(ok, m[1])
	}
	for _, row := range []string{
		"loader", "bash", "tmux", "git", "jq", "python", "node", "npm", "npx", "uv", "uvx", "vscode", "server", "server-run", "server-vscode",
	} {
		if !slices.Contains(ok, row) {
			t.Errorf("oh-check: %s is not ok", row)
		}
	}
}
