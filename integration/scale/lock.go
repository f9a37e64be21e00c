package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	lockfile "github.com/openhands/llb-frontend/frontend/lock"
)

// collection is what it took to write the lock of some bases.
type collection struct {
	Bases   int     `json:"bases"`
	Seconds float64 `json:"seconds"`
	Read    int64   `json:"read"` // bytes of layers
	Size    int64   `json:"size"` // of the file, in bytes
}

// writeLock puts the lock of all bases into a build context, as a user does by one
// call of buildx. Afterwards the daemon knows nothing again.
func (w *world) writeLock(ctx context.Context, dir string, jobs []job, deps v1.Hash) (*collection, error) {
	var list []string
	for _, j := range jobs {
		list = append(list, j.base)
	}
	if err := os.WriteFile(filepath.Join(dir, lockfile.ListName), []byte(strings.Join(list, "\n")+"\n"), 0o644); err != nil {
		return nil, err
	}
	w.proxy.taken()
	cmd := w.client(ctx, batch{dir: dir}, []string{"build", "-f", buildFile, "--target", "lock", "-o", ".", "."})
	began := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("write a lock: %w\n%s", err, lastWords(string(out)))
	}
	c := &collection{Bases: len(jobs), Seconds: round(time.Since(began).Seconds())}
	read, err := w.sort(ctx, w.proxy.taken(), deps)
	if err != nil {
		return nil, err
	}
	c.Read = read.Bases
	file, err := os.Stat(filepath.Join(dir, lockfile.Name))
	if err != nil {
		return nil, err
	}
	c.Size = file.Size()
	if err := w.prune(ctx); err != nil {
		return nil, err
	}
	_, err = w.settle(ctx)
	return c, err
}

// String is a sentence of the report.
func (c *collection) String() string {
	return fmt.Sprintf("Writing the lock of %d bases took %.0f s once, and read %s of their layers; it has %s.",
		c.Bases, c.Seconds, formatBytes(c.Read), formatBytes(c.Size))
}
