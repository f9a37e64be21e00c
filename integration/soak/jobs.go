package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/openhands/llb-frontend/integration/engine"
)

// bases are what the builds compose on.
var bases = []string{"debian:trixie-slim", "alpine:3.22", "distroless:latest", "symlinks:latest"}

// job is something that people ask of a build server.
type job struct {
	name string
	yaml string // DEPS is the deps image
	args []string
	// says is what the output must hold. With fails the build has to fail.
	says  string
	fails bool
	image bool // an image is pushed
}

// jobs are done in turn. NUMBER in them is another number each time, BASE another base.
func jobs() []job {
	image := func(name, yaml string, args ...string) job {
		return job{name: name, yaml: "base_image: BASE\ndeps_image: DEPS\nlabels: {soak: \"NUMBER\"}\n" + yaml, args: args, image: true, says: "exporting manifest"}
	}
	wrong := func(name, yaml, says string) job {
		return job{name: "wrong: " + name, yaml: yaml, says: says, fails: true}
	}
	const good = "base_image: BASE\ndeps_image: DEPS\n"
	return []job{
		image("user root", "user: root\n"),
		image("user by name", "user: dev-NUMBER\n"),
		image("user by number", "user: 1234\n"),
		image("user made at the start", "user: {name: dev, uid: 1234, create: start}\n"),
		image("user and environment", "environment: {SOAK: \"NUMBER\"}\nworking_dir: /srv/NUMBER\n"),
		image("provenance and cache", "user: root\n", "--provenance=mode=max", "--cache-to=type=inline"),
		{name: "--call=check", yaml: "base_image: debian:trixie-slim\ndeps_image: DEPS\n", args: []string{"--call=check"}, says: "no warnings found"},
		{name: "--call=outline", yaml: good, args: []string{"--call=outline"}, says: "RUNTIME_IMAGE_REPO"},
		{name: "--target=lock", yaml: good, args: []string{"--target=lock", "--output=type=local,dest=OUT"}, says: "exporting to client directory"},
		wrong("unknown key", good+"usr: NUMBER\n", `did you mean "user"`),
		wrong("user", good+"user: \"a b\"\n", "user"),
		wrong("no such base", "base_image: HERE/soak/none-NUMBER\ndeps_image: DEPS\n", "not found"),
		wrong("no deps image", "base_image: BASE\ndeps_image: BASE\n", "deps_image"),
		{name: "wrong: command", yaml: "base_image: alpine:3.22\ndeps_image: DEPS\nuser: root\nextra_deps: {run: [\"echo NUMBER; exit 3\"]}\n", says: "exit code: 3", fails: true},
	}
}

// tally is what came of a job.
type tally struct {
	runs     int
	failures []string // what went wrong, the first ones
	failed   int
}

type counts map[string]*tally

// load does jobs for a time, so many at once, and waits for the last ones.
func (s *site) load(ctx context.Context, workers int, d time.Duration, all counts) error {
	list := jobs()
	end := time.Now().Add(d)
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for time.Now().Before(end) && ctx.Err() == nil {
				n := atomic.AddInt64(&s.building, 1)
				j := list[n%int64(len(list))]
				problem := s.do(ctx, j, n)
				if ctx.Err() != nil {
					return // it was interrupted
				}
				mu.Lock()
				all.add(j.name, problem)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return ctx.Err()
}

func (c counts) add(name, problem string) {
	if c[name] == nil {
		c[name] = &tally{}
	}
	t := c[name]
	t.runs++
	if problem == "" {
		return
	}
	if t.failed++; len(t.failures) < 3 {
		t.failures = append(t.failures, problem)
	}
}

// do does a job, and says what is wrong with what came of it.
func (s *site) do(ctx context.Context, j job, n int64) (problem string) {
	out, err := os.MkdirTemp(s.dir, "out")
	if err != nil {
		return err.Error()
	}
	defer os.RemoveAll(out)
	base := bases[n/int64(len(jobs()))%int64(len(bases))]
	names := strings.NewReplacer("BASE", base, "DEPS", s.deps, "HERE", s.Registry(), "OUT", out, "NUMBER", fmt.Sprint(n))
	var args []string
	for _, arg := range j.args {
		args = append(args, names.Replace(arg))
	}
	image := ""
	if j.image {
		image = fmt.Sprintf("soak/out:%d", n%64)
	}
	res, err := s.build(ctx, image, names.Replace(j.yaml), args...)
	switch {
	case (err != nil) != j.fails:
		return fmt.Sprintf("failed: %t\n%s", err != nil, logOf(res, err))
	case !strings.Contains(res.Log, names.Replace(j.says)):
		return fmt.Sprintf("%q is missing in\n%s", names.Replace(j.says), res.Log)
	default:
		return ""
	}
}

func logOf(res *engine.BuildResult, err error) string {
	if res != nil {
		return res.Log
	}
	return err.Error()
}

// build runs buildx on a spec.
func (s *site) build(ctx context.Context, image, yaml string, args ...string) (*engine.BuildResult, error) {
	dir, err := os.MkdirTemp(s.dir, "spec")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, engine.SpecFile)
	if err := os.WriteFile(file, []byte("# syntax="+engine.FrontendImage+"\n"+yaml), 0o644); err != nil {
		return nil, err
	}
	return s.Build(ctx, engine.BuildOptions{Spec: file, Image: image, Args: args})
}
