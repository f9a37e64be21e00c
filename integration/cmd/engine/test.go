package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/openhands/llb-frontend/integration/engine"
)

// testTimeout is above what the tests take (70 minutes from an empty state
// directory on two cores) and ends what hangs.
const testTimeout = "85m"

// test brings the engine up, runs the integration tests with the given
// arguments of go test, and takes the engine down again unless KEEP is set.
func test(ctx context.Context, e *engine.Engine, args []string) (err error) {
	if os.Getenv("KEEP") == "" {
		defer func() {
			// Also after an interrupt, which ends ctx.
			down, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
			defer cancel()
			err = errors.Join(err, e.Down(down))
		}()
	}
	if err := e.Up(ctx); err != nil {
		return err
	}
	if err := e.PublishFrontend(ctx); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", append([]string{"test", "-count=1", "-timeout=" + testTimeout}, append(args, "./...")...)...)
	cmd.Dir = filepath.Join(e.Repo(), "integration")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("integration tests: %w", err)
	}
	return nil
}
