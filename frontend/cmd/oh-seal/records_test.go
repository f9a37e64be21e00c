package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// withRecords gives packages dpkg's records and terms; libtop2 has those of tmux.
func withRecords(t *testing.T, tr *tree, packages map[string][]file) *tree {
	t.Helper()
	for pkg, files := range packages {
		doc := file{name: "usr/share/doc/" + pkg + "/copyright", data: "terms of " + pkg}
		if pkg == "libtop2" {
			doc = file{name: "usr/share/doc/libtop2", link: "tmux"}
		}
		packages[pkg] = append(files, doc)
	}
	for pkg := range packages {
		tr.control[pkg] = []byte("Package: " + pkg + "\nVersion: 1\n")
	}
	return unpackInto(t, tr, packages)
}

func quiet(string, ...any) {}

func TestRecord(t *testing.T) {
	tr := withRecords(t, newTree([]string{"git", "tmux"}), gitLike())
	lib := libRoot(t, map[string]string{"libc.so.6": library64("libother.so")})
	made(t, lib, "openhands/lib/dpkg/status.d/zlib1g", "Package: zlib1g\nVersion: 1\n", 0o644)
	made(t, lib, "openhands/doc/zlib1g/copyright", "older terms", 0o644)
	o, err := placeTools(options{arch: amd64(t), libs: []string{lib}}, tr, quiet)
	if err != nil {
		t.Fatal(err)
	}
	added, err := o.record(tr)
	if err != nil {
		t.Fatal(err)
	}
	// libc6 is of the component below, and so is zlib1g's record, but not its terms.
	want := []string{
		"/openhands/doc/git/copyright", "/openhands/lib/dpkg/status.d/git",
		"/openhands/doc/libtop2/copyright", "/openhands/lib/dpkg/status.d/libtop2",
		"/openhands/doc/tmux/copyright", "/openhands/lib/dpkg/status.d/tmux",
		"/openhands/doc/zlib1g/copyright",
	}
	if !slices.Equal(added, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(added, "\n"), strings.Join(want, "\n"))
	}
	root := t.TempDir()
	if err := o.write(root); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"doc/libtop2/copyright":  "terms of tmux",
		"lib/dpkg/status.d/tmux": "Package: tmux\nVersion: 1\n",
	} {
		if got, err := os.ReadFile(filepath.Join(root, "openhands", name)); err != nil || string(got) != want {
			t.Errorf("%s has %q, %v, want %q", name, got, err, want)
		}
	}
	if again, err := o.record(tr); err != nil || len(again) > 0 {
		t.Errorf("a second time it adds %q, %v", again, err)
	}
}

// TestRecordLib: the certificates are made of a package's files, and are none of them.
func TestRecordLib(t *testing.T) {
	tr := withRecords(t, newTree(libPackages()), libLike())
	o, err := placeLib(options{arch: amd64(t)}, tr, quiet)
	if err != nil {
		t.Fatal(err)
	}
	added, err := o.record(tr)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range added {
		if filepath.Dir(p) == recordsDir {
			got = append(got, filepath.Base(p))
		}
	}
	if want := []string{"ca-certificates", "coreutils", "libc-bin", "libc6", "ncurses-base", "tzdata"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestAdoptRecords: a script copies files of unpacked packages, and libraries are
// added from them.
func TestAdoptRecords(t *testing.T) {
	l, root := layOut(t), t.TempDir()
	tr := withRecords(t, newWholeTree(nil), map[string][]file{
		"libtop": {
			{name: "usr/lib/x86_64-linux-gnu/libtop.so.2", data: library64("libtop.so.2")},
			{name: "usr/lib/x86_64-linux-gnu/libunused.so", data: library64("libunused.so")},
		},
		"browser": {{name: "usr/lib/browser/icudtl.dat", data: strings.Repeat("data", 300)}, {name: "usr/lib/browser/main", data: program64(), exec: true}},
		"unused":  {{name: "usr/share/other/icudtl.dat", data: strings.Repeat("atad", 300)}, {name: "usr/share/unused/small", data: "small"}},
	})
	if err := tr.writeRoot(root); err != nil {
		t.Fatal(err)
	}
	l.from = root
	made(t, l.out, "openhands/browser/icudtl.dat", strings.Repeat("data", 300), 0o644)
	made(t, l.out, "openhands/browser/small", "small", 0o644)
	if _, err := l.adopt(t); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, line := range listing(t, filepath.Join(l.out, "openhands")) {
		if p, _, _ := strings.Cut(line, " "); strings.HasPrefix(p, "/doc/") || strings.HasPrefix(p, "/lib/dpkg/status.d/") {
			got = append(got, p)
		}
	}
	want := []string{"/doc/browser", "/doc/browser/copyright", "/doc/libtop", "/doc/libtop/copyright", "/lib/dpkg/status.d/browser", "/lib/dpkg/status.d/libtop"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	first := listing(t, l.out)
	if out, err := l.adopt(t); err != nil || !slices.Equal(listing(t, l.out), first) {
		t.Errorf("adopted again: %v, %s", err, out)
	}
}
