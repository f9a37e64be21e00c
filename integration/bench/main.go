// Command bench builds and starts the V0 server's image twice, by this frontend
// and by the Dockerfile of the proof of concept, and prints what each took as a
// table in Markdown. It empties the cache of the engine's daemon.
//
//	go run ./bench -docs
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/openhands/llb-frontend/integration/engine"
	"github.com/openhands/llb-frontend/integration/marks"
)

// options are what a run is asked for.
type options struct {
	starts        int
	changes, docs bool
}

func main() {
	starts := flag.Int("starts", 5, "how often each image is started with a cold, and with a warm page cache")
	changes := flag.Bool("changes", true, "measure builds after a change of one component too")
	docs := flag.Bool("docs", false, "write the table into docs/benchmarks.md")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, options{*starts, *changes, *docs})
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, opt options) error {
	if opt.starts < 1 {
		return fmt.Errorf("-starts is %d, want 1 or more", opt.starts)
	}
	began := time.Now()
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
	b := &bench{Engine: e, checkout: filepath.Join(dir, "checkout"), specs: dir, changes: opt.changes}
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
	err = b.startUps(ctx, subjects, opt.starts)
	text := table(ours, peer)
	fmt.Print(text)
	if !opt.docs || err != nil {
		return err
	}
	text += fmt.Sprintf("\n%s, %d cores, `go run ./bench %s`.\n", began.UTC().Format(time.DateOnly), runtime.NumCPU(), strings.Join(os.Args[1:], " "))
	return marks.Write(filepath.Join(e.Repo(), "docs/benchmarks.md"), "bench", text)
}
