package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Fresh is an engine with a daemon that knows nothing yet, beside this engine's
// and with the same registry: what another machine would give. It runs until
// stop, which removes its state.
func (e *Engine) Fresh(ctx context.Context, name string) (fresh *Engine, stop func() error, err error) {
	return e.fresh(ctx, name, 0)
}

// Small is Fresh whose daemon has a disk of so many bytes.
func (e *Engine) Small(ctx context.Context, name string, size int64) (small *Engine, stop func() error, err error) {
	return e.fresh(ctx, name, size)
}

func (e *Engine) fresh(ctx context.Context, name string, size int64) (*Engine, func() error, error) {
	fresh := &Engine{dir: e.path("fresh", name), repo: e.repo, log: e.log, registryAddr: e.Registry()}
	if err := fresh.Purge(ctx); err != nil { // of a test that was killed
		return nil, nil, err
	}
	if err := os.MkdirAll(fresh.StateDir(), 0o755); err != nil {
		return nil, nil, err
	}
	if size > 0 {
		if err := syscall.Mount("tmpfs", fresh.StateDir(), "tmpfs", 0, fmt.Sprintf("size=%d", size)); err != nil {
			return nil, nil, fmt.Errorf("mount a disk of %d bytes: %w", size, err)
		}
	}
	stop := func() error { return fresh.Purge(context.WithoutCancel(ctx)) }
	if err := os.Symlink(e.Bin(""), fresh.Bin("")); err != nil {
		return nil, nil, errors.Join(err, stop())
	}
	if err := fresh.StartDaemon(ctx); err != nil {
		return nil, nil, errors.Join(err, stop())
	}
	return fresh, stop, fresh.createBuilder(ctx)
}

// downFresh stops what a test has left that was killed.
func (e *Engine) downFresh(ctx context.Context) error {
	dirs, err := filepath.Glob(e.path("fresh", "*"))
	for _, dir := range dirs {
		if err := (&Engine{dir: dir, log: e.log}).Down(ctx); err != nil {
			return err
		}
	}
	return err
}

// StateDir is where the build daemon keeps its cache and its history.
func (e *Engine) StateDir() string { return e.path("buildkit") }

// DaemonLog is the file that the build daemon logs to.
func (e *Engine) DaemonLog() string { return e.logPath("buildkitd") }

// DaemonPID is the build daemon's process, or 0 where it does not run or is not ours.
func (e *Engine) DaemonPID() int { return e.pid("buildkitd") }

// StartDaemon starts the build daemon with the state that it left, if it does not run.
func (e *Engine) StartDaemon(ctx context.Context) error { return e.startBuildkitd(ctx) }

// KillDaemon ends the build daemon with SIGKILL, as the kernel does where memory is
// short. What it was doing stays as it is, and StartDaemon goes on from there.
func (e *Engine) KillDaemon() error {
	pid := e.DaemonPID()
	if pid == 0 {
		return fmt.Errorf("the daemon in %q does not run", e.dir)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		return fmt.Errorf("kill the daemon: %w", err)
	}
	for deadline := time.Now().Add(stopTimeout); e.DaemonPID() != 0; time.Sleep(pollInterval) {
		if time.Now().After(deadline) {
			return fmt.Errorf("the daemon (process %d) does not end", pid)
		}
	}
	return nil
}
