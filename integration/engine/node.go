package engine

import (
	"context"
	"fmt"
	"net/http"
	"syscall"
	"time"
)

// Node is the daemon of another machine: it has its own state and its own network,
// and shares with this engine the registry alone. Every request that it makes there
// goes through watch. It runs until Stop.
func (e *Engine) Node(ctx context.Context, name string, watch func(registry http.Handler) http.Handler) (*Closed, error) {
	return e.closedIn(ctx, e.path("fresh", name), watch)
}

// Kill ends the daemon with SIGKILL, as the kernel does where memory is short. What
// it was doing stays as it is; Start goes on from there.
func (c *Closed) Kill() error {
	pid := c.pid("buildkitd")
	if pid == 0 {
		return fmt.Errorf("the daemon in %q does not run", c.dir)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		return fmt.Errorf("kill the daemon: %w", err)
	}
	for deadline := time.Now().Add(stopTimeout); c.pid("buildkitd") != 0; time.Sleep(pollInterval) {
		if time.Now().After(deadline) {
			return fmt.Errorf("the daemon (process %d) does not end", pid)
		}
	}
	return nil
}
