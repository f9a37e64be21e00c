// Command engine runs the local build engine of this repository: see the
// package engine for what it is made of.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/openhands/llb-frontend/integration/engine"
)

const usage = `usage: go run ./cmd/engine COMMAND

  up                  start the registry and buildkitd, make and push the base images of the examples
  down [--purge]      stop everything; --purge removes all caches too
  status              show what runs and which images are served
  images [NAME...]    make and push base images, all when none is named
  publish             build the frontend image with the repository's Dockerfile and push it
  build SPEC [ARG...] run buildx build on a spec file or the directory that holds one
  run [FLAG...] IMAGE [-- CMD...]
                      run a container of a pushed image (run -h shows the flags)
  env                 print the environment that buildctl and buildx need, for eval in a shell
  demo                do all of the above for three examples, and use the server of the last
  test [ARG...]       up, publish, go test with these arguments, down (unless KEEP is set)
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	var exit *exitError
	switch {
	case errors.As(err, &exit):
		os.Exit(exit.code)
	case err != nil:
		fmt.Fprintln(os.Stderr, "engine:", err)
		os.Exit(1)
	}
}

// exitError passes the exit code of a program that has already said why.
type exitError struct{ code int }

func (e *exitError) Error() string { return fmt.Sprintf("exit code %d", e.code) }

func run(ctx context.Context, args []string) error {
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		fmt.Print(usage)
		return nil
	}
	commands := map[string]func(context.Context, *engine.Engine, []string) error{
		"up": up, "down": down, "status": status, "images": images, "publish": publish,
		"build": build, "run": runContainer, "env": env, "demo": demo, "test": test,
	}
	command, ok := commands[args[0]]
	if !ok {
		return fmt.Errorf("unknown command %q\n\n%s", args[0], usage)
	}
	e, err := engine.Open(engine.Config{})
	if err != nil {
		return err
	}
	return command(ctx, e, args[1:])
}

func up(ctx context.Context, e *engine.Engine, _ []string) error {
	if err := e.Up(ctx); err != nil {
		return err
	}
	if err := e.Images(ctx, engine.ExampleImages()...); err != nil {
		return err
	}
	return status(ctx, e, nil)
}

func images(ctx context.Context, e *engine.Engine, names []string) error {
	if err := e.Up(ctx); err != nil {
		return err
	}
	if len(names) == 0 {
		names = engine.BaseImages()
	}
	return e.Images(ctx, names...)
}

func publish(ctx context.Context, e *engine.Engine, platforms []string) error {
	if err := e.Up(ctx); err != nil {
		return err
	}
	return e.PublishFrontend(ctx, platforms...)
}

func down(ctx context.Context, e *engine.Engine, args []string) error {
	if len(args) > 0 && args[0] == "--purge" {
		return e.Purge(ctx)
	}
	return e.Down(ctx)
}

func status(ctx context.Context, e *engine.Engine, _ []string) error {
	s := e.Status(ctx)
	up := map[bool]string{true: "up", false: "not running"}
	fmt.Printf("state directory  %s\n", e.Dir())
	fmt.Printf("build daemon     %s (ours: %s)\n", s.BuildkitHost, up[s.BuildkitUp])
	fmt.Printf("registry         %s (%s)\n", s.Registry, up[s.RegistryUp])
	fmt.Printf("mirror           %s (%s)\n", s.Mirror, up[s.MirrorUp])
	fmt.Printf("frontend         %s\n", cmp.Or(s.Frontend, "not published"))
	fmt.Printf("base images      %s\n", cmp.Or(strings.Join(s.Images, " "), "none"))
	return nil
}
