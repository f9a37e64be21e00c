package engine

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"
)

// demoExamples are built and shown by Demo: a glibc base and a musl base.
var demoExamples = []string{"minimal", "alpine"}

// demoServerExample is built, and its server is used.
const demoServerExample = "server-alpine"

// tmuxScript runs a few of the tools inside a tmux session and prints what a
// person would see on its screen. The session's shell says when it is done.
const tmuxScript = `
set -eu
tmux -u -L demo new-session -d -x 100 -y 24 'bash --norc -c "
  echo \"tmux session as \$(id -un 2>/dev/null || echo uid \$UID) in \$PWD: grüße, 你好\"
  tmux -V; bash --version | head -n 1; git --version; jq --version; rg --version | head -n 1
  tmux -L demo wait-for -S done; exec sleep 60"'
tmux -L demo wait-for done
tmux -u -L demo capture-pane -p
tmux -L demo kill-server
`

// Demo takes a fresh machine from nothing to running images, the last one with
// OpenHands' server in it, and prints what happens to w.
func (e *Engine) Demo(ctx context.Context, w io.Writer) error {
	if err := e.Up(ctx); err != nil {
		return err
	}
	if err := e.Images(ctx, ExampleImages()...); err != nil {
		return err
	}
	if err := e.PublishFrontend(ctx); err != nil {
		return err
	}
	for _, example := range demoExamples {
		if err := e.demo(ctx, w, example); err != nil {
			return fmt.Errorf("example %s: %w", example, err)
		}
	}
	if err := e.demoServer(ctx, w, demoServerExample); err != nil {
		return fmt.Errorf("example %s: %w", demoServerExample, err)
	}
	if err := e.demoAgent(ctx, w); err != nil {
		return fmt.Errorf("example %s on %s: %w", demoAgentExample, demoAgentBase, err)
	}
	if err := e.demoCheck(ctx, w, demoAgentExample); err != nil {
		return fmt.Errorf("example %s: %w", demoAgentExample, err)
	}
	fmt.Fprintf(w, "\nThe engine keeps running for the next build; make down stops it.\n")
	return nil
}

// demoBuild builds an example and returns the image's name in the local registry.
func (e *Engine) demoBuild(ctx context.Context, w io.Writer, example string) (string, error) {
	spec := filepath.Join("examples", example, SpecFile)
	image := ExampleImage(example)
	heading(w, "buildx build -f "+spec)
	return image, e.demoBuildAs(ctx, w, filepath.Join(e.repo, spec), image)
}

func (e *Engine) demoBuildAs(ctx context.Context, w io.Writer, spec, image string) error {
	started := time.Now()
	built, err := e.Build(ctx, BuildOptions{Spec: spec, Image: image, Log: w})
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "\n%s@%s in %.1f s\n", built.Ref, built.Digest, time.Since(started).Seconds())
	return nil
}

// demoCheck lets the frontend's own target start a server and use it.
func (e *Engine) demoCheck(ctx context.Context, w io.Writer, example string) error {
	spec := filepath.Join("examples", example, SpecFile)
	heading(w, "buildx build -f "+spec+" --target check")
	_, err := e.Build(ctx, BuildOptions{Spec: filepath.Join(e.repo, spec), Args: []string{"--target=check", "--no-cache-filter=check"}, Log: w})
	return err
}

func (e *Engine) demo(ctx context.Context, w io.Writer, example string) error {
	image, err := e.demoBuild(ctx, w, example)
	if err != nil {
		return err
	}
	heading(w, "a container of "+image+": its tmux screen")
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	ran, err := e.Run(ctx, RunOptions{Image: image, Entrypoint: []string{"bash", "-c", tmuxScript}})
	if err != nil {
		return err
	}
	if ran.ExitCode != 0 {
		return fmt.Errorf("the container ended with exit code %d:\n%s%s", ran.ExitCode, ran.Stdout, ran.Stderr)
	}
	fmt.Fprintln(w, strings.TrimRight(ran.Stdout, "\n"))
	return nil
}

func heading(w io.Writer, text string) {
	fmt.Fprintf(w, "\n=== %s %s\n\n", text, strings.Repeat("=", max(3, 90-len(text))))
}
