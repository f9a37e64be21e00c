package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// unpackPackages makes a root of packages and all that they depend on, with
// /usr merged and no maintainer script run. It is nothing to run programs in:
// components take files from it.
func unpackPackages(ctx context.Context, opt options, say func(string, ...any)) error {
	return withPackages(ctx, opt, opt.args, say, newWholeTree, func(t *tree) error {
		return t.writeRoot(opt.out)
	})
}

// writeRoot writes all entries below root, where nothing of them may be yet.
func (t *tree) writeRoot(root string) error {
	for _, dir := range []string{"bin", "lib", "lib64", "sbin"} {
		if err := os.MkdirAll(filepath.Join(root, "usr", dir), 0o755); err != nil {
			return err
		}
		if err := os.Symlink("usr/"+dir, filepath.Join(root, dir)); err != nil {
			return err
		}
	}
	written := map[*content]string{}
	for _, p := range slices.Sorted(maps.Keys(t.entries)) {
		e, name := t.entries[p], filepath.Join(root, p)
		err := os.MkdirAll(filepath.Dir(name), 0o755)
		if err == nil {
			err = e.write(name, written)
		}
		if err != nil {
			return fmt.Errorf("unpack %s: %w", e, err)
		}
	}
	if err := t.writeRecords(root); err != nil {
		return err
	}
	return normalize(filepath.Join(root, "usr"))
}

func (e *entry) write(name string, written map[*content]string) error {
	if e.link != "" {
		return os.Symlink(e.link, name)
	}
	if first, ok := written[e.data]; ok {
		return os.Link(first, name)
	}
	written[e.data] = name
	if err := copyFile(e.data.disk, name); err != nil {
		return err
	}
	return os.Chmod(name, e.data.mode())
}

// readDir enters the files below dir as those below prefix in the image. It
// follows no symbolic link.
func (t *tree) readDir(dir, prefix string) error {
	return filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		e := &entry{path: mergeUsr(prefix + strings.TrimPrefix(name, filepath.Clean(dir)))}
		switch {
		case d.Type()&fs.ModeSymlink != 0:
			if e.link, err = os.Readlink(name); err != nil {
				return err
			}
		case d.Type().IsRegular():
			e.data = &content{disk: name}
		default:
			return nil // devices and sockets hold no libraries
		}
		t.add(e)
		return nil
	})
}

// readRoot enters the libraries of an unpacked distribution, and what is known of
// its packages. It returns those of which the component has files.
func (t *tree) readRoot(root string) (made []string, err error) {
	component := slices.Collect(maps.Values(t.entries))
	for _, dir := range []string{"lib", "lib64", "usr/lib", "usr/lib64"} {
		name := filepath.Join(root, dir)
		info, err := os.Lstat(name)
		if errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
			continue // merged: a link to usr/...
		}
		if err == nil {
			err = t.readDir(name, "/"+dir)
		}
		if err != nil {
			return nil, err
		}
	}
	owner, err := t.readRecords(root)
	if err != nil {
		return nil, err
	}
	for p, e := range t.entries {
		e.pkg = owner[p]
	}
	return taken(component, root, owner)
}
