package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// takeCached copies wanted packages from the cache to where apt-get looks for
// them. apt-get compares sizes alone, so only files of the right hash count.
func takeCached(debs []deb, cache, archives string) error {
	if cache == "" {
		return nil
	}
	for _, d := range debs {
		d.file = filepath.Join(cache, d.file)
		if verify(d) != nil {
			continue
		}
		if err := copyFile(d.file, filepath.Join(archives, filepath.Base(d.file))); err != nil {
			return err
		}
	}
	return nil
}

// keepCached adds a verified package to the cache. The rename lets several
// builds share one.
func keepCached(file, cache string) error {
	if cache == "" {
		return nil
	}
	target := filepath.Join(cache, filepath.Base(file))
	if _, err := os.Stat(target); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.CreateTemp(cache, ".oh-seal-")
	if err != nil {
		return err
	}
	f.Close()
	if err := copyFile(file, f.Name()); err != nil {
		os.Remove(f.Name())
		return err
	}
	return os.Rename(f.Name(), target)
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
