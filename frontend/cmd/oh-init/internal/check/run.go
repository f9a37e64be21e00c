package check

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// command is a program to start.
type command struct {
	args []string // the first is its file
	dir  string
	env  []string // on top of the image's
}

// outcome is what came of a program that was waited for.
type outcome struct {
	stdout, stderr string
	err            error // why it did not start, or how it ended
	late           bool  // it was ended after its time
}

// run starts a program and waits for it, but not longer than the limit.
func (i image) run(ctx context.Context, limit time.Duration, c command) outcome {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var stdout, stderr tail
	cmd := i.prepare(ctx, c)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if cmd.Process != nil {
		killGroup(cmd.Process.Pid)
	}
	return outcome{stdout.String(), stderr.String(), err, ctx.Err() != nil}
}

// prepare gives a program a process group, so that its children end with it.
func (i image) prepare(ctx context.Context, c command) *exec.Cmd {
	cmd := exec.CommandContext(ctx, c.args[0], c.args[1:]...)
	cmd.Dir = c.dir
	cmd.Env = append(append([]string{}, i.env...), c.env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error {
		killGroup(cmd.Process.Pid)
		return nil
	}
	cmd.WaitDelay = time.Second // for daemons that keep our pipes
	return cmd
}

// killGroup may find nobody left, which is fine.
func killGroup(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) }

// unable says why a program cannot run here, "" if it does. It does not mind
// an exit code or a program that does not end by itself.
func (o outcome) unable() string {
	if text := loaderMessage(o.stderr); text != "" {
		return text
	}
	var exit *exec.ExitError
	switch {
	case o.err == nil, o.late, errors.Is(o.err, exec.ErrWaitDelay):
		return ""
	case errors.Is(o.err, syscall.ENOENT):
		return "cannot start: " + notThere(o.err)
	case errors.As(o.err, &exit):
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			return "killed by a signal: " + status.Signal().String()
		}
		return ""
	}
	return "cannot start: " + cause(o.err)
}

// problem is unable, and also minds an exit code and the time.
func (o outcome) problem() string {
	if text := o.unable(); text != "" {
		return text
	}
	switch {
	case o.late:
		return "does not end: stopped after its time"
	case o.err == nil, errors.Is(o.err, exec.ErrWaitDelay):
		return ""
	}
	if text := oneLine(o.stderr); text != "" {
		return text
	}
	return cause(o.err)
}

// notThere says which file the kernel missed: it has one error for them all.
func notThere(err error) string {
	var at *fs.PathError
	switch {
	case !errors.As(err, &at):
		return cause(err)
	case !exists(at.Path):
		return "the file is not there"
	case isELF(at.Path):
		return "its loader is not there"
	}
	b, _ := os.ReadFile(at.Path)
	line, _, _ := strings.Cut(string(b), "\n")
	return "its interpreter is not there: " + oneLine(line)
}

func (o outcome) output() string { return o.stdout + "\n" + o.stderr }

// cause leaves out the file that os/exec puts in front.
func cause(err error) string {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno.Error()
	}
	return err.Error()
}

// loaderMessage finds what a dynamic loader says of a program that it cannot
// start. The program's name before it is left out: the row has it.
func loaderMessage(stderr string) string {
	for line := range strings.Lines(stderr) {
		line = oneLine(line)
		for _, sign := range []string{"error while loading shared libraries: ", "symbol lookup error: "} {
			if at := strings.Index(line, sign); at >= 0 {
				return line[at:]
			}
		}
		if at := strings.Index(line, "version `"); at >= 0 && strings.Contains(line, "not found (required by") {
			return line[at:]
		}
	}
	return ""
}

// remedyFor says what to do about a program that cannot run.
func remedyFor(problem string) string {
	switch {
	case strings.Contains(problem, "shared object"), strings.Contains(problem, "not found (required by"):
		return "rebuild the component with the package that has this library; oh-seal adopt adds what is needed"
	case strings.Contains(problem, "is not there"):
		return "oh-seal check DIR names what the components lack; what a base lacks is filled in for a user by name"
	case strings.Contains(problem, "exec format error"):
		return "the component is for another architecture: take the deps image of this platform"
	case strings.Contains(problem, "permission denied"):
		return "everybody must be able to read and execute it: check its mode, and noexec of the mount"
	case strings.Contains(problem, "LC_ALL"):
		return "set LANG=C.UTF-8 in the image's environment"
	}
	return "run it by hand in the image"
}

// tail keeps the end of what is written to it; the rest may be endless.
type tail struct {
	mu sync.Mutex
	b  []byte
}

const tailSize = 64 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, p...)
	if extra := len(t.b) - tailSize; extra > 0 {
		t.b = append(t.b[:0], t.b[extra:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.b)
}

// ended says how a process came to its end. What it said last is most often
// the reason.
func ended(err error, output string) error {
	how := "without an error"
	if err != nil {
		how = "with " + err.Error()
	}
	last := strings.Join(lastLines(output, 1), "")
	return fmt.Errorf("ends by itself %s: %s", how, oneLine(last))
}
