package integration

import (
	"fmt"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/openhands/llb-frontend/integration/engine"
)

// What poetry would install from the lock file is there, to the last package,
// and poetry itself finds it.
func TestLockInstalledWhole(t *testing.T) {
	image := serverImage(t, "base_image: alpine:3.22\n")
	poetry := func(dir string, args ...string) string {
		t.Helper()
		return run(t, engine.RunOptions{
			Image: image, WorkingDir: dir,
			Args: append([]string{"/openhands/micromamba/bin/micromamba", "run", "-n", "openhands", "poetry"}, args...),
		})
	}
	const code = "/openhands/code"
	contains(t, poetry(code, "install", "--only", "main,runtime", "--no-root", "--dry-run"),
		"Package operations: 0 installs, 0 updates, 0 removals")
	env := strings.TrimSpace(poetry(code, "env", "info", "--path"))
	if !strings.HasPrefix(env, "/openhands/poetry/") {
		t.Errorf("poetry's environment is %q", env)
	}
	// A python of the environment says where it is; a flag, or another
	// directory of the project, is for the real poetry.
	const where = "import sys, os; print(os.path.realpath(sys.prefix))"
	for _, args := range [][]string{
		{code, "run", "python", "-c", where},
		{code, "-q", "run", "python", "-c", where},
		{code + "/openhands/runtime", "run", "python", "-c", where},
		{"/workspace", "-C", code, "run", "python", "-c", where},
	} {
		if got := strings.TrimSpace(poetry(args[0], args[1:]...)); got != env {
			t.Errorf("poetry %q runs the python of %q, want %q", args, got, env)
		}
	}
	own := run(t, engine.RunOptions{Image: image, Args: []string{"bash", "-c", `exec "$OH_INTERPRETER_PATH" -c "$1"`, "-", where}})
	if strings.TrimSpace(own) != env {
		t.Errorf("OH_INTERPRETER_PATH is a python of %q, want %q", own, env)
	}
}

// tmpfs is a directory in memory, with more mount options.
func tmpfs(dir string, options ...string) specs.Mount {
	return specs.Mount{Destination: dir, Type: "tmpfs", Source: "tmpfs", Options: append([]string{"nosuid", "nodev"}, options...)}
}

// Nothing but /tmp and /workspace can be written, and nobody knows the uid: oh-init
// gives a home, says so, and the server starts.
func TestReadOnlyRoot(t *testing.T) {
	image := serverImage(t, "base_image: alpine:3.22\n")
	s := &server{t: t, port: freePort(t), vscode: freePort(t)}
	opt := arbitrary(image, tmpfs("/workspace", "mode=1777"))
	opt.Env = []string{"NO_CHANGE_TIMEOUT_SECONDS=120"}
	opt.Args = hostsCommand(s.port, "--plugins", "agent_skills", "jupyter", "--username", "openhands", "--user-id", "1000", "--no-enable-browser")
	opt.WorkingDir = "/openhands/code" // the command of hosts wants to be there
	s.start(opt)
	contains(t, s.container.Output(), `oh-init: HOME is "/", which uid 12345 cannot write: it is "/tmp/openhands-home-12345" now`)
	contains(t, s.sh("id -u; echo $HOME; touch ~/a /workspace/b && echo written; touch /c 2>&1 || true"), "12345\n/tmp/openhands-home-12345\nwritten\n", "Read-only file system")
	contains(t, s.cell("print(6*7)"), "42")
}

// With user.create: start, the account comes with the container.
func TestCreateAtStart(t *testing.T) {
	image := serverImage(t, "base_image: alpine:3.22\nserver: none\nuser: {name: dev, create: start}\n")
	const who = "id; echo $HOME $USER; umask; stat -c '%u:%g %n' ~ /workspace; touch ~/a /workspace/b && echo written"
	start := func(opt engine.RunOptions) *engine.RunResult {
		t.Helper()
		opt.Image, opt.Args = image, []string{"sh", "-c", who}
		res, err := eng.Run(t.Context(), opt)
		if err != nil {
			t.Fatal(err)
		}
		if res.ExitCode != 0 {
			t.Errorf("it ends with %d\n%s%s", res.ExitCode, res.Stdout, res.Stderr)
		}
		return res
	}
	t.Run("defaults", func(t *testing.T) {
		res := start(engine.RunOptions{})
		contains(t, res.Stdout, "uid=1000(dev) gid=1000(dev)", "/home/dev dev\n", "1000:1000 /home/dev\n", "1000:1000 /workspace\n", "written\n")
		if res.Stderr != "" {
			t.Errorf("it says %q", res.Stderr)
		}
	})
	t.Run("ids of the host", func(t *testing.T) {
		res := start(engine.RunOptions{Env: []string{"OH_UID=4242", "OH_GID=4343"}})
		contains(t, res.Stdout, "uid=4242(dev) gid=4343(dev)", "4242:4343 /home/dev\n", "4242:4343 /workspace\n", "written\n")
	})
	t.Run("read-only root", func(t *testing.T) {
		res := start(engine.RunOptions{ReadOnly: true, Mounts: []specs.Mount{tmpfs("/tmp", "mode=1777"), tmpfs("/workspace", "uid=1000")}})
		contains(t, res.Stdout, "uid=1000 gid=1000", "written\n")
		contains(t, res.Stderr, `oh-init: account "dev" not written, going on with 1000:1000`, "read-only file system")
	})
}

// VS Code says first where it is, and not before it is there: the server sleeps a
// second for each line that it reads until then.
func TestEditorSaysFirstThatItIsReady(t *testing.T) {
	image := serverImage(t, "base_image: alpine:3.22\n")
	const script = `coproc code { /openhands/.openvscode-server/bin/openvscode-server --host 127.0.0.1 --port $1 --without-connection-token; }
read -r first <&${code[0]} && echo "$first"
exec 3<>/dev/tcp/127.0.0.1/$1 && echo answers
read -r second <&${code[0]} && echo more`
	port := fmt.Sprint(freePort(t))
	out := run(t, engine.RunOptions{Image: image, Args: []string{"bash", "-c", script, "-", port}})
	if want := "Web UI available at http://localhost:" + port + "\nanswers\nmore\n"; out != want {
		t.Errorf("it prints %q, want %q", out, want)
	}
}

// An image with VS Code has it as the editor, also of git. Where no window is
// open, a commit without a message says what to do.
func TestEditor(t *testing.T) {
	image := serverImage(t, "base_image: alpine:3.22\nserver: none\n")
	res, err := eng.Run(t.Context(), engine.RunOptions{
		Image: image, Entrypoint: []string{},
		Args: []string{"bash", "-c", "git init -q && git -c user.name=n -c user.email=e@e commit --allow-empty"},
	})
	if err != nil {
		t.Fatal(err)
	}
	contains(t, res.Stderr, "code: no VS Code window is open on this container", "git commit -m")
	if res.ExitCode == 0 {
		t.Errorf("the commit succeeds\n%s", res.Stdout)
	}
	without := build(t, "base_image: alpine:3.22\ndeps_image: "+prebuilt(t)+"\n")
	for _, kv := range configOf(t, pulled(t, without.Ref, "amd64")).Config.Env {
		for _, name := range []string{"EDITOR=", "VISUAL=", "GIT_EDITOR=", "OPENVSCODE_SERVER_ROOT="} {
			if strings.HasPrefix(kv, name) {
				t.Errorf("an image without VS Code has %s", kv)
			}
		}
	}
}
