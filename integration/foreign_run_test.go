package integration

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/openhands/llb-frontend/integration/engine"
)

// loadAll opens every compiled module and library of the agent-server's
// environment with all its symbols, and imports the packages that have some.
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
    tops = {n.split("/")[0] for n in names}
    modules.update(top.split(".")[0] for top in tops if not top.endswith(".libs"))
for m in sorted(modules - {"litellm"}): # minutes under emulation; the server imports it
    try:
        importlib.import_module(m)
    except Exception as e:
        failed.append(f"import {m}: {e!r}")
print(platform.machine(), len(modules) > 20, files > 60, *failed, sep="\n")
print(files, "files,", len(modules), "modules", file=sys.stderr)
`

// notWithoutFiles is what oh-seal check says of paths that programs may try; all
// else means that something does not start, or loads what is not ours.
var notWithoutFiles = regexp.MustCompile(`: (names /\S+, which images need not have|is a script for .*)$`)

// The agent-server that this machine made for arm64 runs on a base that has no
// glibc: every compiled module is loaded, and the server is started and runs a command.
// Chromium is not started: see docs/architectures.md.
func TestForeignAgentServerRuns(t *testing.T) {
	if os.Getenv("OPENHANDS_FOREIGN_WHOLE") == "" {
		t.Skip("takes long under emulation: only with OPENHANDS_FOREIGN_WHOLE=1")
	}
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
	t.Run("server", func(t *testing.T) { foreignAnswers(t, image) })
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

// foreignAnswers starts the agent-server by its remote hosts' line and has it run
// programs of several components. Without VS Code it is ready a little earlier.
func foreignAnswers(t *testing.T, image string) {
	s := &server{t: t, port: freePort(t)}
	c, err := eng.Start(t.Context(), engine.RunOptions{
		Image: image, Arch: "arm64", Entrypoint: []string{}, WorkingDir: "/", Env: []string{"OH_ENABLE_VSCODE=false"},
		Args: []string{"/agent-server/.venv/bin/python", "-m", "openhands.agent_server", "--port", strconv.Itoa(s.port)},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := c.Stop(); err != nil {
			t.Errorf("stop the container: %v", err)
		}
		if t.Failed() {
			t.Logf("the server printed\n%s", lastLines(c.Output(), 60))
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute) // it hangs, then
	defer cancel()
	for {
		if body, status, err := s.request(ctx, "GET", "/ready", nil); err == nil && status == 200 {
			t.Logf("%s", body)
			break
		}
		select {
		case <-c.Ended():
			res, err := c.Wait()
			t.Fatalf("the container has ended: %+v, %v", res, err)
		case <-ctx.Done():
			t.Fatal("the server is never ready")
		case <-time.After(time.Second):
		}
	}
	const command = `{"timeout": 300, "command": "uname -m; node --version; tmux -V; git --version; jq --version; uv --version"}`
	body, status, err := s.request(ctx, "POST", "/api/bash/execute_bash_command", []byte(command))
	if err != nil || status != 200 {
		t.Fatalf("status %d, %v: %s", status, err, body)
	}
	contains(t, string(body), `"exit_code":0`, `"stdout":"aarch64\nv24.`, `\ntmux 3`, `\ngit version 2`, `\njq-1`, `\nuv 0.`)
}
