package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/openhands/llb-frontend/llb/identity"
)

const (
	rootLine   = "root:x:0:0:root:/root:/bin/sh\n"
	nodeLine   = "node:x:1000:1000::/home/node:/bin/bash\n"
	rootGroup  = "root:x:0:\n"
	dockerLine = "docker:x:998:a,openhands\n"
)

func TestCreateAccount(t *testing.T) {
	needRoot(t)
	dir := t.TempDir()
	write(t, dir+"/etc/passwd", rootLine+nodeLine, 0o644)
	write(t, dir+"/etc/group", rootGroup+dockerLine, 0o664)
	write(t, dir+"/etc/shadow", "root:*:::::::\n", 0o640)
	if err := os.Chown(dir+"/etc/shadow", 0, 42); err != nil {
		t.Fatal(err)
	}
	write(t, dir+"/workspace/sub/file", "", 0o600)

	for range 2 { // as a container that is started again does
		account, groups, problems := createAccount(root(dir), identity.Want{Name: "openhands"})
		if account.UID != 1000 || account.GID != 1000 || account.Home != "/home/openhands" || !slices.Equal(groups, []uint32{998}) || len(problems) > 0 {
			t.Fatalf("%+v %v %v", account, groups, problems)
		}
		for name, want := range map[string]string{
			"etc/passwd":         "-rw-r--r-- 0:0 " + rootLine + "openhands:x:1000:1000::/home/openhands:/bin/bash\n" + nodeLine,
			"etc/group":          "-rw-rw-r-- 0:0 " + rootGroup + dockerLine + "openhands:x:1000:\n",
			"etc/shadow":         "-rw-r----- 0:42 root:*:::::::\nopenhands:*:::::::\n",
			"home":               "drwxr-xr-x 0:0 ",
			"home/openhands":     "drwxr-xr-x 1000:1000 ",
			"workspace":          "drwxr-xr-x 1000:1000 ",
			"workspace/sub":      "drwxr-xr-x 0:0 ",
			"workspace/sub/file": "-rw------- 0:0 ",
		} {
			if got := described(t, filepath.Join(dir, name)); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		if _, err := os.Stat(dir + "/etc/gshadow"); !errors.Is(err, fs.ErrNotExist) {
			t.Error("gshadow was not there, and is now")
		}
		names, err := os.ReadDir(dir + "/etc")
		if err != nil || len(names) != 3 {
			t.Errorf("/etc holds %v, %v", names, err)
		}
	}
}

// described is what ls says of a file, with its content.
func described(t *testing.T, name string) string {
	t.Helper()
	info, err := os.Lstat(name)
	if err != nil {
		return err.Error()
	}
	content := []byte{}
	if info.Mode().IsRegular() {
		if content, err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	stat := info.Sys().(*syscall.Stat_t)
	return fmt.Sprintf("%s %d:%d %s", info.Mode(), stat.Uid, stat.Gid, content)
}

func TestCreateAccountOnNothing(t *testing.T) {
	needRoot(t)
	dir := t.TempDir()
	five := uint32(5)
	account, groups, problems := createAccount(root(dir), identity.Want{Name: "dev", UID: &five, Home: "/srv/dev", Shell: "/bin/sh"})
	if account.UID != 5 || account.GID != 5 || groups != nil || len(problems) > 0 {
		t.Errorf("%+v %v %v", account, groups, problems)
	}
	for name, want := range map[string]string{
		"etc/passwd": "-rw-r--r-- 0:0 " + rootLine + "dev:x:5:5::/srv/dev:/bin/sh\n",
		"srv/dev":    "drwxr-xr-x 5:5 ",
		"workspace":  "drwxr-xr-x 5:5 ",
	} {
		if got := described(t, filepath.Join(dir, name)); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestCreateAccountThatExists(t *testing.T) {
	needRoot(t)
	seven := uint32(7)
	for _, tt := range []struct {
		name     string
		want     identity.Want
		uid, gid uint32
		problem  string
	}{
		{"as it is", identity.Want{Name: "tool"}, 8, 9, ""},
		{"another uid", identity.Want{Name: "tool", UID: &seven}, 7, 9, `account "tool" not made, going on with 7:9: user.uid is 7, but`},
		{"another gid", identity.Want{Name: "tool", GID: &seven}, 8, 7, `account "tool" not made, going on with 8:7: user.gid is 7, but`},
	} {
		dir := t.TempDir()
		passwd := rootLine + "tool:x:8:9::/bin:/bin/sh\n"
		write(t, dir+"/etc/passwd", passwd, 0o644)
		write(t, dir+"/bin/sh", "", 0o755)
		account, _, problems := createAccount(root(dir), tt.want)
		if account.UID != tt.uid || account.GID != tt.gid || account.Home != "/bin" {
			t.Errorf("%s: %+v", tt.name, account)
		}
		if said := fmt.Sprint(problems); len(problems) > 1 || !strings.Contains(said, tt.problem) || tt.problem == "" && len(problems) > 0 {
			t.Errorf("%s: %s, want %q", tt.name, said, tt.problem)
		}
		if got := described(t, dir+"/bin"); got != "drwxr-xr-x 0:0 " {
			t.Errorf("%s: the system's directory was given away: %s", tt.name, got)
		}
		if got := described(t, dir+"/etc/passwd"); got != "-rw-r--r-- 0:0 "+passwd {
			t.Errorf("%s: passwd %q", tt.name, got)
		}
	}
}

func TestCreateFollowsNoSymlinkToAHome(t *testing.T) {
	needRoot(t)
	dir := t.TempDir()
	write(t, dir+"/etc/secret", "", 0o600)
	if err := os.Symlink(dir+"/etc", dir+"/workspace"); err != nil {
		t.Fatal(err)
	}
	_, _, problems := createAccount(root(dir), identity.Want{Name: "openhands"})
	if said := fmt.Sprint(problems); len(problems) != 1 || !strings.Contains(said, "/workspace\" not given to 1000:1000: it is no directory") {
		t.Errorf("%s", said)
	}
	if got := described(t, dir+"/etc"); got != "drwxr-xr-x 0:0 " {
		t.Errorf("the link's target was given away: %s", got)
	}
}

func TestParseOptions(t *testing.T) {
	number := func(n uint32) *uint32 { return &n }
	for _, tt := range []struct {
		args, env string
		want      identity.Want
		err       string
	}{
		{"--create openhands -- a", "", identity.Want{Name: "openhands"}, ""},
		{"--create dev --uid 5 --gid=6 --home /h --shell /bin/sh a", "", identity.Want{Name: "dev", UID: number(5), GID: number(6), Home: "/h", Shell: "/bin/sh"}, ""},
		{"--create dev --uid 5 a", "OH_UID=7 OH_GID=8", identity.Want{Name: "dev", UID: number(7), GID: number(8)}, ""},
		{"--create dev --gid 5 a", "OH_UID=0 OH_GID=", identity.Want{Name: "dev", UID: number(0), GID: number(5)}, ""},
		{"a --create dev", "OH_UID=7", identity.Want{}, ""},
		{"--create dev a", "OH_UID=me", identity.Want{}, `OH_UID is "me": use a number`},
		{"--create dev a", "OH_GID=-1", identity.Want{}, `OH_GID is "-1": use a number`},
		{"--create dev --uid 4294967295 a", "", identity.Want{}, `--uid is "4294967295": use a number`},
		{"--create 1000 a", "", identity.Want{}, `"1000" is not a portable account name`},
		{"--create dev --home here a", "", identity.Want{}, `user.home "here" cannot be written`},
		{"--create", "", identity.Want{}, "flag --create has no value"},
		{"--create= a", "", identity.Want{}, "flag --create has no value"},
		{"--home /h a", "", identity.Want{}, "add --create NAME"},
		{"-x a", "", identity.Want{}, `no flag is called "-x"`},
	} {
		opt, err := parseOptions(strings.Fields(tt.args), strings.Fields(tt.env))
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s: error %v, want %q", tt.args, err, tt.err)
			}
			continue
		}
		// Pointers to equal numbers are equal here.
		if got, want := describe(opt.want), describe(tt.want); err != nil || got != want || len(opt.command) == 0 || opt.command[0] != "a" {
			t.Errorf("%s: %s %v %v, want %s", tt.args, got, opt.command, err, want)
		}
	}
}

func describe(w identity.Want) string {
	id := func(p *uint32) string {
		if p == nil {
			return "-"
		}
		return fmt.Sprint(*p)
	}
	return strings.Join([]string{w.Name, id(w.UID), id(w.GID), w.Home, w.Shell}, " ")
}
