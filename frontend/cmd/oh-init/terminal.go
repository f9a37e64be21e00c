package main

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// terminal is the controlling terminal, if there is one.
type terminal struct {
	fd int // -1 for none
}

func openTerminal() terminal {
	// Not stdin, which may be a file while the terminal is ours all the same.
	fd, err := unix.Open("/dev/tty", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NOCTTY, 0)
	if err != nil {
		return terminal{fd: -1}
	}
	return terminal{fd: fd}
}

func (t terminal) exists() bool { return t.fd >= 0 }

// heldBy tells whether the process group is in the foreground.
func (t terminal) heldBy(pgrp int) bool {
	if !t.exists() {
		return false
	}
	held, err := unix.IoctlGetInt(t.fd, unix.TIOCGPGRP)
	return err == nil && held == pgrp
}

// pass puts another process group into the foreground, unless a third one is
// there: a job in the background must not take the terminal. One that has gone
// in the meantime is no reason to stop anything.
func (t terminal) pass(from, to int) {
	if t.heldBy(from) {
		_ = unix.IoctlSetPointerInt(t.fd, unix.TIOCSPGRP, to)
	}
}

func ownGroup() int { return syscall.Getpgrp() }
