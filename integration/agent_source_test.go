package integration

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/openhands/llb-frontend/integration/engine"
)

// sdkPackages are the packages of the SDK, by the directory of each in a checkout,
// and the name below openhands of its code.
var sdkPackages = map[string]string{
	"openhands-sdk": "sdk", "openhands-tools": "tools", "openhands-workspace": "workspace", "openhands-agent-server": "agent_server",
}

// The server of a checkout has what uv.lock says. A change of its code is one layer,
// installs nothing, and runs.
func TestAgentServerSource(t *testing.T) {
	ref, err := agentDeps()
	if err != nil {
		t.Fatal(err)
	}
	checkout := sdkCheckout(t, ref)
	yaml := "base_image: alpine:3.22\nserver: {name: agent-server, source: checkout}\n"
	args := []string{"--build-context", "checkout=" + checkout, "--platform=linux/amd64"}
	before := pulled(t, build(t, yaml, args...).Ref, "amd64")
	file := filepath.Join(checkout, "openhands-agent-server", "openhands", "agent_server", "__main__.py")
	code, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	write(t, file, string(code)+"\nCHANGED = 42\n")
	write(t, filepath.Join(checkout, "README.md"), "nobody takes this")
	res := build(t, yaml, args...)
	if got := changed(t, before, pulled(t, res.Ref, "amd64")); !slices.Equal(got, []string{"openhands-frontend: code"}) {
		t.Errorf("other layers are %q, want that of the code alone", got)
	}
	if !cached(t, res.Log, "[python-deps] install the packages of uv.lock") {
		t.Errorf("the packages are installed again\n%s", res.Log)
	}
	port := freePort(t)
	s := startAgent(t, port, "", engine.RunOptions{Image: imageName(t), Args: []string{"--port", fmt.Sprint(port)}})
	var info struct{ Version string }
	s.ask("GET", "/server_info", nil, &info)
	if info.Version != "7.0.42" {
		t.Errorf("the server says that it is %q, want the version of its pyproject.toml", info.Version)
	}
	contains(t, s.sh(`/agent-server/.venv/bin/python -P -c 'import openhands.agent_server.__main__ as m; print(m.CHANGED, m.__file__)'`),
		"42 /openhands/agent-server/code/openhands/agent_server/__main__.py\n")
	s.servesVSCode()

	t.Run("not locked", func(t *testing.T) {
		if err := os.Remove(filepath.Join(checkout, "uv.lock")); err != nil {
			t.Fatal(err)
		}
		log := buildFails(t, yaml, args...)
		contains(t, log, `server.source "checkout" has no uv.lock: name a checkout of OpenHands' software-agent-sdk`, ">>> server: {name: agent-server, source: checkout}")
	})
}

// sdkCheckout makes a checkout in the layout of software-agent-sdk: the code of the
// release in a deps image, a pyproject.toml for each package that requires what its
// wheel does, and a lock file by uv.
func sdkCheckout(t *testing.T, deps string) string {
	t.Helper()
	checkout, release := t.TempDir(), t.TempDir()
	extract(t, pulled(t, deps, "amd64"), "openhands/agent-server/code/", release, "code")
	var members []string
	for dir, name := range sdkPackages {
		members = append(members, dir)
		info, err := os.ReadFile(filepath.Join(release, strings.ReplaceAll(dir, "-", "_")+"-1.58.2.dist-info", "METADATA"))
		if err != nil {
			t.Fatal(err)
		}
		var requires []string
		for line := range strings.Lines(string(info)) {
			if r, ok := strings.CutPrefix(line, "Requires-Dist: "); ok && !strings.Contains(r, "extra ==") {
				requires = append(requires, fmt.Sprintf("%q", strings.TrimSpace(r)))
			}
		}
		write(t, filepath.Join(checkout, dir, "pyproject.toml"), fmt.Sprintf("[project]\nname = %q\nversion = \"7.0.42\"\nrequires-python = \">=3.12\"\ndependencies = [%s]\n"+
			"[build-system]\nrequires = [\"setuptools>=61.0\"]\nbuild-backend = \"setuptools.build_meta\"\n", dir, strings.Join(requires, ", ")))
		to := filepath.Join(checkout, dir, "openhands", name)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(release, "openhands", name), to); err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(members)
	text := fmt.Sprintf("[tool.uv.workspace]\nmembers = [\"%s\"]\n[tool.uv.sources]\n", strings.Join(members, `", "`))
	for _, dir := range members {
		text += dir + " = { workspace = true }\n"
	}
	text += "[tool.uv]\nconstraint-dependencies = [" + strings.Join(versions(t), ", ") + "]\n"
	write(t, filepath.Join(checkout, "pyproject.toml"), text+"[dependency-groups]\ndev = [\"pytest>=9\"]\n")
	lock(t, checkout)
	return checkout
}

// lock has uv of an image write uv.lock: with the versions that the release has, which
// the daemon has downloaded before.
func lock(t *testing.T, checkout string) {
	t.Helper()
	image := agentImage(t, "base_image: debian:trixie-slim\n")
	run(t, engine.RunOptions{
		Image: image, User: "0", WorkingDir: "/checkout",
		Args: []string{"uv", "lock", "--quiet", "--cache-dir", "/tmp/uv"},
		Env:  []string{"SSL_CERT_FILE=/ca.pem"},
		Mounts: []specs.Mount{
			{Destination: "/checkout", Source: checkout, Type: "bind", Options: []string{"bind", "rw"}},
			{Destination: "/ca.pem", Source: cmp.Or(os.Getenv("SSL_CERT_FILE"), "/etc/ssl/certs/ca-certificates.crt"), Type: "bind", Options: []string{"bind", "ro"}},
		},
	})
}

// versions are those that the release's list has.
func versions(t *testing.T) []string {
	t.Helper()
	list, err := os.ReadFile(filepath.Join(eng.Repo(), "llb/deps/scripts/agent-server.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var pins []string
	for line := range strings.Lines(string(list)) {
		if pin, _, found := strings.Cut(line, " "); found && strings.Contains(pin, "==") {
			pins = append(pins, fmt.Sprintf("%q", pin))
		}
	}
	return pins
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
