package identity

import (
	"bytes"
	"slices"
	"testing"
)

// FuzzEdit checks what must hold for every base: the account is what a reader
// of the new files finds under its name and its uid, a second edit changes
// nothing, and every line of the base is still there, in order. Readers are
// ours, and the looser and stricter ones of [readers].
func FuzzEdit(f *testing.F) {
	f.Add([]byte(rootLine+nodeLine+"+::::::"), []byte("root:x:0:\nnode:x:1000:\n"), []byte("root:*:::::::\n"), "openhands", uint32(1000), false, "", "")
	f.Add([]byte("openhands:x:77\r\n# c"), []byte("openhands:x"), []byte(""), "openhands", uint32(77), true, "/srv/x", "/bin/sh")
	f.Add([]byte(" openhands:x:5:5::/:\n-x\n"), []byte("+\n"), []byte("openhands:"), "openhands", uint32(5), true, "/", "")
	f.Add([]byte("admin:x:0:0::/:"), []byte("wheel:x:00:a"), []byte("\n\n"), "root", uint32(0), false, "/data", "")
	f.Fuzz(func(t *testing.T, passwd, group, shadow []byte, name string, uid uint32, fixed bool, home, shell string) {
		have := Files{Passwd: passwd, Group: group, Shadow: shadow, GShadow: shadow}
		want := Want{Name: name, Home: home, Shell: shell}
		if fixed {
			want.UID = &uid
		}
		account, changed, err := Edit(have, want)
		if err != nil {
			t.Skip(err)
		}
		after := Files{
			Passwd: check(t, have.Passwd, changed.Passwd), Group: check(t, have.Group, changed.Group),
			Shadow: check(t, have.Shadow, changed.Shadow), GShadow: check(t, have.GShadow, changed.GShadow),
		}

		again, changedAgain, err := Edit(after, want)
		if err != nil {
			t.Fatalf("second edit: %v", err)
		}
		for _, file := range [][]byte{changedAgain.Passwd, changedAgain.Group, changedAgain.Shadow, changedAgain.GShadow} {
			if file != nil {
				t.Fatalf("second edit writes %q", file)
			}
		}
		if changed.Passwd == nil {
			return
		}
		account.Existed = true
		if again != account {
			t.Fatalf("second edit finds %+v, want %+v", again, account)
		}
		if found, ok := find(after.Passwd, func(a Account) bool { return a.UID == account.UID }); account.UID != 0 && (!ok || found != account) {
			t.Fatalf("uid %d reads as %+v", account.UID, found)
		}
		if gid, ok := findGroup(after.Group, name); !ok || gid != account.GID {
			t.Fatalf("group %q has gid %d (%t), want %d", name, gid, ok, account.GID)
		}
		for reader, read := range readers {
			if found, ok := read(after.Passwd, name); !ok || found != account {
				t.Fatalf("%s reads %q as %+v (%t), want %+v", reader, name, found, ok, account)
			}
		}
	})
}

// check returns the file after the edit, and fails if it is not the file before
// with exactly one line more.
func check(t *testing.T, before, after []byte) []byte {
	t.Helper()
	if after == nil {
		return before
	}
	split := func(file []byte) [][]byte {
		return bytes.Split(bytes.TrimSuffix(file, []byte("\n")), []byte("\n"))
	}
	lines := split(after)
	for i := range lines {
		rest := slices.Concat(lines[:i], lines[i+1:])
		if slices.EqualFunc(rest, split(before), bytes.Equal) || len(before) == 0 && len(rest) == 0 {
			return after
		}
	}
	t.Fatalf("%q became %q", before, after)
	return nil
}
