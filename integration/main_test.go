// Package integration tests the frontend as its users meet it: the real buildx
// talks to a real buildkitd, which starts the frontend image; results go to a
// real registry, and containers of them are run.
package integration

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/openhands/llb-frontend/integration/engine"
)

// eng is the one engine of all tests: bringing it up is slow, and it keeps no
// state that a test could spoil for another.
var eng *engine.Engine

// commonBases are what most tests build on. A test that wants another one asks
// for it with eng.Images.
var commonBases = []string{
	"debian:bullseye-slim", "debian:bookworm-slim", "debian:trixie-slim",
	"alpine:3.22", "distroless:latest", "node:22-slim", "symlinks:latest",
}

func TestMain(m *testing.M) {
	code, err := setUp(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "integration:", err)
		os.Exit(1)
	}
	os.Exit(code)
}

func setUp(m *testing.M) (int, error) {
	if os.Getuid() != 0 {
		if os.Getenv("CI") == "true" {
			return 0, fmt.Errorf("the engine needs root")
		}
		fmt.Println("integration: skipped, the engine needs root")
		return 0, nil
	}
	var err error
	if eng, err = engine.Open(engine.Config{}); err != nil {
		return 0, err
	}
	ctx := context.Background()
	if err := eng.Up(ctx); err != nil {
		return 0, err
	}
	if err := eng.Images(ctx, commonBases...); err != nil {
		return 0, err
	}
	if err := eng.PublishFrontend(ctx); err != nil {
		return 0, err
	}
	return m.Run(), nil
}

// writeSpec makes a spec file with the syntax line in front.
func writeSpec(t *testing.T, yaml string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), engine.SpecFile)
	if err := os.WriteFile(file, []byte("# syntax="+engine.FrontendImage+"\n"+yaml), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// imageName is a name in the local registry that belongs to one test.
func imageName(t *testing.T) string {
	name := strings.NewReplacer("/", "-", ":", "-", "#", "-").Replace(strings.ToLower(t.Name()))
	return "test/" + name + ":latest"
}

// build builds a spec with buildx, pushes the image and returns what was said.
func build(t *testing.T, yaml string, args ...string) *engine.BuildResult {
	t.Helper()
	return buildAs(t, imageName(t), yaml, args...)
}

func buildAs(t *testing.T, image, yaml string, args ...string) *engine.BuildResult {
	t.Helper()
	res, err := eng.Build(t.Context(), engine.BuildOptions{Spec: writeSpec(t, yaml), Image: image, Args: args})
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// buildFails returns what buildx says about a spec that cannot be built.
func buildFails(t *testing.T, yaml string, args ...string) string {
	t.Helper()
	res, err := eng.Build(t.Context(), engine.BuildOptions{Spec: writeSpec(t, yaml), Args: args})
	if err == nil {
		t.Fatalf("the build succeeds:\n%s", res.Log)
	}
	return res.Log
}

// run runs a command in a container of a pushed image and returns its output.
func run(t *testing.T, opt engine.RunOptions) string {
	t.Helper()
	if opt.Entrypoint == nil {
		opt.Entrypoint = []string{}
	}
	res, err := eng.Run(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	if res.ExitCode != 0 {
		t.Fatalf("%q ends with %d\n%s%s", opt.Args, res.ExitCode, res.Stdout, res.Stderr)
	}
	return res.Stdout
}

func contains(t *testing.T, text string, wants ...string) {
	t.Helper()
	for _, w := range wants {
		if !strings.Contains(text, w) {
			t.Errorf("%q is missing in\n%s", w, text)
		}
	}
}

// depsImage builds the deps image for both architectures once, and returns its
// reference.
var depsImage = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "deps")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, engine.SpecFile)
	if err := os.WriteFile(file, []byte("# syntax="+engine.FrontendImage+"\nbase_image: scratch\n"), 0o644); err != nil {
		return "", err
	}
	res, err := eng.Build(context.Background(), engine.BuildOptions{
		Spec: file, Image: "test/deps:latest",
		Args: []string{"--target=deps", "--platform=linux/amd64,linux/arm64"},
	})
	if err != nil {
		return "", err
	}
	return res.Ref, nil
})

func prebuilt(t *testing.T) string {
	t.Helper()
	ref, err := depsImage()
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// freshDaemon is a daemon that knows nothing, beside the engine's, until the test ends.
func freshDaemon(t *testing.T, name string) *engine.Engine {
	t.Helper()
	fresh, stop, err := eng.Fresh(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	return fresh
}
