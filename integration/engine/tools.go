package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// toolPackages are the tool lines of integration/go.mod; versions are there and
// nowhere else. The last one is ours.
var toolPackages = []string{
	"github.com/moby/buildkit/cmd/buildkitd",
	"github.com/moby/buildkit/cmd/buildctl",
	"github.com/docker/buildx/cmd/buildx",
	"github.com/distribution/distribution/v3/cmd/registry",
	"github.com/openhands/llb-frontend/integration/cmd/mirror",
}

// buildTools compiles the tools once per go.mod and Go version.
func (e *Engine) buildTools(ctx context.Context) error {
	if e.externalHost == "" {
		if err := e.NeedPrograms(ctx, "runc"); err != nil {
			return err
		}
	}
	key, err := e.toolsKey()
	if err != nil {
		return err
	}
	stamp := e.Bin(".key")
	if have, err := os.ReadFile(stamp); err == nil && string(have) == key {
		return nil
	}
	e.logf("compiling buildkitd, buildctl, buildx, registry and mirror (minutes the first time)")
	if err := os.MkdirAll(e.Bin(""), 0o755); err != nil {
		return err
	}
	args := append([]string{"build", "-buildvcs=false", "-ldflags", "-s -w", "-o", e.Bin("") + "/"}, toolPackages...)
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = filepath.Join(e.repo, "integration")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-mod=readonly")
	if err := e.run(cmd); err != nil {
		return err
	}
	return os.WriteFile(stamp, []byte(key), 0o644)
}

func (e *Engine) toolsKey() (string, error) {
	h := sha256.New()
	fmt.Fprintln(h, runtime.Version(), strings.Join(toolPackages, " "))
	for _, name := range []string{"go.mod", "go.sum", "cmd/mirror/main.go", "mirror/handler.go"} {
		b, err := os.ReadFile(filepath.Join(e.repo, "integration", name))
		if err != nil {
			return "", err
		}
		h.Write(b)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// programPackages names the Debian package of every program that the engine
// takes from the PATH, where the two differ.
var programPackages = map[string][]string{
	"aarch64-linux-gnu-g++": {"g++-aarch64-linux-gnu"},
	"dpkg-deb":              {"dpkg"},
	"newuidmap":             {"uidmap"},
	"mmdebstrap":            {"mmdebstrap", "debian-archive-keyring"},
	"musl-gcc":              {"musl-tools", "gcc", "libc6-dev"},
	"pip3":                  {"python3-pip"},
	"qemu-aarch64-static":   {"qemu-user-static"},
	"x86_64-linux-gnu-g++":  {"g++-x86-64-linux-gnu"},
}

// NeedPrograms installs the programs that are missing in PATH with apt-get, and
// says so.
func (e *Engine) NeedPrograms(ctx context.Context, programs ...string) error {
	var missing, packages []string
	for _, program := range programs {
		if _, err := exec.LookPath(program); err == nil {
			continue
		}
		missing = append(missing, program)
		if p, ok := programPackages[program]; ok {
			packages = append(packages, p...)
		} else {
			packages = append(packages, program)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("%s not in PATH, and there is no apt-get to install it: install it yourself", strings.Join(missing, ", "))
	}
	// The tests of two packages may miss something at the same time.
	unlock, err := e.lockFile("apt.lock")
	if err != nil {
		return err
	}
	defer unlock()
	e.logf("installing with apt-get: %s", strings.Join(packages, " "))
	for _, args := range [][]string{
		{"update", "-q"},
		append([]string{"install", "-q", "-y", "--no-install-recommends"}, packages...),
	} {
		cmd := exec.CommandContext(ctx, "apt-get", args...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if err := e.run(cmd); err != nil {
			return err
		}
	}
	for _, program := range missing {
		if _, err := exec.LookPath(program); err != nil {
			return errors.Join(fmt.Errorf("installed %s, but %s is not in PATH", strings.Join(packages, " "), program), err)
		}
	}
	return nil
}
