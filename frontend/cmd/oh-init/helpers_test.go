package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// What follows are the programs that the tests start. They fail by panicking,
// which the tests see on stderr.

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func helper(name string, args ...string) *exec.Cmd {
	exe, err := os.Executable()
	must(err)
	cmd := exec.Command(exe)
	cmd.Args = append([]string{name}, args...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd
}

// show tells who it is.
func show([]string) int {
	groups, err := os.Getgroups()
	must(err)
	fmt.Println(os.Getuid(), os.Getgid(), groups, os.Getenv("HOME"), os.Getenv("USER"), os.Getenv("LOGNAME"))
	return 0
}

// showArgs tells what it got, without what every test has.
func showArgs(args []string) int {
	dir, err := os.Getwd()
	must(err)
	env := slices.DeleteFunc(os.Environ(), func(entry string) bool { return strings.HasPrefix(entry, "TEST_ROOT=") })
	slices.Sort(env)
	fmt.Printf("%s %q in %s\n%s\n", os.Args[0], args, dir, strings.Join(env, "\n"))
	return 0
}

// parent has a grandchild that loses its parent, checks that the init adopts
// it, lets it end, and waits until nothing is left of it, not even a zombie.
func parent([]string) int {
	toLeaf, leafInput, err := os.Pipe()
	must(err)
	leafOutput, fromLeaf, err := os.Pipe()
	must(err)
	cmd := helper("t-middle")
	cmd.Stdin, cmd.Stdout = toLeaf, fromLeaf
	must(cmd.Run())
	must(toLeaf.Close())
	must(fromLeaf.Close())

	_, err = leafInput.WriteString("x")
	must(err)
	var pid, ppid int
	_, err = fmt.Fscan(leafOutput, &pid, &ppid)
	must(err)
	fmt.Println("adopted", ppid == os.Getppid())
	must(leafInput.Close())
	for range 10_000 {
		if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			fmt.Println("reaped")
			return 5
		}
		time.Sleep(time.Millisecond)
	}
	panic("the orphan is still there")
}

func middle([]string) int {
	cmd := helper("t-leaf")
	cmd.Stdin = os.Stdin
	must(cmd.Start())
	return 0
}

func leaf([]string) int {
	_, err := io.ReadFull(os.Stdin, make([]byte, 1))
	must(err)
	fmt.Println(os.Getpid(), os.Getppid())
	_, err = io.Copy(io.Discard, os.Stdin)
	must(err)
	return 0
}

// signals prints the number of every signal that it gets, until its input ends.
func signals([]string) int {
	c := make(chan os.Signal, 100)
	signal.Notify(c, forwarded()...)
	fmt.Println("ready")
	go func() {
		for s := range c {
			fmt.Println(int(s.(syscall.Signal)))
		}
	}()
	_, err := io.Copy(io.Discard, os.Stdin)
	must(err)
	return 3
}

// alone has a child in its process group that a signal of the group would kill.
func alone([]string) int {
	c := make(chan os.Signal, 1)
	signal.Notify(c, unix.SIGHUP)
	cmd := helper("t-wait")
	stdin, err := cmd.StdinPipe()
	must(err)
	must(cmd.Start())
	fmt.Println("ready")
	<-c
	must(stdin.Close())
	fmt.Println("child:", cmd.Wait())
	return 0
}

// leave ends before its child does.
func leave([]string) int {
	cmd := helper("t-term")
	out, w, err := os.Pipe()
	must(err)
	cmd.ExtraFiles = []*os.File{w}
	must(cmd.Start())
	must(w.Close())
	_, err = io.Copy(io.Discard, out) // closed when the child is ready
	must(err)
	return 4
}

func term([]string) int {
	c := make(chan os.Signal, 1)
	signal.Notify(c, unix.SIGTERM)
	must(os.NewFile(3, "ready").Close())
	fmt.Println((<-c).String())
	return 0
}

// tty tells whether it has the terminal, and which signals come.
func tty([]string) int {
	c := make(chan os.Signal, 10)
	signal.Notify(c, unix.SIGINT, unix.SIGUSR1, unix.SIGCONT)
	eof := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(eof)
	}()
	fmt.Println("ready, foreground:", hasTerminal())
	continued := false
	for {
		select {
		case s := <-c:
			if s == unix.SIGCONT && continued {
				continue // it may come twice, see child.stopped
			}
			continued = continued || s == unix.SIGCONT
			fmt.Printf("%s, foreground: %t\n", s, hasTerminal())
		case <-eof:
			return 7
		}
	}
}

func hasTerminal() bool { return openTerminal().heldBy(ownGroup()) }

// shell does what an interactive shell does with a job that is stopped.
func shell([]string) int {
	job := helper("oh-init", "t-tty")
	job.Stdin = os.Stdin
	job.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Foreground: true, Ctty: 0}
	must(job.Start())
	signal.Ignore(unix.SIGTTOU)
	var status syscall.WaitStatus
	_, err := syscall.Wait4(job.Process.Pid, &status, syscall.WUNTRACED, nil)
	must(err)
	must(unix.IoctlSetPointerInt(0, unix.TIOCSPGRP, ownGroup()))
	fmt.Println("stopped:", status.Stopped())
	must(unix.IoctlSetPointerInt(0, unix.TIOCSPGRP, job.Process.Pid))
	must(syscall.Kill(-job.Process.Pid, unix.SIGCONT))
	_, err = syscall.Wait4(job.Process.Pid, &status, 0, nil)
	must(err)
	fmt.Println("code:", status.ExitStatus())
	return 0
}

// script has no job control: its commands share its process group.
func script([]string) int {
	cmd := helper("oh-init", "t-exit", "0")
	cmd.Stdin = os.Stdin
	must(cmd.Run())
	fmt.Println("foreground:", hasTerminal())
	return 0
}

// readOnly executes a command on a read-only root.
func readOnly(args []string) int {
	dir := args[0]
	must(unix.Mount("", "/", "", unix.MS_PRIVATE|unix.MS_REC, ""))
	must(unix.Mount(dir, dir, "", unix.MS_BIND, ""))
	must(unix.Mount("", dir, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, ""))
	must(unix.Chroot(dir))
	must(os.Chdir("/"))
	must(syscall.Exec("/openhands/bin/oh-init", args[1:], os.Environ()))
	return 0
}
