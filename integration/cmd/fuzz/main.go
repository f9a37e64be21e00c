// Command fuzz runs every fuzz target of the frontend's module for a while, and
// writes the figures into docs/reliability.md. `make soak-fuzz` calls it.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"time"

	"github.com/openhands/llb-frontend/integration/marks"
)

type options struct {
	root   string        // of the checkout
	time   time.Duration // of each target
	atOnce int           // targets
}

func main() {
	var o options
	flag.StringVar(&o.root, "root", "..", "the `directory` of the checkout")
	flag.DurationVar(&o.time, "time", 10*time.Minute, "`time` of each fuzz target")
	flag.IntVar(&o.atOnce, "at", max(1, runtime.NumCPU()), "fuzz targets at once")
	write := flag.Bool("docs", false, "write the figures into docs/reliability.md")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, o, *write)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "fuzz:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options, write bool) error {
	table, err := fuzz(ctx, o)
	if err != nil {
		return err
	}
	fmt.Println(table.Markdown())
	if !write {
		return nil
	}
	return marks.Write(filepath.Join(o.root, "docs/reliability.md"), "fuzz", table.Markdown())
}
