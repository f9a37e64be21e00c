package integration

import (
	"archive/zip"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/openhands/llb-frontend/integration/engine"
)

func TestSessionAPIKey(t *testing.T) {
	const key = "a-session-key"
	image := serverImage(t, "base_image: alpine:3.22\n")
	s := startAsHost(t, engine.RunOptions{Image: image, Env: []string{"SESSION_API_KEY=" + key}}, "--no-enable-browser")
	action := []byte(`{"action": {"action": "run", "args": {"command": "echo $((6*7))"}}}`)
	for given, want := range map[string]int{"": 403, "wrong": 403, key: 200} {
		s.key = given
		body, status, err := s.request(t.Context(), "POST", "/execute_action", action)
		if err != nil || status != want || strings.Contains(string(body), "42") != (want == 200) {
			t.Errorf("with the key %q: status %d, want %d: %v %s", given, status, want, err, body)
		}
	}
}

// Who uses the server may install packages of Python, whoever that is.
func TestPipInstall(t *testing.T) {
	wheels := t.TempDir()
	for _, name := range []string{"ohone", "ohtwo"} {
		writeWheel(t, wheels, name)
	}
	if err := os.Chmod(wheels, 0o755); err != nil {
		t.Fatal(err)
	}
	mounts := []specs.Mount{{Destination: "/wheels", Type: "bind", Source: wheels, Options: []string{"rbind", "ro"}}}
	const bare = "base_image: alpine:3.22\n"
	// The base's own python has no pip: ours is the only one on PATH.
	const withPython = "base_image: debian:trixie-slim\nextra_deps: {packages: [python3-minimal]}\n"
	for _, tt := range []struct {
		name, yaml, user string
		into             string // directory of what was installed
	}{
		{"user", bare, "", "/home/openhands/.local/"},
		{"root", bare, "0", "/openhands/poetry/"},
		{"arbitrary uid", bare, "12345:0", "/tmp/"},
		{"base with python", withPython, "0", "/openhands/poetry/"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := startAsHost(t, engine.RunOptions{Image: serverImage(t, tt.yaml), User: tt.user, Mounts: mounts},
				"--plugins", "agent_skills", "jupyter", "--username", "openhands", "--user-id", "1000", "--no-enable-browser")
			const install = "install --quiet --disable-pip-version-check --no-index --find-links /wheels "
			s.sh("pip " + install + "ohone")
			contains(t, s.sh(`"$OH_INTERPRETER_PATH" -c 'import ohone; print("from", ohone.__file__)'`), "from "+tt.into)
			contains(t, s.cell("%pip "+install+"ohtwo\nimport ohone, ohtwo\nprint('from', ohtwo.__file__)"), "from "+tt.into)
			contains(t, s.cell("from jupyter_client.manager import run_kernel\n"+
				"with run_kernel() as kernel:\n"+
				"    _ = kernel.execute_interactive('import ohone, ohtwo, sys; print(\"new kernel\", ohone.answer + ohtwo.answer, sys.executable)', timeout=60)"),
				"new kernel 84 /openhands/poetry/")
			if tt.yaml == withPython {
				contains(t, s.sh("command -v python3; python3 -c 'import sys; print(sys.path)'"), "/usr/bin/python3\n")
				contains(t, s.sh("python3 -c 'import ohone' 2>&1 || true"), "No module named 'ohone'")
				if path := s.sh("python3 -c 'import sys; print(sys.path)'"); strings.Contains(path, "/openhands") {
					t.Errorf("the base's python looks into /openhands: %s", path)
				}
			} else {
				contains(t, s.sh("python3 -c 'import ohone, ohtwo; print(ohone.answer + ohtwo.answer)'"), "84")
			}
		})
	}
}

// writeWheel makes a package of one module, whose answer is 42.
func writeWheel(t *testing.T, dir, name string) {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, name+"-1.0-py3-none-any.whl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info := name + "-1.0.dist-info/"
	w := zip.NewWriter(f)
	for _, file := range [][2]string{
		{name + ".py", "answer = 42\n"},
		{info + "METADATA", fmt.Sprintf("Metadata-Version: 2.1\nName: %s\nVersion: 1.0\n", name)},
		{info + "WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"},
		{info + "RECORD", fmt.Sprintf("%s.py,,\n%sMETADATA,,\n%sWHEEL,,\n%sRECORD,,\n", name, info, info, info)},
	} {
		out, err := w.Create(file[0])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := out.Write([]byte(file[1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}
