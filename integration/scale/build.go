package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// job is one image to build.
type job struct {
	target string // its name in a bake file, and the image's tag
	base   string // reference
}

// batch is what one measurement builds: images of one context.
type batch struct {
	dir  string
	jobs []job
	point
}

// outcome is what the clients said and took.
type outcome struct {
	clientCPU time.Duration
	seconds   []float64 // per image
	phases    []map[phase]float64
	failed    []string // what failed builds said at the end
}

// build builds a batch: by one call of bake, or by a call for each image.
func (w *world) build(ctx context.Context, b batch) (outcome, error) {
	if b.Bake {
		return w.bake(ctx, b)
	}
	next := make(chan job)
	results := make([]outcome, b.AtOnce)
	errs := make([]error, b.AtOnce)
	var callers sync.WaitGroup
	for i := range results {
		callers.Go(func() {
			for j := range next {
				if errs[i] == nil {
					errs[i] = w.call(ctx, b, j, &results[i])
				}
			}
		})
	}
	for _, j := range b.jobs {
		next <- j
	}
	close(next)
	callers.Wait()
	var sum outcome
	for i, r := range results {
		if errs[i] != nil {
			return sum, errs[i]
		}
		sum.add(r)
	}
	return sum, nil
}

func (o *outcome) add(more outcome) {
	o.clientCPU += more.clientCPU
	o.seconds = append(o.seconds, more.seconds...)
	o.phases = append(o.phases, more.phases...)
	o.failed = append(o.failed, more.failed...)
}

// call builds one image as a user does. Its time is that of the whole process.
func (w *world) call(ctx context.Context, b batch, j job, o *outcome) error {
	args := []string{"build", "--progress=rawjson", "-f", buildFile, "--build-arg", "BASE_IMAGE=" + j.base, "--push", "-t", w.output(j)}
	if _, err := os.Stat(filepath.Join(b.dir, checkout)); err == nil {
		args = append(args, "--build-context", checkout+"="+checkout)
	}
	cmd := w.client(ctx, b, append(args, "."))
	var log bytes.Buffer
	cmd.Stderr = &log
	began := time.Now()
	if err := o.run(ctx, cmd, &log); err != nil {
		return err
	}
	took := time.Since(began).Seconds()
	images, err := readStatus(&log)
	if err != nil {
		return err
	}
	o.seconds = append(o.seconds, took)
	o.phases = append(o.phases, images[""].phases(took))
	return nil
}

// bake builds all images by one call. An image's time is from the first to the
// last thing that the progress shows of it.
func (w *world) bake(ctx context.Context, b batch) (outcome, error) {
	var o outcome
	file := filepath.Join(b.dir, "docker-bake.json")
	definition, err := json.Marshal(w.bakeFile(b))
	if err != nil {
		return o, err
	}
	if err := os.WriteFile(file, definition, 0o644); err != nil {
		return o, err
	}
	args := []string{"bake", "--progress=rawjson", "-f", file, "--push"}
	if b.AtOnce > 0 {
		args = append(args, fmt.Sprintf("--jobs=%d", b.AtOnce))
	}
	cmd := w.client(ctx, b, args)
	var log bytes.Buffer
	cmd.Stderr = &log
	if err := o.run(ctx, cmd, &log); err != nil {
		return o, err
	}
	images, err := readStatus(&log)
	if err != nil {
		return o, err
	}
	if len(b.jobs) > 1 { // bake names no target where there is one
		delete(images, "")
	}
	for _, target := range sortedKeys(images) {
		image := images[target]
		took := image.span().Seconds()
		o.seconds = append(o.seconds, took)
		o.phases = append(o.phases, image.phases(took))
	}
	return o, nil
}

// run runs a client. One that fails is counted, not fatal: how often that happens
// is a result.
func (o *outcome) run(ctx context.Context, cmd *exec.Cmd, log *bytes.Buffer) error {
	err := cmd.Run()
	if cmd.ProcessState == nil || ctx.Err() != nil {
		return fmt.Errorf("%s: %w", strings.Join(cmd.Args, " "), err)
	}
	o.clientCPU += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if err != nil {
		o.failed = append(o.failed, lastWords(log.String()))
	}
	return nil
}

// lastWords is the end of what a client printed that is no progress.
func lastWords(log string) string {
	var words []string
	for line := range strings.Lines(log) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "{") {
			words = append(words, line)
		}
	}
	return strings.Join(words[max(0, len(words)-3):], "\n")
}

func (w *world) client(ctx context.Context, b batch, args []string) *exec.Cmd {
	cmd := w.Buildx(ctx, args...)
	cmd.Dir = b.dir
	if b.NoAttestations {
		cmd.Env = append(cmd.Env, "BUILDX_NO_DEFAULT_ATTESTATIONS=1")
	}
	if b.Untraced {
		cmd.Env = append(cmd.Env, "OTEL_TRACES_SAMPLER=always_off")
	}
	return cmd
}

// output is the name of the image that a job pushes.
func (w *world) output(j job) string { return w.ref(outputs + ":" + j.target) }

type bakeTarget struct {
	Context    string            `json:"context"`
	Dockerfile string            `json:"dockerfile"`
	Args       map[string]string `json:"args"`
	Tags       []string          `json:"tags"`
	Contexts   map[string]string `json:"contexts,omitempty"`
}

func (w *world) bakeFile(b batch) map[string]any {
	targets := map[string]bakeTarget{}
	var names []string
	var contexts map[string]string
	if _, err := os.Stat(filepath.Join(b.dir, checkout)); err == nil {
		contexts = map[string]string{checkout: checkout}
	}
	for _, j := range b.jobs {
		names = append(names, j.target)
		targets[j.target] = bakeTarget{
			Context: ".", Dockerfile: buildFile, Contexts: contexts,
			Args: map[string]string{"BASE_IMAGE": j.base}, Tags: []string{w.output(j)},
		}
	}
	return map[string]any{"group": map[string]any{"default": map[string]any{"targets": names}}, "target": targets}
}
