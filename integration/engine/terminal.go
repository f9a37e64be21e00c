package engine

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"

	"golang.org/x/sys/unix"
)

// runWithTerminal runs runc on the caller's terminal when it has one, and else
// on one of its own, as wide as a person's.
func runWithTerminal(cmd *exec.Cmd, opt RunOptions, output *bytes.Buffer) error {
	if in, ok := opt.Stdin.(*os.File); ok && isTerminal(in) {
		if out, ok := opt.Stdout.(*os.File); ok && isTerminal(out) {
			cmd.Stdin, cmd.Stdout, cmd.Stderr = in, out, out
			return cmd.Run()
		}
	}
	master, slave, err := openTerminal()
	if err != nil {
		return err
	}
	defer master.Close()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	err = cmd.Start()
	slave.Close()
	if err != nil {
		return err
	}
	if opt.Stdin != nil {
		go func() { _, _ = io.Copy(master, opt.Stdin) }() // ends when the terminal closes
	}
	// Reading fails with EIO when the last program has closed its side.
	_, _ = io.Copy(tee(output, opt.Stdout), master)
	return cmd.Wait()
}

func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// openTerminal makes a pair of pseudoterminal ends (pts(4)).
func openTerminal() (master, slave *os.File, err error) {
	master, err = os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, nil, err
	}
	fd := int(master.Fd())
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 80})
	}
	if err == nil {
		slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		master.Close()
		return nil, nil, fmt.Errorf("open a pseudoterminal: %w", err)
	}
	return master, slave, nil
}
