package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/moby/buildkit/client"

	"github.com/openhands/llb-frontend/integration/engine"
)

// base is what both images are put on.
const base = "debian:trixie-slim"

// change is what is different from the first build.
type change int

const (
	nothing change = iota
	otherVSCode
	sameCode // that of the checkout, before it is changed
	otherCode
)

// subject is one of the two images, and what was measured of it.
type subject struct {
	name    string
	options func(change) (engine.BuildOptions, error)
	// built is called behind the first build.
	built func(ctx context.Context) error

	image              string // of the first build
	cold, vscode, code engine.Usage
	size               size
	startCold          []float64 // seconds
	startWarm          []float64
}

// bench is an engine and the files that its builds read.
type bench struct {
	*engine.Engine
	checkout string // the server's code
	specs    string
	changes  bool // builds after a change are measured
}

// builds measures a subject's builds, from an empty cache on.
func (b *bench) builds(ctx context.Context, s *subject) error {
	if err := b.coldBuild(ctx, s); err != nil || !b.changes {
		return err
	}
	return b.changedBuilds(ctx, s)
}

func (b *bench) coldBuild(ctx context.Context, s *subject) error {
	if err := b.prune(ctx); err != nil {
		return err
	}
	var err error
	if s.cold, err = b.build(ctx, s, nothing, s.image); err != nil {
		return err
	}
	if s.size, err = b.sizeOf(ctx, s.image); err != nil {
		return err
	}
	if s.built != nil {
		return s.built(ctx)
	}
	return nil
}

// changedBuilds measures builds that differ from the first in one component.
func (b *bench) changedBuilds(ctx context.Context, s *subject) error {
	known, err := b.records(ctx)
	if err != nil {
		return err
	}
	if s.vscode, err = b.build(ctx, s, otherVSCode, s.image+"-vscode"); err != nil {
		return err
	}
	if err := b.forget(ctx, known); err != nil {
		return err
	}
	// The first build of a checkout has another cache than that of a release.
	if _, err := b.build(ctx, s, sameCode, s.image+"-code"); err != nil {
		return err
	}
	restore, err := b.editCode()
	if err != nil {
		return err
	}
	if s.code, err = b.build(ctx, s, otherCode, s.image+"-code"); err != nil {
		return err
	}
	return restore()
}

// build measures one build, from the client's start to the pushed image.
func (b *bench) build(ctx context.Context, s *subject, c change, image string) (engine.Usage, error) {
	opt, err := s.options(c)
	if err != nil {
		return engine.Usage{}, err
	}
	opt.Image = image
	opt.Args = append(opt.Args, "--provenance=false")
	usage, err := b.Measure(ctx, func(ctx context.Context) error {
		_, err := b.Build(ctx, opt)
		return err
	})
	fmt.Fprintf(os.Stderr, "bench: %s, %s: %.1f s, %.0f s of CPU\n", s.name, c, usage.Wall.Seconds(), usage.CPU.Seconds())
	return usage, err
}

func (c change) String() string {
	return [...]string{"cold", "another VS Code", "the same code", "a changed line of code"}[c]
}

// editCode adds a line to the server's code until restore is called.
func (b *bench) editCode() (restore func() error, err error) {
	file := filepath.Join(b.checkout, "openhands", "runtime", "runtime_status.py")
	old, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	edited := fmt.Appendf(nil, "%s\nCHANGED = %d\n", old, os.Getpid())
	return func() error { return os.WriteFile(file, old, 0o644) }, os.WriteFile(file, edited, 0o644)
}

// prune empties the daemon's cache, with all that stages have downloaded.
func (b *bench) prune(ctx context.Context) error {
	if out, err := b.Buildctl(ctx, "prune", "--all").CombinedOutput(); err != nil {
		return fmt.Errorf("prune: %w\n%s", err, out)
	}
	return nil
}

// records are the ids of what is in the daemon's cache.
func (b *bench) records(ctx context.Context) (map[string]bool, error) {
	c, err := client.New(ctx, b.BuildkitHost())
	if err != nil {
		return nil, err
	}
	defer c.Close()
	list, err := c.DiskUsage(ctx)
	if err != nil {
		return nil, err
	}
	ids := map[string]bool{}
	for _, r := range list {
		ids[r.ID] = true
	}
	return ids, nil
}

// forget drops what is not known from the cache: two builds of the peer do not
// fit on a small disk.
func (b *bench) forget(ctx context.Context, known map[string]bool) error {
	now, err := b.records(ctx)
	if err != nil {
		return err
	}
	var filters []string
	for id := range now {
		if !known[id] {
			filters = append(filters, "id=="+id)
		}
	}
	if len(filters) == 0 {
		return nil
	}
	c, err := client.New(ctx, b.BuildkitHost())
	if err != nil {
		return err
	}
	defer c.Close()
	return c.Prune(ctx, nil, client.PruneAll, client.WithFilter(filters))
}
