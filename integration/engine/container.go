package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// RunOptions describe a container. Empty fields mean what the image says.
type RunOptions struct {
	Image      string        // reference; a name without a registry is one of the local registry
	Arch       string        // of a multi-platform image; default: this machine's. Another needs emulation
	Args       []string      // in place of the image's command
	Entrypoint []string      // in place of the image's entrypoint and command; an empty, non-nil slice means none
	User       string        // as in USER
	Env        []string      // KEY=value, over the image's
	WorkingDir string        // absolute
	Mounts     []specs.Mount // over the standard ones
	BareEtc    bool          // without the machine's /etc/hosts and /etc/resolv.conf
	ReadOnly   bool          // with a root filesystem that nobody can write
	TTY        bool          // with a terminal; stdout and stderr come as one
	Stdin      io.Reader     // empty when nil
	Stdout     io.Writer     // beside RunResult; a terminal is passed through
	Stderr     io.Writer     // beside RunResult
}

// RunResult is what a container left behind.
type RunResult struct {
	Stdout   string
	Stderr   string
	ExitCode int
}

// Run starts a container of a pushed image with runc, waits for it and removes
// it. It shares the network of the machine. A program that fails is no error:
// see ExitCode. An error means that the container could not be run, or that ctx
// ended first; it is killed then.
func (e *Engine) Run(ctx context.Context, opt RunOptions) (*RunResult, error) {
	return e.runContainer(ctx, opt, func(string) {})
}

// runContainer is Run; named learns the container's name before it starts.
func (e *Engine) runContainer(ctx context.Context, opt RunOptions, named func(id string)) (*RunResult, error) {
	img, err := e.pull(ctx, opt.Image, firstOf(opt.Arch, runtime.GOARCH))
	if err != nil {
		return nil, err
	}
	config, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(e.path("containers"), 0o711); err != nil {
		return nil, err
	}
	bundle, err := os.MkdirTemp(e.path("containers"), "c")
	if err != nil {
		return nil, err
	}
	named(filepath.Base(bundle))
	result, err := e.runIn(ctx, img, config.Config, opt, bundle)
	return result, errors.Join(err, unmountBelow(bundle), os.RemoveAll(bundle))
}

// pull resolves an image for linux on an architecture.
func (e *Engine) pull(ctx context.Context, image, arch string) (v1.Image, error) {
	ref, err := name.ParseReference(image, name.WithDefaultRegistry(e.Registry()))
	if err != nil {
		return nil, err
	}
	images, err := imagesOf(ctx, ref)
	if err != nil {
		return nil, fmt.Errorf("pull %s: %w", ref, err)
	}
	var have []string
	for _, img := range images {
		config, err := img.ConfigFile()
		if err != nil {
			return nil, fmt.Errorf("pull %s: %w", ref, err)
		}
		if platform := config.Platform(); platform.OS == "linux" && platform.Architecture == arch {
			return img, nil
		} else {
			have = append(have, platform.String())
		}
	}
	return nil, fmt.Errorf("%s has no image for linux/%s, only for %s", ref, arch, strings.Join(have, ", "))
}

func (e *Engine) runIn(ctx context.Context, img v1.Image, config v1.Config, opt RunOptions, bundle string) (*RunResult, error) {
	rootfs, err := e.mountImage(ctx, img, bundle)
	if err != nil {
		return nil, err
	}
	id := filepath.Base(bundle)
	spec, err := runtimeSpec(config, opt, rootfs, "/"+e.cgroup()+"/"+id)
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(spec)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(bundle, "config.json"), b, 0o600); err != nil {
		return nil, err
	}
	state := e.path("runc")
	log := filepath.Join(bundle, "runc.log")
	cmd := exec.CommandContext(ctx, "runc", "--root", state, "--log", log, "--log-format", "json", "run", "--bundle", bundle, id)
	cmd.Cancel = func() error {
		return exec.CommandContext(context.WithoutCancel(ctx), "runc", "--root", state, "delete", "--force", id).Run()
	}
	cmd.WaitDelay = 5 * time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = opt.Stdin, tee(&stdout, opt.Stdout), tee(&stderr, opt.Stderr)
	if opt.TTY {
		err = runWithTerminal(cmd, opt, &stdout)
	} else {
		err = cmd.Run()
	}
	result := &RunResult{Stdout: stdout.String(), Stderr: stderr.String(), ExitCode: cmd.ProcessState.ExitCode()}
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return result, fmt.Errorf("container killed: %w", ctx.Err())
	case err != nil && !errors.As(err, &exit):
		return result, err
	case err != nil:
		return result, runcError(log)
	}
	return result, nil
}

// runcError is runc's own complaint, if it made one: it exits with 1 like any
// program when it cannot start the container's.
func runcError(log string) error {
	b, err := os.ReadFile(log)
	if err != nil {
		return err
	}
	for line := range bytes.Lines(b) {
		var entry struct{ Level, Msg string }
		if json.Unmarshal(line, &entry) == nil && (entry.Level == "error" || entry.Level == "fatal") {
			return fmt.Errorf("start the container: %s", entry.Msg)
		}
	}
	return nil
}

func tee(buffer *bytes.Buffer, w io.Writer) io.Writer {
	if w == nil {
		return buffer
	}
	return io.MultiWriter(buffer, w)
}
