package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	readyTimeout = 60 * time.Second
	stopTimeout  = 10 * time.Second
	pollInterval = 50 * time.Millisecond
)

// daemon is a long-running process that outlives the engine's own.
type daemon struct {
	name   string
	argv   []string
	env    []string
	config string // content of its configuration file
	ready  func(context.Context) error
}

// start runs d unless the same program with the same configuration runs
// already, and waits until it answers.
func (e *Engine) start(ctx context.Context, d daemon) error {
	configPath := e.configPath(d.name)
	same, err := writeIfChanged(configPath, d.config)
	if err != nil {
		return err
	}
	if e.pid(d.name) != 0 {
		if same {
			return e.waitReady(ctx, d, nil)
		}
		if err := e.stop(ctx, d.name); err != nil {
			return err
		}
	}
	e.logf("starting %s", d.name)
	for _, dir := range []string{e.path("log"), e.path("run")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	log, err := os.Create(e.logPath(d.name))
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.CommandContext(context.WithoutCancel(ctx), d.argv[0], d.argv[1:]...) // it outlives the engine
	cmd.Env = append(os.Environ(), d.env...)
	cmd.Dir = e.dir
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // a Ctrl-C at the terminal is not for the daemon
	if err := cmd.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	go func() {
		_ = cmd.Wait() // its log says why it ended
		close(exited)
	}()
	id := fmt.Sprintf("%d %s\n", cmd.Process.Pid, startTime(cmd.Process.Pid))
	if err := os.WriteFile(e.pidPath(d.name), []byte(id), 0o644); err != nil {
		return err
	}
	return e.waitReady(ctx, d, exited)
}

func (e *Engine) waitReady(ctx context.Context, d daemon, exited <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	for {
		err := d.ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-exited:
			return fmt.Errorf("%s ended before it was ready; the end of %s:\n%s", d.name, e.logPath(d.name), e.logTail(d.name))
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w; the end of %s:\n%s", d.name, err, e.logPath(d.name), e.logTail(d.name))
		case <-time.After(pollInterval):
		}
	}
}

// stop ends a daemon, first politely.
func (e *Engine) stop(ctx context.Context, name string) error {
	pid := e.pid(name)
	if pid == 0 {
		return nil
	}
	e.logf("stopping %s", name)
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		if err := syscall.Kill(pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("stop %s: %w", name, err)
		}
		for deadline := time.Now().Add(stopTimeout); time.Now().Before(deadline) && ctx.Err() == nil; {
			if e.pid(name) == 0 {
				return os.Remove(e.pidPath(name))
			}
			time.Sleep(pollInterval)
		}
	}
	return fmt.Errorf("%s (process %d) does not end", name, pid)
}

// pid is the daemon's process, or 0 when it does not run. The start time kept
// beside the number tells a reused number from our process.
func (e *Engine) pid(name string) int {
	b, err := os.ReadFile(e.pidPath(name))
	if err != nil {
		return 0
	}
	number, started, _ := strings.Cut(strings.TrimSpace(string(b)), " ")
	pid, err := strconv.Atoi(number)
	if err != nil || started == "" || startTime(pid) != started {
		return 0
	}
	return pid
}

// startTime is field 22 of /proc/PID/stat (proc(5)), or empty when there is no
// such process or it is a zombie.
func startTime(pid int) string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	// The second field, the program's name, may hold spaces and parentheses.
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(fields) < 20 || fields[0] == "Z" {
		return ""
	}
	return fields[19]
}

func (e *Engine) configPath(name string) string { return e.path("etc", name) }
func (e *Engine) logPath(name string) string    { return e.path("log", name) }
func (e *Engine) pidPath(name string) string    { return e.path("run", name+".pid") }

func (e *Engine) logTail(name string) string {
	b, err := os.ReadFile(e.logPath(name))
	if err != nil {
		return err.Error()
	}
	return tail(b, 20)
}

// tail is the last lines of b.
func tail(b []byte, lines int) string {
	all := strings.Split(strings.TrimRight(string(b), "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

func writeIfChanged(path, content string) (same bool, err error) {
	have, err := os.ReadFile(path)
	if err == nil && string(have) == content {
		return true, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return false, err
	}
	return false, os.WriteFile(path, []byte(content), 0o644)
}
