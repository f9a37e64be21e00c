package engine

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// epoch is the time of everything in a base image. Files of packages that are
// older keep their own time.
var epoch = time.Unix(sourceDateEpoch, 0).UTC()

const sourceDateEpoch = 1735689600 // 2025-01-01

// tree is the content of one image layer by path, without a leading slash. The
// layer's bytes depend on the content alone, never on the order of calls.
type tree map[string]*entry

type entry struct {
	header tar.Header
	data   []byte
	open   func() (io.ReadCloser, error) // in place of data, for big files
}

func (t tree) add(name string, e *entry) {
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if _, ok := t[dir]; !ok {
			t[dir] = &entry{header: tar.Header{Typeflag: tar.TypeDir, Mode: 0o755}}
		}
	}
	t[name] = e
}

func (t tree) dir(name string, mode int64) *entry {
	e := &entry{header: tar.Header{Typeflag: tar.TypeDir, Mode: mode}}
	t.add(name, e)
	return e
}

func (t tree) file(name string, mode int64, data string) *entry {
	e := &entry{header: tar.Header{Typeflag: tar.TypeReg, Mode: mode, Size: int64(len(data))}, data: []byte(data)}
	t.add(name, e)
	return e
}

func (t tree) symlink(name, target string) {
	t.add(name, &entry{header: tar.Header{Typeflag: tar.TypeSymlink, Mode: 0o777, Linkname: target}})
}

func (e *entry) owned(uid, gid int) { e.header.Uid, e.header.Gid = uid, gid }

// text is the content of a file that must exist.
func (t tree) text(name string) (string, error) {
	e, ok := t[name]
	if !ok || e.header.Typeflag != tar.TypeReg {
		return "", fmt.Errorf("no file %q in the tree", name)
	}
	return string(e.data), nil
}

// readTar adds the entries of an uncompressed tar that keep accepts.
func (t tree) readTar(r io.Reader, keep func(name string) bool) error {
	tr := tar.NewReader(r)
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(path.Clean("/"+h.Name), "/")
		if name == "" || !keep(name) {
			continue
		}
		data, err := io.ReadAll(tr)
		if err != nil {
			return err
		}
		if h.Typeflag == tar.TypeLink {
			h.Linkname = strings.TrimPrefix(path.Clean("/"+h.Linkname), "/")
		}
		t.add(name, &entry{header: *h, data: data})
	}
}

// readTarGz is readTar for a compressed tar.
func (t tree) readTarGz(r io.Reader, keep func(name string) bool) error {
	gz, err := gzip.NewReader(r)
	if err != nil {
		return err
	}
	return t.readTar(gz, keep)
}

// readDir adds a directory of this machine below name. skip sees paths relative
// to it.
func (t tree) readDir(name, dir string, skip func(rel string) bool) error {
	return filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, file)
		if err != nil {
			return err
		}
		if skip(rel) {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		to := path.Join(name, rel)
		switch {
		case d.IsDir():
			t.dir(to, 0o755)
		case info.Mode()&fs.ModeSymlink != 0:
			target, err := os.Readlink(file)
			if err != nil {
				return err
			}
			t.symlink(to, target)
		case info.Mode().IsRegular():
			e := t.file(to, int64(0o644|info.Mode().Perm()&0o111), "")
			e.header.Size = info.Size()
			e.open = func() (io.ReadCloser, error) { return os.Open(file) }
		}
		return nil
	})
}

// write writes the layer as tar.gz. Hard links come last, when what they link
// to is there.
func (t tree) write(w io.Writer) error {
	gz, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		return err
	}
	tw := tar.NewWriter(gz)
	names := slices.Sorted(maps.Keys(t))
	for _, links := range []bool{false, true} {
		for _, name := range names {
			if e := t[name]; (e.header.Typeflag == tar.TypeLink) == links {
				if err := e.write(tw, name); err != nil {
					return fmt.Errorf("write %q: %w", name, err)
				}
			}
		}
	}
	if err := tw.Close(); err != nil {
		return err
	}
	return gz.Close()
}

func (e *entry) write(tw *tar.Writer, name string) error {
	h := e.header
	h.Name, h.Format = name, tar.FormatUnknown
	h.Uname, h.Gname = "", ""
	h.AccessTime, h.ChangeTime = time.Time{}, time.Time{}
	if h.ModTime.IsZero() || h.ModTime.After(epoch) {
		h.ModTime = epoch
	}
	if h.Typeflag == tar.TypeDir {
		h.Name += "/"
	}
	if err := tw.WriteHeader(&h); err != nil {
		return err
	}
	if e.open == nil {
		_, err := tw.Write(e.data)
		return err
	}
	f, err := e.open()
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(tw, f)
	return err
}
