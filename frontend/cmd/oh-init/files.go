package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/openhands/llb-frontend/llb/identity"
)

// accountFile ties a file to its field of identity.Files.
type accountFile struct {
	path    string
	content *[]byte
}

// accountFiles are in the order of writing: a reader that finds the account in
// passwd finds the rest too.
func accountFiles(files *identity.Files) []accountFile {
	return []accountFile{
		{"/etc/group", &files.Group},
		{"/etc/gshadow", &files.GShadow},
		{"/etc/shadow", &files.Shadow},
		{"/etc/passwd", &files.Passwd},
	}
}

func readAccounts(r root) (identity.Files, error) {
	var files identity.Files
	var errs []error
	for _, f := range accountFiles(&files) {
		b, err := os.ReadFile(r.at(f.path))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			errs = append(errs, err)
		}
		*f.content = append([]byte{}, b...) // there, even when it is empty
	}
	return files, errors.Join(errs...)
}

// writeAccounts writes the files that are not nil.
func writeAccounts(r root, files identity.Files) error {
	for _, f := range accountFiles(&files) {
		if *f.content == nil {
			continue
		}
		if err := writeAtomic(r.at(f.path), *f.content); err != nil {
			return err
		}
	}
	return nil
}

// writeAtomic replaces a file by another with its mode and owner: whoever reads
// sees the old content or the new. A file that is a mount is left alone, as the
// rename fails there: it may be the host's.
func writeAtomic(name string, content []byte) (err error) {
	if target, err := filepath.EvalSymlinks(name); err == nil {
		name = target
	}
	mode, uid, gid := fs.FileMode(0o644), 0, 0
	if info, err := os.Stat(name); err == nil {
		stat := info.Sys().(*syscall.Stat_t)
		mode, uid, gid = info.Mode().Perm(), int(stat.Uid), int(stat.Gid)
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	temp := name + ".oh-init"
	// shadow's content must not be readable for a moment either.
	if err := os.WriteFile(temp, content, 0o600); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(temp))
		}
	}()
	if err := os.Lchown(temp, uid, gid); err != nil {
		return err
	}
	if err := os.Chmod(temp, mode); err != nil {
		return err
	}
	return os.Rename(temp, name)
}
