package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// owner is whom a directory is for.
type owner struct {
	uid, gid uint32
	groups   []uint32
}

// self is the owner of what this process makes. Groups are of no interest: the
// kernel is asked, not the mode.
func self() owner {
	return owner{uid: uint32(os.Geteuid()), gid: uint32(os.Getegid())}
}

// chooseHome returns have if who can write there, else the first home that who
// can write, made if need be. "/" is what runtimes set for a uid without an
// account, and no home even for those who can write it.
func chooseHome(r root, who owner, have string) (string, error) {
	if have != "" && have != "/" && writable(r.at(have), who) {
		return have, nil
	}
	for _, home := range []string{numericHome, defaultHome} {
		if writable(r.at(home), who) {
			return home, nil
		}
	}
	home := tempHome + strconv.FormatUint(uint64(who.uid), 10)
	if err := makePrivate(r.at(home), who); err != nil {
		return "", fmt.Errorf("no home for uid %d, HOME stays %q: %w: set HOME to a directory that it can write", who.uid, have, err)
	}
	return home, nil
}

// writable tells whether who can make files in the directory. For root the
// kernel only tells whether the file system is read-only, so the mode decides.
func writable(dir string, who owner) bool {
	info, err := os.Stat(dir)
	if err != nil || !info.IsDir() || unix.Access(dir, unix.W_OK|unix.X_OK) != nil {
		return false
	}
	if os.Geteuid() != 0 || who.uid == 0 {
		return true
	}
	const writeAndSearch = 0o3
	mode, stat := info.Mode().Perm(), info.Sys().(*syscall.Stat_t)
	switch {
	case stat.Uid == who.uid:
		mode >>= 6
	case stat.Gid == who.gid, slices.Contains(who.groups, stat.Gid):
		mode >>= 3
	}
	return mode&writeAndSearch == writeAndSearch
}

// makePrivate makes a directory in a place where everybody can write. One that
// is there already may be somebody's trap: it must be a directory, who's own,
// and closed to others.
func makePrivate(dir string, who owner) error {
	err := os.Mkdir(dir, 0o700)
	if err == nil {
		return os.Lchown(dir, int(who.uid), int(who.gid)) // no change if it is self
	}
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if stat := info.Sys().(*syscall.Stat_t); !info.IsDir() || stat.Uid != who.uid || info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%q must be a directory of uid %d with mode 0700, and is of uid %d with mode %s: remove it", dir, who.uid, stat.Uid, info.Mode())
	}
	return nil
}
