package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func TestChooseHome(t *testing.T) {
	me := self()
	own := tempHome + strconv.FormatUint(uint64(me.uid), 10)
	for _, tt := range []struct {
		name string
		dirs []string
		have string
		want string
	}{
		{"its own", []string{"home/me", "openhands-home"}, "/home/me", "/home/me"},
		{"unset", []string{"openhands-home", "home/openhands"}, "", numericHome},
		{"the root", []string{"openhands-home", "home/openhands"}, "/", numericHome},
		{"missing", []string{"home/openhands"}, "/home/me", defaultHome},
		{"a file", []string{"home/openhands"}, "/etc", defaultHome},
		{"nothing there", nil, "/nonexistent", own},
	} {
		dir := t.TempDir()
		write(t, dir+"/etc", "", 0o600)
		for _, d := range append(tt.dirs, "tmp") {
			if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			if got, err := chooseHome(root(dir), me, tt.have); err != nil || got != tt.want {
				t.Errorf("%s: %q, %v, want %q", tt.name, got, err, tt.want)
			}
		}
		if info, err := os.Stat(dir + own); tt.want == own && (err != nil || info.Mode() != os.ModeDir|0o700) {
			t.Errorf("%s: %v, %v", tt.name, info.Mode(), err)
		}
	}
}

func TestTrapsInTmp(t *testing.T) {
	me := self()
	own := tempHome + strconv.FormatUint(uint64(me.uid), 10)
	for name, set := range map[string]func(t *testing.T, home string) error{
		"symlink": func(t *testing.T, home string) error { return os.Symlink(t.TempDir(), home) },
		"file":    func(_ *testing.T, home string) error { return os.WriteFile(home, nil, 0o700) },
		"open to others": func(_ *testing.T, home string) error {
			if err := os.Mkdir(home, 0o700); err != nil {
				return err
			}
			return os.Chmod(home, 0o777)
		},
		"another owner's": func(t *testing.T, home string) error {
			needRoot(t)
			if err := os.Mkdir(home, 0o700); err != nil {
				return err
			}
			return os.Chown(home, 4321, 4321)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.Mkdir(dir+"/tmp", 0o755); err != nil {
				t.Fatal(err)
			}
			if err := set(t, dir+own); err != nil {
				t.Fatal(err)
			}
			got, err := chooseHome(root(dir), me, "/none")
			if err == nil || !strings.Contains(err.Error(), "must be a directory of uid") {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

// Root asks on behalf of another, so the mode decides.
func TestWritableForAnother(t *testing.T) {
	needRoot(t)
	who := owner{uid: 1000, gid: 1000, groups: []uint32{998}}
	for _, tt := range []struct {
		uid, gid int
		mode     os.FileMode
		want     bool
	}{
		{1000, 0, 0o700, true},
		{1000, 0, 0o577, false},
		{0, 1000, 0o770, true},
		{0, 998, 0o770, true},
		{0, 1000, 0o707, false},
		{0, 0, 0o777, true},
		{0, 0, 0o755, false},
		{0, 0, 0o776, false},
	} {
		dir := t.TempDir()
		if err := os.Chown(dir, tt.uid, tt.gid); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(dir, tt.mode); err != nil {
			t.Fatal(err)
		}
		if got := writable(dir, who); got != tt.want {
			t.Errorf("%d:%d %o: %t, want %t", tt.uid, tt.gid, tt.mode, got, tt.want)
		}
	}
}
