package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"syscall"
)

// Container is a container that runs beside its caller.
type Container struct {
	engine *Engine
	id     string
	kill   context.CancelFunc
	output output
	ended  chan struct{}
	result *RunResult // with ended
	err    error      // with ended
}

// Start is Run without the wait. The container ends when its command does, when
// ctx does, or by Stop; until one of them has happened it is there.
func (e *Engine) Start(ctx context.Context, opt RunOptions) (*Container, error) {
	ctx, kill := context.WithCancel(ctx)
	c := &Container{engine: e, kill: kill, ended: make(chan struct{})}
	for _, w := range []*io.Writer{&opt.Stdout, &opt.Stderr} {
		if *w == nil {
			*w = &c.output
			continue
		}
		*w = io.MultiWriter(*w, &c.output)
	}
	named := make(chan string, 1)
	go func() {
		defer close(c.ended)
		c.result, c.err = e.runContainer(ctx, opt, func(id string) { named <- id })
	}()
	select {
	case c.id = <-named:
		return c, nil
	case <-c.ended:
		kill()
		return nil, c.err
	}
}

// Output is what the container has printed so far, stdout and stderr together.
func (c *Container) Output() string { return c.output.String() }

// Ended is closed when the container is gone.
func (c *Container) Ended() <-chan struct{} { return c.ended }

// Wait waits for the container's end.
func (c *Container) Wait() (*RunResult, error) {
	<-c.ended
	return c.result, c.err
}

// Stop kills the container if it still runs, and removes it.
func (c *Container) Stop() error {
	select {
	case <-c.ended:
		return c.err
	default:
	}
	c.kill()
	if _, err := c.Wait(); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// Signal sends a signal to the container's first process.
func (c *Container) Signal(ctx context.Context, sig syscall.Signal) error {
	return c.runc(ctx, "kill", c.id, fmt.Sprint(int(sig)))
}

func (c *Container) runc(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, "runc", append([]string{"--root", c.engine.path("runc")}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("runc %q: %w\n%s", args, err, out)
	}
	return nil
}

// output is a buffer that is read while it is written.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}
