package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Old is an engine with a buildkitd of another release, beside this engine's
// and with the same registry: people's daemons are older than our tools. The
// release is a directory of engine/oldbuildkit, which pins what it is compiled
// from. It runs until stop.
func (e *Engine) Old(ctx context.Context, release string) (old *Engine, stop func() error, err error) {
	bin := e.path("old", release, "buildkitd")
	if err := e.buildOld(ctx, release, bin); err != nil {
		return nil, nil, err
	}
	name := "buildkitd-" + release
	old = &Engine{dir: e.path("old", release), repo: e.repo, log: e.log, registryAddr: e.Registry()}
	old.externalHost = old.ownHost()
	if err := os.MkdirAll(old.Bin(""), 0o755); err != nil {
		return nil, nil, err
	}
	for _, tool := range []string{"buildctl", "buildx"} {
		if err := os.Symlink(e.Bin(tool), old.Bin(tool)); err != nil && !os.IsExist(err) {
			return nil, nil, err
		}
	}
	err = e.start(ctx, daemon{
		name:   name,
		argv:   []string{bin, "--config", e.configPath(name)},
		config: old.oldBuildkitdConfig(),
		ready: func(ctx context.Context) error {
			ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
			defer cancel()
			return old.run(old.Buildctl(ctx, "debug", "workers"))
		},
	})
	if err != nil {
		return nil, nil, err
	}
	return old, func() error { return e.stop(context.WithoutCancel(ctx), name) }, old.createBuilder(ctx)
}

// OldReleases lists the releases that [Engine.Old] knows, the oldest first.
func (e *Engine) OldReleases() ([]string, error) {
	dirs, err := filepath.Glob(filepath.Join(e.oldDir(), "v*"))
	var releases []string
	for _, dir := range dirs {
		releases = append(releases, filepath.Base(dir))
	}
	return releases, err
}

func (e *Engine) oldDir() string {
	return filepath.Join(e.repo, "integration", "engine", "oldbuildkit")
}

// stopBeside ends the daemons of a test that was killed.
func (e *Engine) stopBeside(ctx context.Context) error {
	files, err := filepath.Glob(e.pidPath("*"))
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".pid")
		if name == "dockerd" || strings.HasPrefix(name, "buildkitd-") {
			err = errors.Join(err, e.stop(ctx, name))
		}
	}
	return err
}

func (e *Engine) buildOld(ctx context.Context, release, bin string) error {
	if _, err := os.Stat(bin); err == nil {
		return nil
	}
	e.logf("compiling buildkitd %s (a minute the first time)", release)
	cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-ldflags", "-s -w", "-o", bin, "github.com/moby/buildkit/cmd/buildkitd")
	cmd.Dir = filepath.Join(e.oldDir(), release)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-mod=readonly")
	return e.run(cmd)
}

// oldBuildkitdConfig has only the keys that all releases know.
func (e *Engine) oldBuildkitdConfig() string {
	return fmt.Sprintf(`root = %q

[grpc]
  address = [%q]

[worker.oci]
  enabled = true
  snapshotter = "overlayfs"
  networkMode = "host"

[worker.containerd]
  enabled = false

[registry."docker.io"]
  mirrors = [%[3]q]

[registry."ghcr.io"]
  mirrors = [%[3]q]

[registry.%[3]q]
  http = true
`, e.path("buildkit"), e.ownHost(), e.Registry())
}
