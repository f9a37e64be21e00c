package engine

import (
	"context"
	"os"
	"path/filepath"
)

// Fresh is an engine with a daemon that knows nothing yet, beside this engine's
// and with the same registry: what another machine would give. It runs until
// stop, which removes its state.
func (e *Engine) Fresh(ctx context.Context, name string) (fresh *Engine, stop func() error, err error) {
	fresh = &Engine{dir: e.path("fresh", name), repo: e.repo, log: e.log, registryAddr: e.Registry()}
	if err := fresh.Purge(ctx); err != nil { // of a test that was killed
		return nil, nil, err
	}
	if err := os.MkdirAll(fresh.path(), 0o755); err != nil {
		return nil, nil, err
	}
	if err := os.Symlink(e.Bin(""), fresh.Bin("")); err != nil {
		return nil, nil, err
	}
	if err := fresh.startBuildkitd(ctx); err != nil {
		return nil, nil, err
	}
	return fresh, func() error { return fresh.Purge(context.WithoutCancel(ctx)) }, fresh.createBuilder(ctx)
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
