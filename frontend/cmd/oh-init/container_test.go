package main

import (
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// static is this test binary as one that needs no library: itself, or built a
// second time where it was built with cgo.
var static = sync.OnceValues(func() ([]byte, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	f, err := elf.Open(self)
	if err != nil {
		return nil, err
	}
	if f.Section(".interp") == nil {
		return os.ReadFile(self)
	}
	dir, err := os.MkdirTemp("", "oh-init-test")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	build := exec.Command("go", "test", "-c", "-o", dir+"/static", ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	return os.ReadFile(dir + "/static")
})

// container is a root that holds this binary as oh-init and as t-show, and
// account files.
func container(t *testing.T) string {
	t.Helper()
	needRoot(t)
	dir := t.TempDir()
	b, err := static()
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir+"/openhands/bin/oh-init", string(b), 0o755)
	if err := os.Symlink("oh-init", dir+"/openhands/bin/t-show"); err != nil {
		t.Fatal(err)
	}
	write(t, dir+"/etc/passwd", rootLine, 0o644)
	write(t, dir+"/etc/group", rootGroup+dockerLine, 0o644)
	if err := os.Mkdir(dir+"/tmp", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir+"/tmp", 0o777|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
	// Other users must be able to enter it.
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// started runs oh-init in a container, as PID 1 of it.
func started(t *testing.T, dir string, env string, attr syscall.SysProcAttr, args ...string) result {
	t.Helper()
	cmd := program(t, append([]string{"/openhands/bin/oh-init"}, args...)...)
	cmd.Path, cmd.Dir = "/openhands/bin/oh-init", "/"
	cmd.Env = append([]string{"TEST_ROOT=/", "PATH=/openhands/bin"}, strings.Fields(env)...)
	attr.Chroot = dir
	cmd.SysProcAttr = &attr
	inNewPIDs(t, cmd)
	return run(t, cmd)
}

func user(uid, gid uint32) syscall.SysProcAttr {
	return syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: gid}}
}

func TestContainer(t *testing.T) {
	create := []string{"--create", "openhands", "--", "t-show"}
	plain := []string{"t-show"}
	tempHome := `uid 12345 cannot write: it is "/tmp/openhands-home-12345" now`
	for _, tt := range []struct {
		name   string
		env    string
		attr   syscall.SysProcAttr
		args   []string
		stdout string
		stderr string
	}{
		{"create", "HOME=/root", user(0, 0), create, "1000 1000 [998] /home/openhands openhands openhands\n", ""},
		{"ids of the host", "OH_UID=501 OH_GID=20", user(0, 0), create, "501 20 [998] /home/openhands openhands openhands\n", ""},
		{"uid of the host", "OH_UID=501", user(0, 0), create, "501 501 [998] /home/openhands openhands openhands\n", ""},
		{"root stays root", "OH_UID=0", user(0, 0), create, "0 0 [998] /home/openhands openhands openhands\n", ""},
		{"create without root", "", user(12345, 0), create, "12345 0 [] /tmp/openhands-home-12345  \n", "--create needs root"},
		{"any uid", "HOME=/", user(12345, 0), plain, "12345 0 [] /tmp/openhands-home-12345  \n", `HOME is "/", which ` + tempHome},
		{"any uid, HOME of another", "HOME=/etc", user(12345, 7), plain, "12345 7 [] /tmp/openhands-home-12345  \n", `HOME is "/etc", which ` + tempHome},
		{"root as it is", "HOME=/", user(0, 0), plain, "0 0 [] /  \n", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := container(t)
			for range 2 { // the second start finds what the first has left
				got := started(t, dir, tt.env, tt.attr, tt.args...)
				if got.code != 0 || got.stdout != tt.stdout || !strings.Contains(got.stderr, tt.stderr) || tt.stderr == "" && got.stderr != "" {
					t.Errorf("%+v, want %q and %q", got, tt.stdout, tt.stderr)
				}
			}
		})
	}
}

// A read-only root holds nobody back, and the ids are dropped all the same.
func TestReadOnlyRoot(t *testing.T) {
	dir := container(t)
	for _, tt := range []struct {
		args   []string
		stdout string
		stderr []string
	}{
		{[]string{"t-show"}, "0 0 [] /root  \n", nil},
		{[]string{"--create", "openhands", "t-show"}, "1000 1000 [998] /home/openhands openhands openhands\n", []string{
			`oh-init: account "openhands" not written, going on with 1000:1000: open /etc/group.oh-init: read-only file system`,
			`oh-init: directory "/home/openhands" not given to 1000:1000: mkdir /home: read-only file system`,
			`oh-init: directory "/workspace" not given to 1000:1000: mkdir /workspace: read-only file system`,
			`oh-init: no home for uid 1000, HOME stays "/home/openhands": mkdir /tmp/openhands-home-1000: read-only file system: set HOME to a directory that it can write`,
		}},
	} {
		cmd := program(t, append([]string{"t-readonly", dir, "oh-init"}, tt.args...)...)
		cmd.Env = []string{"TEST_ROOT=/", "PATH=/openhands/bin", "HOME=/root"}
		inNewPIDs(t, cmd)
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWNS
		got := run(t, cmd)
		stderr := ""
		if tt.stderr != nil {
			stderr = strings.Join(tt.stderr, "\n") + "\n"
		}
		if got != (result{0, tt.stdout, stderr}) {
			t.Errorf("%q: %+v, want\n%s", tt.args, got, stderr)
		}
	}
}

// Without the right to change ids, the command is not started as root instead.
func TestIDsThatCannotBeTaken(t *testing.T) {
	dir := container(t)
	got := started(t, dir, "", syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 1}},
	}, "--create", "openhands", "t-show")
	if got.code != 125 || got.stdout != "" || !strings.Contains(got.stderr, "the ids of the account cannot be taken: 1000:1000: ") {
		t.Errorf("%+v", got)
	}
}
