package integration

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/openhands/llb-frontend/integration/engine"
)

func TestFrontendImage(t *testing.T) {
	img := pulled(t, eng.FrontendRef(), "amd64")
	config := configOf(t, img).Config
	if got := config.Labels["moby.buildkit.frontend.network.none"]; got != "true" {
		t.Errorf("network.none is %q", got)
	}
	caps := strings.Split(config.Labels["moby.buildkit.frontend.caps"], ",")
	for _, want := range []string{"inputs", "subrequests", "contexts", "gitquerystring"} {
		if !slices.Contains(caps, "moby.buildkit.frontend."+want) {
			t.Errorf("caps are %q, want %q in it", caps, want)
		}
	}
	if len(config.Entrypoint) != 1 {
		t.Fatalf("entrypoint is %q", config.Entrypoint)
	}
	out := run(t, engine.RunOptions{Image: eng.FrontendRef(), Args: []string{config.Entrypoint[0], "-version"}, User: "0"})
	contains(t, out, "openhands-frontend ")
	m, err := img.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	var size int64
	for _, l := range m.Layers {
		size += l.Size
	}
	if size > 14e6 {
		t.Errorf("the image is %d bytes compressed, want at most 14 MB", size)
	}
}

// Every target of the bake file can be printed: a group that names a target
// that is gone fails only when somebody asks for it.
func TestBakeFile(t *testing.T) {
	cmd := eng.Buildx(t.Context(), "bake", "--list", "type=targets,format=json")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var targets []struct {
		Name string `json:"name"`
	}
	if err := json.Unmarshal(out, &targets); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var names []string
	for _, target := range targets {
		names = append(names, target.Name)
		if out, err := eng.Buildx(t.Context(), "bake", "--print", target.Name).CombinedOutput(); err != nil {
			t.Errorf("bake --print %s: %v\n%s", target.Name, err, out)
		}
	}
	for _, want := range []string{"frontend", "frontend-cross", "examples", "lint", "test"} {
		if !slices.Contains(names, want) {
			t.Errorf("bake targets are %q, want %q in it", names, want)
		}
	}
}

// Named contexts stand for every image that a spec names.
func TestBuildContexts(t *testing.T) {
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "here"), []byte("from a directory"), 0o644); err != nil {
		t.Fatal(err)
	}
	image := imageName(t)
	buildAs(t, image, "base_image: my-base\ndeps_image: my-deps\n",
		"--build-context", "my-base="+root,
		"--build-context", "my-deps=docker-image://"+prebuilt(t))
	contains(t, run(t, engine.RunOptions{Image: image, Args: []string{"/openhands/tools/bash", "-c", "read -r x < /here; echo $x"}}), "from a directory")
}

func TestBaseImageByBuildArgAlone(t *testing.T) {
	image := imageName(t)
	buildAs(t, image, "", "--build-arg", "BASE_IMAGE=alpine:3.22", "--build-arg", "DEPS_IMAGE="+prebuilt(t))
	contains(t, run(t, engine.RunOptions{Image: image, Args: []string{"tmux", "-V"}}), "tmux 3")
}

// Unused and missing requirements of both modules are a mistake.
func TestRootModuleIsTidy(t *testing.T) {
	for _, dir := range []string{eng.Repo(), filepath.Join(eng.Repo(), "integration")} {
		cmd := exec.CommandContext(t.Context(), "go", "mod", "tidy", "-diff")
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("go mod tidy in %s: %v\n%s", dir, err, out)
		}
	}
}
