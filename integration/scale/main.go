// Command scale puts one /openhands on many bases, by this frontend and by the
// Dockerfiles that people use instead, and says what each further image costs: time,
// processor, bytes read and bytes new. It has a daemon and a registry of its own,
// beside the engine's.
//
//	make bench-quick            # the headline
//	go run ./scale -docs        # all scenarios, into docs/benchmarks
//	go run ./scale -only payload,layers -ways root,link -bases 5
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
	"strings"
	"syscall"
	"time"

	"github.com/openhands/llb-frontend/integration/engine"
)

// options are what a run is asked for.
type options struct {
	only, ways []string // names; empty for all
	quick      bool
	bases      int   // at most so many further bases in a measurement, 0 for no limit
	size       int64 // at most so many bytes of /openhands, 0 for no limit
	json       string
	docs       bool
	again      bool // write the documents from the JSON that is there
	command    string
	// hasty does not wait for what the daemon writes seconds behind a build: figures
	// of processors and of the daemon's store then lack some of it.
	hasty bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	opt, err := parse(os.Args[1:], os.Stderr)
	if err == nil {
		err = run(ctx, os.Stdout, opt)
	}
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "scale:", err)
		os.Exit(1)
	}
}

// parse reads the command line. What -h asks for goes to help.
func parse(args []string, help io.Writer) (options, error) {
	opt := options{command: strings.Join(append([]string{"go run ./scale"}, args...), " ")}
	flags := flag.NewFlagSet("scale", flag.ContinueOnError)
	names := func(list *[]string, known func(string) bool, what string) func(string) error {
		return func(value string) error {
			*list = strings.Split(value, ",")
			for _, name := range *list {
				if !known(name) {
					return fmt.Errorf("no %s %q", what, name)
				}
			}
			return nil
		}
	}
	flags.Func("only", "`scenarios`, separated by commas: "+scenarioNames(), names(&opt.only, isScenario, "scenario"))
	flags.Func("ways", "`ways`, separated by commas: "+wayNames(), names(&opt.ways, isWay, "way"))
	flags.BoolVar(&opt.quick, "quick", false, "the headline alone, in minutes")
	flags.IntVar(&opt.bases, "bases", 0, "at most so many further bases in a measurement")
	flags.Func("size", "at most so much in /openhands, such as 20MB or 2GB", func(value string) (err error) {
		opt.size, err = parseBytes(value)
		return err
	})
	flags.StringVar(&opt.json, "json", "", "`file` that gets all values")
	flags.BoolVar(&opt.docs, "docs", false, "write docs/benchmarks and the section of docs/benchmarks.md")
	flags.BoolVar(&opt.again, "again", false, "measure nothing: write the documents from the values that are there")
	flags.SetOutput(io.Discard) // main says what is wrong, once
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			flags.SetOutput(help)
			flags.PrintDefaults()
		}
		return opt, err
	}
	if flags.NArg() > 0 {
		return opt, fmt.Errorf("unknown argument %q: all are flags", flags.Arg(0))
	}
	return opt, nil
}

func run(ctx context.Context, out io.Writer, opt options) error {
	e, err := engine.Open(engine.Config{})
	if err != nil {
		return err
	}
	docs := filepath.Join(e.Repo(), "docs")
	if opt.again {
		return writeDocs(docs)
	}
	report, err := measureAll(ctx, e, opt)
	if report == nil {
		return err
	}
	// What was measured took long: it is kept whatever came in the way.
	opt.docs = opt.docs && err == nil
	return errors.Join(err, report.keep(out, opt, docs), report.failed())
}

func measureAll(ctx context.Context, e *engine.Engine, opt options) (*report, error) {
	began := time.Now()
	w, err := newWorld(ctx, e)
	if err != nil {
		return nil, err
	}
	w.hasty = opt.hasty
	r := &report{}
	err = w.scenarios(ctx, opt, r)
	if err == nil {
		err = w.frontendFigures(ctx, r)
	}
	r.Machine, r.Command = machineOf(w.Engine), opt.command
	r.Date, r.Seconds = began.UTC().Format(time.DateOnly), round(time.Since(began).Seconds())
	return r, errors.Join(err, w.close(context.WithoutCancel(ctx)))
}

// keep prints the report and writes the files that were asked for.
func (r *report) keep(out io.Writer, opt options, docs string) error {
	if err := r.print(out); err != nil {
		return err
	}
	if opt.json != "" {
		if err := r.save(opt.json); err != nil {
			return err
		}
	}
	if !opt.docs {
		return nil
	}
	if err := r.save(filepath.Join(docs, valuesFile)); err != nil {
		return err
	}
	return writeDocs(docs)
}
