package integration

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/client"

	"github.com/openhands/llb-frontend/integration/engine"
)

// Docker Engine 20.10 keeps images in a graph driver and has no MergeOp.
func TestDockerEngine(t *testing.T) {
	deps := prebuilt(t)
	before := machine(t)
	d, stop, err := eng.Docker(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
		if after := machine(t); after != before {
			t.Errorf("the machine was\n%s\nand is\n%s", before, after)
		}
	})

	example := filepath.Join(eng.Repo(), "examples", "minimal", engine.SpecFile)
	t.Run("the Debian example", func(t *testing.T) {
		log := must(t, d.Buildx(t.Context(), d.BuildArgs(example, "-t", "minimal")...))
		warnings := warningSteps(log)
		if len(warnings) != 1 {
			t.Fatalf("warnings are %q, want one\n%s", warnings, log)
		}
		contains(t, warnings[0], "no MergeOp in this engine", // what
			"copied for every base instead of being shared",         // why it matters
			"the time of a copy and its full size",                  // what it costs
			"docker-container driver", "the containerd image store") // how to get better
		if strings.Contains(log, "warning found") {
			t.Errorf("there is another kind of warning too in\n%s", log)
		}
		out := must(t, d.Client(t.Context(), "run", "--rm", "--network=host", "minimal", "bash", "-c", "id -un; tmux -V; git --version"))
		contains(t, out, "openhands", "tmux 3", "git version 2")
	})
	t.Run("Debian's client, from the cache", func(t *testing.T) {
		log := must(t, d.Client(t.Context(), d.BuildArgs(example)...))
		if warnings := warningSteps(log); len(warnings) != 1 {
			t.Errorf("warnings are %q, want one\n%s", warnings, log)
		}
	})
	t.Run("bases with nothing and with other modes", func(t *testing.T) {
		for _, base := range []string{"distroless", "symlinks"} {
			spec := writeSpec(t, "base_image: "+base+"\ndeps_image: "+deps+"\n")
			must(t, d.Buildx(t.Context(), d.BuildArgs(spec, "-t", base)...))
			out := must(t, d.Client(t.Context(), "run", "--rm", "--network=host", "--entrypoint=/bin/sh", base, "-c",
				`[ -k /tmp ] && [ -O "$HOME" ] && [ -O /workspace ] && echo modes are right; tmux -V`))
			contains(t, out, "modes are right", "tmux 3")
		}
		layersOf := func(image string) []string {
			return strings.Fields(must(t, d.Client(t.Context(), "image", "inspect", "--format", `{{join .RootFS.Layers " "}}`, image)))
		}
		copied := func(l string) bool { return slices.Contains(layersOf("symlinks"), l) }
		if !slices.ContainsFunc(layersOf("distroless"), copied) {
			t.Error("no layer of one image is in the other: docs/engines.md says that a copy has the same digest on every base")
		}
	})
	t.Run("calls and mistakes", func(t *testing.T) {
		answers := func(yaml string, args ...string) (string, error) {
			out, err := d.Buildx(t.Context(), d.BuildArgs(writeSpec(t, yaml), args...)...).CombinedOutput()
			return string(out), err
		}
		const clean = "args: {SUITE: trixie}\nbase_image: debian:${SUITE}-slim\n"
		const wrong = "base_image: debian:trixie-slim\nplatfroms: [linux/amd64]\nuser: 'a:b'\n"
		failing := "base_image: debian:trixie-slim\ndeps_image: " + deps + "\nextra_deps:\n  run: [ls /nowhere]\n"
		for _, tt := range []struct {
			yaml, arg string
			want      []string
		}{
			{clean, "--check", []string{"Check complete, no warnings found."}},
			{clean, "--call=outline", []string{"SUITE", "trixie"}},
			{clean, "--call=targets", []string{"runtime (default)"}},
			{wrong, "--check", []string{`unknown key "platfroms"`, ">>> platfroms", ">>> user"}},
			{wrong, "--pull", []string{`openhands.yaml:3:1: unknown key "platfroms", did you mean "platforms"?`, "openhands.yaml:4:7: user must be"}},
			{failing, "--pull", []string{"ls /nowhere", "/nowhere': No such file"}},
		} {
			log, err := answers(tt.yaml, tt.arg)
			if (err == nil) != (tt.yaml == clean) {
				t.Errorf("%s of\n%s: %v", tt.arg, tt.yaml, err)
			}
			contains(t, log, tt.want...)
		}
	})
	t.Run("no OCI layouts", func(t *testing.T) { refusesLayouts(t, d) })
	t.Run("docs", func(t *testing.T) { holdsEngineTable(t, dockerName, dockerBuildkit(t, d)) })
}

// warningSteps are the warnings that a plain log shows as steps.
func warningSteps(log string) []string {
	steps := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^#(\d+) \[warning\] (.*)$`).FindAllStringSubmatch(log, -1) {
		steps[m[1]] = m[2]
	}
	var texts []string
	for _, text := range steps {
		texts = append(texts, text)
	}
	return texts
}

// dockerBuildkit is a client of the BuildKit inside Docker.
func dockerBuildkit(t *testing.T, d *engine.Docker) *client.Client {
	t.Helper()
	c, err := client.New(t.Context(), "",
		client.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			return d.Dial(ctx, "/grpc", "h2c", nil)
		}),
		client.WithSessionDialer(func(ctx context.Context, protocol string, headers map[string][]string) (net.Conn, error) {
			return d.Dial(ctx, "/session", protocol, headers)
		}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// machine is what a daemon could leave behind: mounts and network devices.
func machine(t *testing.T) string {
	t.Helper()
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	var ours []string
	for line := range strings.Lines(string(mounts)) {
		if strings.Contains(line, "/docker/") {
			ours = append(ours, line)
		}
	}
	devices, err := os.ReadFile("/proc/net/dev")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range regexp.MustCompile(`(?m)^\s*(\S+):`).FindAllStringSubmatch(string(devices), -1) {
		names = append(names, m[1])
	}
	return strings.Join(slices.Concat(ours, names), "\n")
}

// must runs a command and returns what it prints.
func must(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%q: %v\n%s", cmd.Args, err, out)
	}
	return string(out)
}
