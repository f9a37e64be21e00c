package integration

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/moby/buildkit/client"

	"github.com/openhands/llb-frontend/integration/engine"
)

// A daemon with the buildkitd.toml of docs/tasks/publishing.md starts the frontend of
// that page, and no other.
func TestAllowedRepositories(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(eng.Repo(), "docs", "tasks", "publishing.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks, err := parsePage(string(page))
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(t.TempDir(), "buildkitd.toml")
	to, _ := here()
	for _, b := range blocks {
		if b.file == "buildkitd.toml" {
			write(t, config, to.Replace(b.text))
		}
	}
	addr := startBuildkitd(t, config)

	dir := t.TempDir()
	write(t, filepath.Join(dir, engine.SpecFile), "base_image: scratch\ndeps_image: "+prebuilt(t)+"\nuser: root\n")
	build := func(frontend string) (string, error) {
		cmd := exec.CommandContext(t.Context(), eng.Bin("buildctl"), "--addr", addr, "build", "--progress=plain",
			"--frontend=gateway.v0", "--opt=source="+frontend, "--opt=filename="+engine.SpecFile, "--local=dockerfile="+dir, "--local=context="+dir)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	const allowed = "/team/llb-frontend:1"
	copyImage(t, eng.FrontendRef(), eng.Registry()+allowed)
	if out, err := build(eng.Registry() + allowed); err != nil {
		t.Errorf("the page's frontend: %v\n%s", err, out)
	}
	out, err := build(eng.FrontendRef())
	if err == nil {
		t.Error("another frontend is started")
	}
	contains(t, out, "is not an allowed gateway source")
}

// copyImage gives an image of the local registry another name.
func copyImage(t *testing.T, from, to string) {
	t.Helper()
	if out, err := eng.Buildx(t.Context(), "imagetools", "create", "-t", to, from).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// startBuildkitd starts a daemon for one test, and returns its address.
func startBuildkitd(t *testing.T, config string) string {
	t.Helper()
	dir := t.TempDir()
	addr := "unix://" + filepath.Join(dir, "sock")
	var log strings.Builder
	cmd := exec.Command(eng.Bin("buildkitd"), "--config", config, "--root", filepath.Join(dir, "root"), "--addr", addr)
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait() // its log says why it ended
		if t.Failed() {
			t.Log(log.String())
		}
	})
	c, err := client.New(t.Context(), addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for end := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		if _, err = c.Info(t.Context()); err == nil {
			return addr
		}
		if time.Now().After(end) {
			t.Fatalf("buildkitd is not ready: %v", err)
		}
	}
}
