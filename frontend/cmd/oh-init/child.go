package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

var errNotDropped = errors.New("the ids of the account cannot be taken")

// events are what an init waits for. SIGCHLD has a channel of its own: one
// waiting event stands for any number of children, and no flood of other
// signals can push it out.
type events struct {
	children, signals chan os.Signal
}

func listen() events {
	e := events{children: make(chan os.Signal, 1), signals: make(chan os.Signal, 64)}
	signal.Notify(e.children, unix.SIGCHLD)
	signal.Notify(e.signals, forwarded()...)
	return e
}

// forwarded are all signals that a program can catch, but those that are about
// this process itself: its children, its terminal, and SIGURG and SIGPROF,
// which Go's runtime sends to its own threads. SIGTSTP keeps its default, so that
// stopped can stop us with it. 32 to 34 belong to C libraries, and Go leaves
// them alone. What was ignored when we were started
// stays so, for the command too: that is what nohup is for.
func forwarded() []os.Signal {
	const last = 64
	var signals []os.Signal
	for s := syscall.Signal(1); s <= last; s++ {
		switch s {
		case 32, 33, 34:
			continue
		case unix.SIGKILL, unix.SIGSTOP, unix.SIGCHLD, unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU, unix.SIGURG, unix.SIGPROF:
			continue
		}
		if !signal.Ignored(s) {
			signals = append(signals, s)
		}
	}
	return signals
}

// child is the command that the init is there for. It leads a process group
// whose number is its pid.
type child struct {
	pid      int
	terminal terminal
	first    bool // we are PID 1
}

// start runs the command as a child, with the ids of cred unless it is nil.
func start(path string, argv []string, env environ, cred *syscall.Credential) (*child, error) {
	c := &child{terminal: openTerminal(), first: os.Getpid() == 1}
	if !c.first {
		if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
			say("oh-init", fmt.Errorf("orphans are not reaped: %w: start oh-init as PID 1", err))
		}
	}
	sys := &syscall.SysProcAttr{Setpgid: true, Credential: cred}
	if c.terminal.heldBy(ownGroup()) {
		sys.Foreground, sys.Ctty = true, c.terminal.fd
	}
	pid, err := syscall.ForkExec(path, argv, &syscall.ProcAttr{Env: env, Files: []uintptr{0, 1, 2}, Sys: sys})
	if cred != nil && (errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EINVAL)) {
		return nil, fmt.Errorf("%w: %d:%d: %w: give the container the capabilities SETUID and SETGID and a user namespace that has these ids, or drop --create",
			errNotDropped, cred.Uid, cred.Gid, err)
	}
	if err != nil {
		return nil, notStarted(path, err)
	}
	// Only now, or the command would inherit it: from the background, we may
	// take the terminal back without being stopped for it.
	signal.Ignore(unix.SIGTTIN, unix.SIGTTOU)
	c.pid = pid
	return c, nil
}

// supervise returns the exit code of the child when it has ended.
func (c *child) supervise(e events) int {
	for {
		if status, ended := c.reap(); ended {
			c.end()
			if status.Signaled() {
				return 128 + int(status.Signal())
			}
			return status.ExitStatus()
		}
		select {
		case <-e.children:
		case s := <-e.signals:
			c.forward(s.(syscall.Signal))
		}
	}
}

// reap takes every child that has ended or stopped, the adopted ones too.
func (c *child) reap() (status syscall.WaitStatus, ended bool) {
	for {
		var s syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &s, syscall.WNOHANG|syscall.WUNTRACED, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil || pid == 0:
			return status, ended
		case pid != c.pid:
		case s.Stopped():
			c.stopped(s.StopSignal())
		default:
			status, ended = s, true
		}
	}
}

// forward hands a signal on. A child that has just ended is none of our
// concern: it is reaped next.
func (c *child) forward(s syscall.Signal) {
	if s != unix.SIGCONT {
		_ = syscall.Kill(c.pid, s)
		return
	}
	c.resume()
}

// resume continues what a terminal stopped: the whole group, in the foreground
// if a shell has put us there.
func (c *child) resume() {
	c.terminal.pass(ownGroup(), c.pid)
	_ = syscall.Kill(-c.pid, unix.SIGCONT)
}

// stopped reacts on a child that was stopped by its terminal. SIGSTOP is
// somebody's wish and stays in force.
func (c *child) stopped(by syscall.Signal) {
	switch {
	case c.first && by == unix.SIGTSTP:
		// No shell is above us that could continue it, ever.
		c.resume()
	case !c.first && c.terminal.exists() && by != unix.SIGSTOP:
		// The shell above waits for our group: stop it as the terminal would
		// have, and the shell takes over. Where none could continue us, the
		// kernel does not stop us either. The shell's SIGCONT is handed on as
		// well: a second one does no harm.
		c.terminal.pass(c.pid, ownGroup())
		_ = syscall.Kill(0, unix.SIGTSTP)
		c.resume()
	}
}

// end asks what is left to end. PID 1 takes the rest with it; any other process
// must not touch what is not its own.
func (c *child) end() {
	if c.first {
		_ = syscall.Kill(-1, unix.SIGTERM)
		return
	}
	_ = syscall.Kill(-c.pid, unix.SIGTERM)
	c.terminal.pass(c.pid, ownGroup()) // a script that called us goes on with it
}
