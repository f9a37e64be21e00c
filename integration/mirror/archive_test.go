package mirror

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// An archive's bytes do not depend on when and by whom the files were made.
func TestArchivesAreReproducible(t *testing.T) {
	for name, write := range map[string]func(w io.Writer, dir string) error{
		"tar": func(w io.Writer, dir string) error { return writeTar(w, "top", dir) },
		"zip": func(w io.Writer, dir string) error { return writeZip(w, dir, zip.Deflate) },
	} {
		t.Run(name, func(t *testing.T) {
			var first, second bytes.Buffer
			if err := write(&first, sampleTree(t, 0o700, time.Unix(1, 0), "a", "b", "sub/c")); err != nil {
				t.Fatal(err)
			}
			if err := write(&second, sampleTree(t, 0o755, time.Unix(2, 0), "sub/c", "b", "a")); err != nil {
				t.Fatal(err)
			}
			if first.Len() == 0 || !bytes.Equal(first.Bytes(), second.Bytes()) {
				t.Errorf("%d and %d bytes differ", first.Len(), second.Len())
			}
		})
	}
}

func sampleTree(t *testing.T, dirMode os.FileMode, made time.Time, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "sub"), dirMode); err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte("content of "+name), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, made, made); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("a", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	return dir
}
