package engine

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// layerAge is how long an unpacked layer is kept that no container has used:
// images of this project are gigabytes, and each change of a stage makes others.
const layerAge = 12 * time.Hour

// used notes that a container wants a layer. The layer's own times are its
// image's, so a file beside it has them.
func used(dir string) error {
	return os.WriteFile(dir+".used", nil, 0o644)
}

// pruneLayers removes unpacked layers that nobody has used for long. It must not
// run while containers do: overlayfs needs what it has mounted.
func (e *Engine) pruneLayers(context.Context) error {
	unlock, err := e.lockFile("layers.lock")
	if err != nil {
		return err
	}
	defer unlock()
	running, err := os.ReadDir(e.path("containers"))
	if len(running) > 0 || err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	layers, err := os.ReadDir(e.path("layers"))
	if err != nil {
		return nil //nolint:nilerr // there are none yet
	}
	for _, l := range layers {
		if !l.IsDir() {
			continue
		}
		dir := filepath.Join(e.path("layers"), l.Name())
		if info, err := os.Stat(dir + ".used"); err == nil && time.Since(info.ModTime()) < layerAge {
			continue
		}
		if err := errors.Join(removeAll(dir), removeAll(strings.TrimSuffix(dir, ".part")+".used")); err != nil {
			return err
		}
	}
	return nil
}
