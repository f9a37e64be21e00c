package check

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"syscall"
	"time"
)

// process is a server that runs while it is checked.
type process struct {
	cmd    *exec.Cmd
	output *tail
	done   chan struct{} // closed at its end
	err    error         // how it ended; read it after done
}

// start starts a program that is to go on. Who starts it stops it.
func (i image) start(ctx context.Context, c command) (*process, error) {
	p := &process{cmd: i.prepare(ctx, c), output: &tail{}, done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = p.output, p.output
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// stop lets a server end its own children before the rest is killed.
func (p *process) stop() {
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(5 * time.Second):
	}
	killGroup(p.cmd.Process.Pid)
	<-p.done
}

// await tries until it works. It gives up at once when the process ends.
func (p *process) await(parent context.Context, limit time.Duration, try func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(parent, limit)
	defer cancel()
	last := errors.New("never asked")
	for {
		// One question may hang: a server that is busy answers the next.
		once, stop := context.WithTimeout(ctx, limit/12)
		err := try(once)
		stop()
		if err == nil {
			return nil
		}
		if ctx.Err() == nil { // else it was cut short, and says nothing new
			last = err
		}
		select {
		case <-p.done:
			return ended(p.err, p.output.String())
		case <-ctx.Done():
			if parent.Err() != nil {
				return errors.New("interrupted")
			}
			return fmt.Errorf("not ready after %v: %w", limit, last)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// over says whether the process has ended.
func (p *process) over() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}
