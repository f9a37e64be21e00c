package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/openhands/llb-frontend/llb/seal"
)

// write makes the planned tree below root. Modes, owner and times depend on
// nothing but the plan; on failure nothing is left.
func (o *output) write(root string) (err error) {
	top := filepath.Join(root, "openhands")
	if _, err := os.Lstat(top); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is there already: --out must be an empty directory", top)
	}
	defer func() {
		if err != nil {
			err = joinRemove(err, root)
		}
	}()
	written := map[string]string{} // hard links: identity of the data -> path
	for _, p := range o.paths() {
		name := filepath.Join(root, p)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := o.writeItem(name, o.items[p], written); err != nil {
			return err
		}
	}
	for _, m := range o.must {
		if o.hits[m] == 0 {
			return fmt.Errorf("package %s not known: looked for %q in its files, found it 0 times", m.pkg, m.path)
		}
	}
	return normalize(top)
}

// joinRemove removes what a failed run has written.
func joinRemove(err error, root string) error {
	return errors.Join(err, os.RemoveAll(filepath.Join(root, "openhands")))
}

func (o *output) writeItem(name string, it item, written map[string]string) error {
	if it.link != "" {
		return os.Symlink(it.link, name)
	}
	if it.src != nil {
		if first, ok := written[it.src.data.disk]; ok {
			return os.Link(first, name)
		}
	}
	b, f, changed, err := o.finished(it)
	if err != nil {
		return err
	}
	if f.Kind == seal.Executable {
		// Packages hold copies of one program (git has two of 4 MB).
		id := fmt.Sprintf("%x", sha256.Sum256(b))
		if first, ok := written[id]; ok {
			return os.Link(first, name)
		}
		written[id] = name
	}
	if f.Kind == seal.Executable || f.Kind == seal.Shared {
		o.elf++
	}
	if changed {
		o.sealed++
	}
	if it.src != nil {
		written[it.src.data.disk] = name
	}
	mode := fs.FileMode(0o644)
	if it.exec || it.src != nil && it.src.data.exec {
		mode = 0o755
	}
	if err := os.WriteFile(name, b, mode); err != nil {
		return err
	}
	return os.Chmod(name, mode) // whatever the umask
}

// normalize gives everything to root and sets all times to Unix time 0; what a
// directory holds is finished before the directory.
func normalize(top string) error {
	var paths []string
	err := filepath.WalkDir(top, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		paths = append(paths, p)
		if d.IsDir() {
			return os.Chmod(p, 0o755)
		}
		return nil
	})
	if err != nil {
		return err
	}
	epoch := []unix.Timespec{{}, {}}
	for _, p := range slices.Backward(paths) {
		if os.Geteuid() == 0 {
			if err := os.Lchown(p, 0, 0); err != nil {
				return err
			}
		}
		if err := unix.UtimesNanoAt(unix.AT_FDCWD, p, epoch, unix.AT_SYMLINK_NOFOLLOW); err != nil {
			return fmt.Errorf("set times of %s: %w", p, err)
		}
	}
	return nil
}
