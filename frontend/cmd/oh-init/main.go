// Oh-init is the one program of ours that runs in an image: a static binary at
// /openhands/bin/oh-init that needs no libc, no shell and no file of the base.
// What it does depends on the name that it is called by.
//
// # oh-init: an init for the image's entrypoint
//
//	oh-init [--create NAME [--uid N] [--gid N] [--home DIR] [--shell PATH]] [--] COMMAND [ARG...]
//
// starts COMMAND, hands signals to it, reaps processes that lost their parent,
// and ends with COMMAND's exit code, or 128 + N when signal N killed it. Its own
// codes are those of env(1) and of shells: 125 when it could not get as far as
// COMMAND, 126 when COMMAND cannot be executed, 127 when there is none.
//
// As PID 1 it reaps because the kernel gives it the orphans; otherwise it asks
// for them (PR_SET_CHILD_SUBREAPER). When COMMAND has ended, what still runs
// gets SIGTERM and no time: the kernel kills the rest when PID 1 ends.
//
// Signals go to COMMAND alone, not to its process group: a server stops its
// own children in its own order, and SIGUSR1 for the server would kill every
// child that does not know it. Only SIGCONT goes to the group, for a terminal
// stops groups. COMMAND leads a process group of its own and gets the terminal
// if oh-init had it, so Ctrl-C arrives once. Ctrl-Z works under a shell with job
// control; under PID 1 nobody could continue what it stops, so COMMAND is
// continued at once. SIGTSTP, SIGTTIN, SIGTTOU, SIGURG and SIGPROF are not
// handed on: they are about oh-init's own terminal and threads.
//
// With --create it must be started as root. It makes the account NAME, its home
// and /workspace when the container starts, and runs COMMAND as that account,
// with HOME, USER and LOGNAME set and the account's groups. An account of that
// name is used as it is, and what a flag leaves open is taken from it. A new one
// gets --uid 1000, the gid of the group NAME or else the number of its uid,
// --home /home/NAME and --shell /bin/bash. The variables OH_UID and OH_GID win
// over the flags:
//
//	docker run -e OH_UID=$(id -u) -e OH_GID=$(id -g) -v "$PWD:/workspace" IMAGE
//
// lets the account own a mounted directory. Owners change on the home and on
// /workspace themselves and never below them. What cannot be written, on a
// read-only root for instance, is said in one line on stderr, and COMMAND is
// started with the same ids all the same. It is never started as root because
// something failed: ids that cannot be changed are an error. Without root,
// --create is said to be impossible, and COMMAND runs as the uid that is there.
//
// Any uid works: without root, where HOME is unset, "/" or not writable, HOME
// becomes the first writable one of /openhands-home, /home/openhands and
// /tmp/openhands-home-UID, which is made for the purpose. The same goes for
// micromamba below, as hosts start it in place of the entrypoint.
//
// Where COMMAND is the image's own and starts a server that would obey everybody,
// SESSION_API_KEY is set and said if it is not set at all: see key.go.
//
// # micromamba: `micromamba run` without micromamba
//
//	micromamba run [-n NAME | -p PREFIX] [OPTION...] COMMAND [ARG...]
//
// is how hosts of OpenHands start its server, whatever its Python came from.
// Options are -r/--root-prefix DIR, --cwd DIR, -e/--env NAME[=VALUE],
// --clean-env, and without an effect -a/--attach STREAMS, --no-capture-output
// and --live-stream: COMMAND replaces micromamba and has its streams anyway.
// Everything but run is for the real micromamba, if the image has it.
//
// # poetry: `poetry run` without poetry
//
//	poetry run COMMAND [ARG...]
//
// in /openhands/code runs COMMAND of the server's virtual environment without
// the second that it takes to load poetry. All else is for the real poetry.
//
// Neither changes PATH: see micromamba.go.
//
// # oh-check: whether an image works
//
// See package check.
package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/openhands/llb-frontend/frontend/cmd/oh-init/internal/check"
)

// The kernel delivers a signal that a process sends to itself before the call
// returns, if the main thread sends it: see child.stopped.
func init() { runtime.LockOSThread() }

func main() {
	os.Exit(dispatch("/", os.Args))
}

// commands are the names that the program is called by. Arguments come without
// the name; the result is the exit code.
func commands(r root) map[string]func(args []string) int {
	return map[string]func(args []string) int{
		"oh-check":   check.Main,
		"oh-init":    func(args []string) int { return initMain(r, args) },
		"micromamba": func(args []string) int { return micromambaMain(r, args) },
		"poetry":     func(args []string) int { return poetryMain(r, args) },
	}
}

func dispatch(r root, argv []string) int {
	name := ""
	if len(argv) > 0 {
		name = filepath.Base(argv[0])
	}
	table := commands(r)
	if command, ok := table[name]; ok {
		return command(argv[1:])
	}
	say("oh-init", fmt.Errorf("the name %q is none of this program's: call it by one of %q", name, slices.Sorted(maps.Keys(table))))
	return exitSelf
}

// say writes an error as one line on stderr.
func say(program string, err error) {
	fmt.Fprintf(os.Stderr, "%s: %s\n", program, oneLine(err))
}
