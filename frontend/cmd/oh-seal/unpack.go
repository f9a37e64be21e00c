package main

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// unpack enters the files of a package into t. dpkg-deb only decompresses: the
// files get names of our own below work, and no maintainer script is run.
func (b builder) unpack(ctx context.Context, d deb, t *tree, work string) error {
	control, err := capture(ctx, b.dpkgDeb, "--field", d.file)
	if err != nil {
		return fmt.Errorf("unpack %s: %w", filepath.Base(d.file), err)
	}
	t.control[d.name] = []byte(control)
	dir := filepath.Join(work, "files", d.name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, b.dpkgDeb, "--fsys-tarfile", d.file)
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	err = t.read(d.name, tar.NewReader(stdout), dir)
	_, drained := io.Copy(io.Discard, stdout)
	if err := errors.Join(err, drained, cmd.Wait()); err != nil {
		return fmt.Errorf("unpack %s: %w", filepath.Base(d.file), err)
	}
	return nil
}

// read enters the files of one package's archive and writes their data to dir.
func (t *tree) read(pkg string, archive *tar.Reader, dir string) error {
	for n := 0; ; n++ {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		e := &entry{path: mergeUsr(h.Name), pkg: pkg}
		if !t.wants(pkg, e.path) {
			continue
		}
		switch h.Typeflag {
		case tar.TypeReg:
			e.data = &content{disk: filepath.Join(dir, fmt.Sprint(n)), exec: h.Mode&0o111 != 0}
			if err := writeStream(e.data.disk, archive); err != nil {
				return err
			}
		case tar.TypeSymlink:
			if "/"+h.Linkname == e.path {
				continue // merges /usr itself: /bin in base-files
			}
			e.link = h.Linkname
		case tar.TypeLink:
			other := t.entries[mergeUsr(h.Linkname)]
			if other == nil || other.data == nil {
				return fmt.Errorf("%s is a hard link to %s, which is not there", h.Name, h.Linkname)
			}
			e.data = other.data
		default:
			continue // directories are made as needed; packages hold no devices
		}
		t.add(e)
	}
}

func writeStream(name string, r io.Reader) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	return errors.Join(err, f.Close())
}
