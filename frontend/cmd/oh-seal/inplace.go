package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/openhands/llb-frontend/llb/seal"
)

// openRegular opens a regular file for reading. A symbolic link that took its
// place meanwhile is not followed, and a pipe does not block.
func openRegular(name string) (*os.File, fs.FileInfo, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is no regular file", name)
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, info, nil
}

// fileID tells files with several names apart.
type fileID struct{ dev, ino uint64 }

func idOf(info fs.FileInfo) (id fileID, names uint64) {
	stat := info.Sys().(*syscall.Stat_t)
	return fileID{uint64(stat.Dev), stat.Ino}, uint64(stat.Nlink) //nolint:unconvert // the types differ between architectures
}

// overwrite writes edits into an open file where it lies, so hard links, holes,
// owner and extended attributes stay, and puts mode and times back. Each edit
// is one write of a few bytes: another process sees the old or the new path.
func overwrite(r *os.File, info fs.FileInfo, edits []seal.Edit) (err error) {
	name := r.Name()
	if info.Mode().Perm()&0o200 == 0 { // whoever is not root cannot open it
		if err := r.Chmod(info.Mode().Perm() | 0o200); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, r.Chmod(info.Mode())) }()
	}
	f, err := os.OpenFile(name, os.O_WRONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if errors.Is(err, syscall.ETXTBSY) {
		return fmt.Errorf("%s is running: stop it first", name)
	}
	if err != nil {
		return err
	}
	if now, err := f.Stat(); err != nil || !os.SameFile(now, info) || now.Size() != info.Size() {
		return errors.Join(fmt.Errorf("%s changes while it is read: run it again", name), err, f.Close())
	}
	for _, e := range edits {
		if _, err := f.WriteAt(e.Data, e.Offset); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	if err := f.Close(); err != nil {
		return err
	}
	stat := info.Sys().(*syscall.Stat_t)
	times := []unix.Timespec{unix.Timespec(stat.Atim), unix.Timespec(stat.Mtim)}
	if err := unix.UtimesNanoAt(unix.AT_FDCWD, name, times, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return fmt.Errorf("set times of %s: %w", name, err)
	}
	return nil
}
