package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// bothWays runs a test with the init as PID 1, and as any other process.
func bothWays(t *testing.T, test func(t *testing.T, init func(argv ...string) *exec.Cmd)) {
	start := func(argv ...string) *exec.Cmd {
		return program(t, append([]string{"/openhands/bin/oh-init"}, argv...)...)
	}
	t.Run("subreaper", func(t *testing.T) { test(t, start) })
	t.Run("PID 1", func(t *testing.T) {
		test(t, func(argv ...string) *exec.Cmd {
			cmd := start(argv...)
			inNewPIDs(t, cmd)
			return cmd
		})
	})
}

func TestExitCodes(t *testing.T) {
	dir := t.TempDir()
	text, foreign, orphan := filepath.Join(dir, "text"), filepath.Join(dir, "foreign"), filepath.Join(dir, "orphan")
	write(t, text, "hello", 0o644)
	write(t, foreign, "\x7fELF of another world", 0o755)
	write(t, orphan, "#!/no/such/interpreter\n", 0o755)
	bothWays(t, func(t *testing.T, init func(argv ...string) *exec.Cmd) {
		for _, tt := range []struct {
			argv   []string
			code   int
			stderr string
		}{
			{[]string{"t-exit", "0"}, 0, ""},
			{[]string{"--", "t-exit", "42"}, 42, ""},
			{[]string{"t-kill", "9"}, 128 + 9, ""},
			{[]string{"t-kill", "15"}, 128 + 15, ""},
			{[]string{"t-kill", "1"}, 128 + 1, ""},
			{nil, 127, "no command to start"},
			{[]string{"--"}, 127, "no command to start"},
			{[]string{"no-such-command"}, 127, `command "no-such-command" is not in "/`},
			{[]string{""}, 127, `command "" is not in "/`},
			{[]string{"/no/such/command"}, 127, `command "/no/such/command" is not there`},
			{[]string{"/"}, 126, `command "/" is a directory`},
			{[]string{text}, 126, "is not executable"},
			{[]string{foreign}, 126, "is not for this machine"},
			{[]string{orphan}, 126, "needs an interpreter"},
			{[]string{"--frob", "t-exit"}, 125, `no flag is called "--frob"`},
			{[]string{"--uid", "5", "t-exit", "0"}, 125, "add --create NAME"},
		} {
			got := run(t, init(tt.argv...))
			if got.code != tt.code || !strings.Contains(got.stderr, tt.stderr) || strings.Count(got.stderr, "\n") > 1 || tt.stderr == "" && got.stderr != "" {
				t.Errorf("%q: code %d and %q, want %d and %q", tt.argv, got.code, got.stderr, tt.code, tt.stderr)
			}
		}
	})
}

func TestReapsOrphans(t *testing.T) {
	bothWays(t, func(t *testing.T, init func(argv ...string) *exec.Cmd) {
		got := run(t, init("t-parent"))
		if got.code != 5 || got.stdout != "adopted true\nreaped\n" {
			t.Errorf("%+v", got)
		}
	})
}

func TestForwardsSignals(t *testing.T) {
	bothWays(t, func(t *testing.T, init func(argv ...string) *exec.Cmd) {
		cmd := init("t-signals")
		stdin, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		d := begin(t, cmd)
		d.expect("ready")
		seen := map[syscall.Signal]bool{}
		for _, s := range forwarded() {
			number := s.(syscall.Signal)
			seen[number] = true
			if err := cmd.Process.Signal(s); err != nil {
				t.Fatal(err)
			}
			d.expect(strconv.Itoa(int(number)))
		}
		for _, s := range []syscall.Signal{unix.SIGTERM, unix.SIGINT, unix.SIGHUP, unix.SIGQUIT, unix.SIGUSR1, unix.SIGUSR2, unix.SIGCONT, unix.SIGWINCH, 37} {
			if !seen[s] {
				t.Errorf("signal %d is not among those that are forwarded", s)
			}
		}
		if err := stdin.Close(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		if code := cmd.ProcessState.ExitCode(); code != 3 {
			t.Errorf("code %d, want 3", code)
		}
	})
}

func TestSignalsGoToTheCommandAlone(t *testing.T) {
	bothWays(t, func(t *testing.T, init func(argv ...string) *exec.Cmd) {
		cmd := init("t-alone")
		d := begin(t, cmd)
		d.expect("ready")
		if err := cmd.Process.Signal(unix.SIGHUP); err != nil {
			t.Fatal(err)
		}
		d.expect("child: <nil>")
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	})
}

// The rest of the process group is asked to end. As PID 1, the kernel gives it
// no time to answer, so only its end can be seen: the output closes.
func TestEndsWhatIsLeft(t *testing.T) {
	bothWays(t, func(t *testing.T, init func(argv ...string) *exec.Cmd) {
		got := run(t, init("t-leave"))
		silent := strings.HasSuffix(t.Name(), "1") && got.stdout == ""
		if got.code != 4 || got.stdout != "terminated\n" && !silent {
			t.Errorf("%+v, want code 4", got)
		}
	})
}

// begin starts a command with its output as a dialog.
func begin(t *testing.T, cmd *exec.Cmd) dialog {
	t.Helper()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return converse(t, stdout)
}

func TestNames(t *testing.T) {
	got := run(t, program(t, "/usr/bin/frob"))
	want := `oh-init: the name "frob" is none of this program's: call it by one of ["`
	if got.code != 125 || !strings.HasPrefix(got.stderr, want) || !strings.Contains(got.stderr, ` "oh-init" "poetry"]`) {
		t.Errorf("%+v, want %q", got, want)
	}
}
