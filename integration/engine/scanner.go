package engine

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
)

// Scanner is the name of the image that BuildKit scans images with by default
// (--sbom=true). The local registry serves a small one of ours under it.
const Scanner = "docker/buildkit-syft-scanner:stable-1"

// scannerLayer holds cmd/scanner. Raise the number in its key when that changes.
var scannerLayer = layerRecipe{key: "scanner-2", make: func(ctx context.Context, e *Engine, arch string) (tree, error) {
	program, err := e.staticProgram(ctx, "scanner", arch)
	if err != nil {
		return nil, err
	}
	t := tree{}
	t.file("bin/scanner", 0o755, program)
	return t, nil
}}

// staticProgram compiles a command of this module, and returns its bytes.
func (e *Engine) staticProgram(ctx context.Context, name, arch string) (string, error) {
	dir, err := os.MkdirTemp(e.dir, name+"-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	bin := filepath.Join(dir, name)
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -buildid=", "-o", bin, "./cmd/"+name)
	cmd.Dir = filepath.Join(e.repo, "integration")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
	if err := e.run(cmd); err != nil {
		return "", err
	}
	program, err := os.ReadFile(bin)
	return string(program), err
}
