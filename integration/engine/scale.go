package engine

import (
	"context"
	"os"
)

// Scale is an engine for benchmarks, beside this one: the same tools, a daemon and
// a registry of their own, and neither mirror nor base images. Nothing that others
// leave in this engine's cache reaches it, and emptying its cache takes nothing
// from them. It ends with Down, of either engine; its registry keeps what it holds.
func (e *Engine) Scale(ctx context.Context) (*Engine, error) {
	inner := &Engine{dir: e.path("scale"), repo: e.repo, log: e.log}
	unlock, err := inner.lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := os.Symlink(e.Bin(""), inner.Bin("")); err != nil && !os.IsExist(err) {
		return nil, err
	}
	for _, step := range []func(context.Context) error{inner.startRegistry, inner.startBuildkitd, inner.createBuilder} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return inner, nil
}
