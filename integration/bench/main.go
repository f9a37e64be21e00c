// Command bench builds and starts the V0 server's image twice, by this frontend
// and by the Dockerfile of the proof of concept, and prints what each took as a
// table in Markdown. It empties the cache of the engine's daemon.
//
//	make bench
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/openhands/llb-frontend/integration/engine"
)

func main() {
	starts := flag.Int("starts", 5, "how often each image is started with a cold, and with a warm page cache")
	changes := flag.Bool("changes", true, "measure builds after a change of one component too")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Stdout, *starts, *changes)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, w io.Writer, starts int, changes bool) error {
	if starts < 1 {
		return fmt.Errorf("-starts is %d, want 1 or more", starts)
	}
	e, err := engine.Open(engine.Config{})
	if err != nil {
		return err
	}
	if err := e.Up(ctx); err != nil {
		return err
	}
	if err := e.Images(ctx, base); err != nil {
		return err
	}
	if err := e.PublishFrontend(ctx); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{Engine: e, checkout: filepath.Join(dir, "checkout"), specs: dir, changes: changes}
	ours, err := b.ours(ctx)
	if err != nil {
		return err
	}
	peer, err := b.peer(ctx)
	if err != nil {
		return err
	}
	subjects := []*subject{ours, peer}
	for _, s := range subjects {
		if err := b.builds(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	if err := b.prune(ctx); err != nil { // room for what containers unpack
		return err
	}
	// The builds' figures took long: they are shown whatever the starts do.
	return errors.Join(b.startUps(ctx, subjects, starts), table(w, ours, peer))
}
