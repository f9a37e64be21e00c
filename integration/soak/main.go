// Command soak builds mixed specs, many at once, for a given time, and looks at what
// the build daemon, the frontends and this program keep: it fails where a build does
// not do what it has to, and where something grows.
//
//	make soak-load
//	go run ./soak -for 5m -docs
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
	"github.com/openhands/llb-frontend/integration/small"
)

// options are what a run is asked for.
type options struct {
	time    time.Duration
	workers int
	docs    bool
	command string
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
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

// parse reads the command line. What -h asks for goes to help.
func parse(args []string, help io.Writer) (options, error) {
	opt := options{command: strings.Join(append([]string{"go run ./soak"}, args...), " ")}
	flags := flag.NewFlagSet("soak", flag.ContinueOnError)
	flags.DurationVar(&opt.time, "for", time.Hour, "how `long` to build")
	flags.IntVar(&opt.workers, "at", 16, "builds at once")
	flags.BoolVar(&opt.docs, "docs", false, "write the figures into docs/reliability.md")
	flags.SetOutput(io.Discard) // main says what is wrong, once
	err := flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		flags.SetOutput(help)
		flags.PrintDefaults()
	}
	if err == nil && (flags.NArg() > 0 || opt.workers < 1 || opt.time <= 0) {
		err = fmt.Errorf("want a time and a number of builds above zero, and no argument: %q", args)
	}
	return opt, err
}

// watchInterval is how often the memory of frontends is looked at: seldom enough not
// to be a load of its own.
const watchInterval = 100 * time.Millisecond

func run(ctx context.Context, w io.Writer, opt options) (err error) {
	s, err := newSite(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	began := time.Now()
	// What the first builds leave, caches and pools, is no growth.
	warm := min(opt.time/5, 5*time.Minute)
	fmt.Fprintf(w, "building for %s, %d at once; the first %s are to warm up\n", opt.time, opt.workers, warm)
	counts := counts{}
	stop := s.WatchFrontends(watchInterval)
	if err := s.load(ctx, opt.workers, warm, counts); err != nil {
		return err
	}
	before, err := s.sample(ctx)
	if err != nil {
		return err
	}
	before.peak, stop = stop(), s.WatchFrontends(watchInterval)
	if err := s.load(ctx, opt.workers, opt.time-warm, counts); err != nil {
		return err
	}
	after, err := s.sample(ctx)
	if err != nil {
		return err
	}
	after.peak = stop()
	r := report{options: opt, began: began, counts: counts, before: before, after: after}
	fmt.Fprint(w, r.markdown())
	if opt.docs {
		if err := r.write(filepath.Join(s.Repo(), "docs")); err != nil {
			return err
		}
	}
	return r.judge()
}

// site is a daemon that builds for nobody else, and its images.
type site struct {
	*engine.Engine
	stop     func() error
	dir      string // of specs, and of temporary files of all programs
	deps     string // a deps image
	building int64  // numbers builds
}

// debugAddress is buildkitd's own variable: where it tells of its goroutines.
const debugAddress = "BUILDKITD_DEBUGADDR"

func newSite(ctx context.Context) (*site, error) {
	outer, err := engine.Open(engine.Config{})
	if err != nil {
		return nil, err
	}
	if err := outer.Up(ctx); err != nil {
		return nil, err
	}
	if err := outer.Images(ctx, bases...); err != nil {
		return nil, err
	}
	if err := outer.PublishFrontend(ctx); err != nil {
		return nil, err
	}
	s := &site{}
	if s.dir, err = os.MkdirTemp("", "soak"); err != nil {
		return nil, err
	}
	for key, value := range map[string]string{"TMPDIR": s.temporary(), debugAddress: "unix://" + s.debugSocket()} {
		if err := os.Setenv(key, value); err != nil {
			return nil, err
		}
	}
	if err := os.Mkdir(s.temporary(), 0o755); err != nil {
		return nil, err
	}
	if s.Engine, s.stop, err = outer.Fresh(ctx, "soak"); err != nil {
		return nil, errors.Join(err, os.RemoveAll(s.dir))
	}
	s.deps = s.Registry() + "/soak/deps:1"
	deps, err := small.Deps("soak", 200_000)
	if err == nil {
		err = small.Push(s.deps, deps)
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *site) close() error { return errors.Join(s.stop(), os.RemoveAll(s.dir)) }

func (s *site) temporary() string   { return filepath.Join(s.dir, "tmp") }
func (s *site) debugSocket() string { return filepath.Join(s.dir, "debug.sock") }
