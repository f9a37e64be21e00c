package main

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// file is a member of a test package: a regular file, or a link.
type file struct {
	name, data, link string
	hard, exec       bool
}

// unpackTest unpacks packages as dpkg-deb --fsys-tarfile would deliver them.
func unpackTest(t *testing.T, requested []string, packages map[string][]file) *tree {
	t.Helper()
	return unpackInto(t, newTree(requested), packages)
}

func unpackInto(t *testing.T, tr *tree, packages map[string][]file) *tree {
	t.Helper()
	for pkg, files := range packages {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		for _, f := range files {
			h := &tar.Header{Name: "./" + f.name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(f.data))}
			switch {
			case f.hard:
				h.Typeflag, h.Linkname = tar.TypeLink, f.link
			case f.link != "":
				h.Typeflag, h.Linkname = tar.TypeSymlink, f.link
			case f.exec:
				h.Mode = 0o4755
			}
			if err := w.WriteHeader(h); err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write([]byte(f.data)); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if err := tr.read(pkg, tar.NewReader(&b), t.TempDir()); err != nil {
			t.Fatal(err)
		}
	}
	return tr
}

func TestUnpackMergesUsr(t *testing.T) {
	tr := unpackTest(t, []string{"a"}, map[string][]file{
		"a": {
			{name: "bin/prog", data: "one", exec: true},
			{name: "bin/again", link: "./bin/prog", hard: true},
			{name: "usr/share/doc/a/README", data: "not kept"},
			{name: "usr/bin/through", link: "../share/dir/x"},
			{name: "usr/share/dir", link: "/usr/share/real"},
			{name: "usr/share/real/x", data: "x"},
			{name: "usr/bin/loop", link: "loop"},
		},
		"b": {
			{name: "lib/x86_64-linux-gnu/libb.so.1.2", data: "lib"},
			{name: "lib/x86_64-linux-gnu/libb.so.1", link: "libb.so.1.2"},
			{name: "usr/bin/unwanted", data: "not requested"},
		},
	})
	for p, want := range map[string]string{
		"/usr/bin/prog":                       "/usr/bin/prog",
		"/bin/prog":                           "/usr/bin/prog",
		"/usr/bin/through":                    "/usr/share/real/x",
		"/usr/lib/x86_64-linux-gnu/libb.so.1": "/usr/lib/x86_64-linux-gnu/libb.so.1.2",
		"/usr/bin/unwanted":                   "",
		"/usr/share/doc/a/README":             "",
		"/usr/bin/loop":                       "",
	} {
		got := ""
		if e := tr.resolve(p); e != nil {
			got = e.path
		}
		if got != want {
			t.Errorf("resolve %s: got %q, want %q", p, got, want)
		}
	}
	if tr.entries["/usr/bin/prog"].data != tr.entries["/usr/bin/again"].data {
		t.Error("hard links do not share their data")
	}
	if !tr.entries["/usr/bin/prog"].data.exec {
		t.Error("mode is lost")
	}
}

// listing describes a tree: path, mode, link or data, time.
func listing(t *testing.T, root string) []string {
	t.Helper()
	var lines []string
	err := filepath.Walk(root, func(p string, info os.FileInfo, err error) error {
		if err != nil || p == root {
			return err
		}
		line := p[len(root):] + " " + info.Mode().String()
		switch {
		case info.Mode()&os.ModeSymlink != 0:
			to, err := os.Readlink(p)
			if err != nil {
				return err
			}
			line += " -> " + to
		case info.Mode().IsRegular():
			data, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			if len(data) < 100 {
				line += " " + string(data)
			}
		}
		if info.ModTime().Unix() != 0 {
			line += " " + info.ModTime().String()
		}
		lines = append(lines, line)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(lines)
	return lines
}
