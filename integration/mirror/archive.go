package mirror

import (
	"archive/tar"
	"archive/zip"
	"compress/flate"
	"compress/gzip"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"
)

// epoch is the time of every file: an archive's bytes depend on its content
// alone. It is the same as that of the base images.
func epoch() time.Time { return time.Unix(1735689600, 0).UTC() } // 2025-01-01

// item is a file, directory or symlink that goes into an archive.
type item struct {
	name   string // below the archive's top
	file   string // on disk
	info   fs.FileInfo
	target string // of a symlink
}

func (i item) mode() fs.FileMode {
	switch {
	case i.info.IsDir():
		return 0o755
	case i.target != "":
		return 0o777
	default:
		return 0o644 | i.info.Mode().Perm()&0o111
	}
}

func (i item) copyTo(w io.Writer) error {
	f, err := os.Open(i.file)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(w, f)
	return err
}

// items walks a directory in the order of the names. Sockets and the like are
// left out.
func items(dir string, do func(item) error) error {
	return filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || file == dir {
			return err
		}
		rel, err := filepath.Rel(dir, file)
		if err != nil {
			return err
		}
		i := item{name: filepath.ToSlash(rel), file: file}
		if i.info, err = d.Info(); err != nil {
			return err
		}
		if d.Type()&fs.ModeSymlink != 0 {
			if i.target, err = os.Readlink(file); err != nil {
				return err
			}
		} else if !d.IsDir() && !d.Type().IsRegular() {
			return nil
		}
		return do(i)
	})
}

// writeTar writes a directory as the directory top of a tar.
func writeTar(w io.Writer, top, dir string) error {
	tw := tar.NewWriter(w)
	err := items(dir, func(i item) error {
		h := &tar.Header{Name: path.Join(top, i.name), Mode: int64(i.mode()), ModTime: epoch(), Typeflag: tar.TypeReg}
		switch {
		case i.info.IsDir():
			h.Typeflag, h.Name = tar.TypeDir, h.Name+"/"
		case i.target != "":
			h.Typeflag, h.Linkname = tar.TypeSymlink, i.target
		default:
			h.Size = i.info.Size()
		}
		if err := tw.WriteHeader(h); err != nil || h.Typeflag != tar.TypeReg {
			return err
		}
		return i.copyTo(tw)
	})
	if err != nil {
		return err
	}
	return tw.Close()
}

// putTarGz puts a directory into the mirror as a tar.gz whose paths begin with
// top.
func (w *work) putTarGz(name, top, dir string) error {
	return w.put(name, func(out io.Writer) error {
		gz, err := gzip.NewWriterLevel(out, gzip.BestSpeed)
		if err != nil {
			return err
		}
		if err := writeTar(gz, top, dir); err != nil {
			return err
		}
		return gz.Close()
	})
}

// putZip puts a directory into the mirror as a zip.
func (w *work) putZip(name, dir string) error {
	return w.put(name, func(out io.Writer) error { return writeZip(out, dir, zip.Deflate) })
}

// writeZip writes the files of a directory, and symlinks as Info-ZIP does.
func writeZip(w io.Writer, dir string, method uint16) error {
	zw := zip.NewWriter(w)
	zw.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestSpeed) })
	err := items(dir, func(i item) error {
		if i.info.IsDir() {
			return nil
		}
		h := &zip.FileHeader{Name: i.name, Method: method, Modified: epoch()}
		if i.target == "" {
			h.SetMode(i.mode())
		} else {
			h.SetMode(fs.ModeSymlink | i.mode())
		}
		entry, err := zw.CreateHeader(h)
		if err != nil {
			return err
		}
		if i.target != "" {
			_, err := io.WriteString(entry, i.target)
			return err
		}
		return i.copyTo(entry)
	})
	if err != nil {
		return err
	}
	return zw.Close()
}
