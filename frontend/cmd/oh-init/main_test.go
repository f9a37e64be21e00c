package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The test binary is every program of these tests: the one that is tested, and
// those that it starts. Which one it is, its name and TEST_ROOT tell.
func TestMain(m *testing.M) {
	name := filepath.Base(os.Args[0])
	if strings.HasPrefix(name, "t-") {
		os.Exit(helpers()[name](os.Args[1:]))
	}
	if dir := os.Getenv("TEST_ROOT"); dir != "" {
		os.Exit(dispatch(root(dir), os.Args))
	}
	// A signal that is ignored where the tests are started (nohup ignores HUP)
	// would be ignored by all that they start; one that is caught is not.
	for s := syscall.Signal(1); s < 32; s++ {
		if signal.Ignored(s) {
			signal.Notify(make(chan os.Signal, 1), s)
		}
	}
	os.Exit(m.Run())
}

func helpers() map[string]func(args []string) int {
	return map[string]func(args []string) int{
		"t-exit": func(args []string) int { return atoi(args[0]) },
		"t-kill": func(args []string) int {
			_ = syscall.Kill(os.Getpid(), syscall.Signal(atoi(args[0])))
			select {} // the signal is on its way
		},
		"t-show":     show,
		"t-args":     showArgs,
		"t-parent":   parent,
		"t-middle":   middle,
		"t-leaf":     leaf,
		"t-signals":  signals,
		"t-alone":    alone,
		"t-wait":     func([]string) int { _, _ = io.Copy(io.Discard, os.Stdin); return 0 },
		"t-leave":    leave,
		"t-term":     term,
		"t-tty":      tty,
		"t-shell":    shell,
		"t-script":   script,
		"t-readonly": readOnly,
	}
}

// bin is a directory with the helpers, by symlinks to this binary.
func bin(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name := range helpers() {
		link(t, filepath.Join(dir, name))
	}
	return dir
}

func link(t *testing.T, name string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(executablePath(t), name); err != nil {
		t.Fatal(err)
	}
}

func executablePath(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return self
}

// program is this binary under another name, with the helpers on its PATH.
func program(t *testing.T, argv ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(executablePath(t))
	cmd.Args = argv
	cmd.Env = []string{"TEST_ROOT=/", "PATH=" + bin(t), "HOME=" + t.TempDir()}
	// A test that hangs ends with its output, not with the whole package's.
	stop := time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Kill() })
	t.Cleanup(func() { stop.Stop() })
	return cmd
}

type result struct {
	code           int
	stdout, stderr string
}

func run(t *testing.T, cmd *exec.Cmd) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// inNewPIDs makes the command PID 1 of a namespace, where that is allowed.
func inNewPIDs(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	needRoot(t)
	probe := exec.Command(executablePath(t), "-test.run=^$")
	probe.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID}
	if err := probe.Run(); err != nil {
		unable(t, "no new PID namespace: "+err.Error())
	}
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWPID
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		unable(t, "needs root")
	}
}

// unable skips a test, but not where everything must be there.
func unable(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// dialog talks to a running command line by line.
type dialog struct {
	t     *testing.T
	lines <-chan string
}

// expect reads the next line that is not empty. The wait is bounded for the
// sake of the test's output alone.
func (d dialog) expect(want string) {
	d.t.Helper()
	select {
	case got := <-d.lines:
		if got != want {
			d.t.Fatalf("got %q, want %q", got, want)
		}
	case <-time.After(20 * time.Second):
		d.t.Fatalf("got nothing, want %q", want)
	}
}

// converse reads lines, without the ^C that a terminal echoes for a control
// character.
func converse(t *testing.T, out io.Reader) dialog {
	lines := make(chan string, 100)
	go func() {
		defer close(lines)
		for scanner := bufio.NewScanner(out); scanner.Scan(); {
			line := strings.NewReplacer("^C", "", "^Z", "", "^D", "", "\b", "", "\r", "").Replace(scanner.Text())
			if line != "" {
				lines <- line
			}
		}
	}()
	return dialog{t, lines}
}

func atoi(s string) int {
	var n int
	if _, err := fmt.Sscan(s, &n); err != nil {
		panic(err)
	}
	return n
}

func write(t *testing.T, name, content string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(name, mode); err != nil {
		t.Fatal(err)
	}
}
