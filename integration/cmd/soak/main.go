// Command soak makes the long runs of `make soak`, and writes their figures into
// docs/reliability.md. Its arguments are the parts to run; all of them without.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/openhands/llb-frontend/integration/reliability"
)

// part is one kind of long run. Its table stands in the page under the part's name.
type part struct {
	name string
	run  func(ctx context.Context, o options) (reliability.Table, error)
}

func parts() []part {
	return []part{{"fuzz", fuzz}}
}

type options struct {
	root     string        // of the checkout
	fuzzTime time.Duration // of each target
	parallel int
}

func main() {
	var o options
	flag.StringVar(&o.root, "root", "..", "the `directory` of the checkout")
	flag.DurationVar(&o.fuzzTime, "fuzztime", 10*time.Minute, "`time` of each fuzz target")
	flag.IntVar(&o.parallel, "parallel", 1, "workers of a fuzz target")
	write := flag.Bool("docs", false, "write the figures into docs/reliability.md")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o, flag.Args(), *write); err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options, names []string, write bool) error {
	wanted, err := choose(names)
	if err != nil {
		return err
	}
	for _, p := range wanted {
		table, err := p.run(ctx, o)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		fmt.Println(table.Markdown())
		if write {
			if err := writeDocs(filepath.Join(o.root, "docs/reliability.md"), "soak-"+p.name, table); err != nil {
				return err
			}
		}
	}
	return nil
}

// choose gives the parts of these names, all of them for none.
func choose(names []string) ([]part, error) {
	if len(names) == 0 {
		return parts(), nil
	}
	known := map[string]part{}
	for _, p := range parts() {
		known[p.name] = p
	}
	var chosen []part
	for _, name := range names {
		p, ok := known[name]
		if !ok {
			return nil, fmt.Errorf("unknown part %q", name)
		}
		chosen = append(chosen, p)
	}
	return chosen, nil
}

func writeDocs(file, name string, table reliability.Table) error {
	page, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	text, err := reliability.Replace(string(page), name, table.Markdown())
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return os.WriteFile(file, []byte(text), 0o644)
}
