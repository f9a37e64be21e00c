package main

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// inTerminal starts a command as the leader of a session with a terminal of its
// own, and returns the keyboard's end.
func inTerminal(t *testing.T, cmd *exec.Cmd) (*os.File, dialog) {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		unable(t, "no terminal to be had: "+err.Error())
	}
	t.Cleanup(func() { _ = keyboard.Close() })
	fd := int(keyboard.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	screen, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = screen, screen, screen
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setsid, cmd.SysProcAttr.Setctty = true, true
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := screen.Close(); err != nil {
		t.Fatal(err)
	}
	return keyboard, converse(t, keyboard)
}

func press(t *testing.T, keyboard *os.File, key string) {
	t.Helper()
	if _, err := keyboard.WriteString(key); err != nil {
		t.Fatal(err)
	}
}

func TestTerminalInterrupts(t *testing.T) {
	bothWays(t, func(t *testing.T, init func(argv ...string) *exec.Cmd) {
		cmd := init("t-tty")
		keyboard, d := inTerminal(t, cmd)
		d.expect("ready, foreground: true")
		press(t, keyboard, "\x03")
		d.expect("interrupt, foreground: true")
		// Had the init handed on another SIGINT, it would come before this.
		if err := cmd.Process.Signal(unix.SIGUSR1); err != nil {
			t.Fatal(err)
		}
		d.expect("user defined signal 1, foreground: true")
		press(t, keyboard, "\x04")
		_ = cmd.Wait()
		if code := cmd.ProcessState.ExitCode(); code != 7 {
			t.Errorf("code %d, want 7", code)
		}
	})
}

func TestTerminalStopsAsPID1(t *testing.T) {
	cmd := program(t, "oh-init", "t-tty")
	inNewPIDs(t, cmd)
	keyboard, d := inTerminal(t, cmd)
	d.expect("ready, foreground: true")
	press(t, keyboard, "\x1a")
	d.expect("continued, foreground: true")
	press(t, keyboard, "\x04")
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 7 {
		t.Errorf("code %d, want 7", code)
	}
}

func TestTerminalStopsUnderShell(t *testing.T) {
	cmd := program(t, "t-shell")
	keyboard, d := inTerminal(t, cmd)
	d.expect("ready, foreground: true")
	press(t, keyboard, "\x1a")
	d.expect("stopped: true")
	d.expect("continued, foreground: true")
	press(t, keyboard, "\x04")
	d.expect("code: 7")
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

func TestTerminalGoesBackToScript(t *testing.T) {
	cmd := program(t, "t-script")
	_, d := inTerminal(t, cmd)
	d.expect("foreground: true")
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}
