package main

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/openhands/llb-frontend/llb/seal"
	"github.com/openhands/llb-frontend/llb/seal/sealtest"
)

func TestHostileFiles(t *testing.T) {
	tests := map[string]func(t *testing.T, dir string){
		"several hard links in the tree":                 linksInside,
		"a hard link to a file outside of the tree":      linkOutside,
		"a hard link to a file outside, in a component":  linkOutsideComponent,
		"a symlink to a program outside of the tree":     symlinkToProgram,
		"a symlink to a directory outside of the tree":   symlinkToDirectory,
		"a sparse file of a gigabyte":                    sparseFile,
		"files that nobody may write or read":            readOnlyFiles,
		"a FIFO and a socket":                            noFiles,
		"a setuid program":                               setuidProgram,
		"a file that is cut off while it is read":        meanwhile(func(name string) error { return os.Truncate(name, 200) }),
		"a file that becomes a symlink while it is read": meanwhile(becomesSymlink),
		"a file that becomes another while it is read":   meanwhile(becomesAnother),
		"a damaged program in a component":               damagedComponent,
	}
	for _, c := range sealtest.HostileFiles() {
		test, ok := tests[c.Name]
		if !ok {
			t.Errorf("no test for %q", c.Name)
			continue
		}
		delete(tests, c.Name)
		t.Run(c.Name, func(t *testing.T) { test(t, t.TempDir()) })
	}
	for name := range tests {
		t.Errorf("%q is no row of the documentation", name)
	}
}

// sealsTree seals dir/tree, whose outcome ends with want.
func sealsTree(t *testing.T, dir, want string) {
	t.Helper()
	out, err := sealAt(t, dir, filepath.Join(dir, "tree"))
	if err != nil || out != want {
		t.Errorf("got %q, %v, want %q", out, err, want)
	}
}

func isSealed(t *testing.T, name string, want bool) {
	t.Helper()
	if got := interpreter(t, name) == seal.Interpreter; got != want {
		t.Errorf("%s is sealed: %t, want %t", name, got, want)
	}
}

func linksInside(t *testing.T, dir string) {
	one := made(t, dir, "tree/one", program64(), 0o755)
	two := filepath.Join(dir, "tree/two")
	if err := os.Link(one, two); err != nil {
		t.Fatal(err)
	}
	sealsTree(t, dir, "sealed 1 program\n")
	isSealed(t, two, true)
}

func linkOutside(t *testing.T, dir string) {
	outside := made(t, dir, "outside", program64(), 0o755)
	before := listing(t, dir)
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "tree"), 0o755), os.Link(outside, filepath.Join(dir, "tree/one")), os.Link(outside, filepath.Join(dir, "tree/two"))); err != nil {
		t.Fatal(err)
	}
	const why = ": a hard link to a file outside: name that too, or make a copy of it\n"
	sealsTree(t, dir, "left alone: tree/one"+why+"left alone: tree/two"+why+"sealed 0 programs\n")
	isSealed(t, outside, false)
	if err := os.RemoveAll(filepath.Join(dir, "tree")); err != nil {
		t.Fatal(err)
	}
	if after := listing(t, dir); strings.Join(after, "\n") != strings.Join(before, "\n") {
		t.Errorf("outside is %q, was %q", after, before)
	}
}

func linkOutsideComponent(t *testing.T, dir string) {
	l := layOut(t)
	outside := made(t, dir, "outside", program64(), 0o700)
	for _, file := range []string{"prog", "text"} {
		if file == "text" {
			outside = made(t, dir, "outside.txt", "text", 0o600)
		}
		name := filepath.Join(l.out, "openhands", file)
		if err := os.Link(outside, name); err != nil {
			t.Fatal(err)
		}
		before := listing(t, dir)
		if _, err := l.adopt(t); err == nil || !strings.Contains(err.Error(), "/openhands/"+file+" is a hard link to a file outside") {
			t.Errorf("got %v", err)
		}
		if after := listing(t, dir); strings.Join(after, "\n") != strings.Join(before, "\n") {
			t.Errorf("outside is %q, was %q", after, before)
		}
	}
}

func symlinkToProgram(t *testing.T, dir string) {
	outside := made(t, dir, "outside", program64(), 0o755)
	made(t, dir, "tree/x", "", 0o644)
	if err := os.Symlink(outside, filepath.Join(dir, "tree/link")); err != nil {
		t.Fatal(err)
	}
	sealsTree(t, dir, "sealed 0 programs\n")
	isSealed(t, outside, false)
}

func symlinkToDirectory(t *testing.T, dir string) {
	outside := made(t, dir, "outside/prog", program64(), 0o755)
	made(t, dir, "tree/x", "", 0o644)
	if err := errors.Join(os.Symlink("../outside", filepath.Join(dir, "tree/link")), os.Symlink("..", filepath.Join(dir, "tree/loop"))); err != nil {
		t.Fatal(err)
	}
	sealsTree(t, dir, "sealed 0 programs\n")
	isSealed(t, outside, false)
}

// sparseFile is what a copy would blow up.
func sparseFile(t *testing.T, dir string) {
	big := made(t, dir, "tree/big", program64(), 0o755)
	if err := os.Truncate(big, 1<<30); err != nil {
		t.Fatal(err)
	}
	sealsTree(t, dir, "sealed 1 program\n")
	isSealed(t, big, true)
	info, err := os.Stat(big)
	if err != nil {
		t.Fatal(err)
	}
	if stat := info.Sys().(*syscall.Stat_t); stat.Size != 1<<30 || stat.Blocks*512 > 1<<20 {
		t.Errorf("%d bytes, %d blocks", stat.Size, stat.Blocks)
	}
}

func readOnlyFiles(t *testing.T, dir string) {
	modes := map[string]os.FileMode{"tree/read-only": 0o555, "tree/none": 0}
	for name, mode := range modes {
		made(t, dir, name, program64(), mode)
	}
	if os.Getuid() != 0 {
		t.Skip("only root reads what nobody may")
	}
	sealsTree(t, dir, "sealed 2 programs\n")
	for name, mode := range modes {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode() != mode {
			t.Errorf("%s: %v, %v, want %v", name, info.Mode(), err, mode)
		}
		isSealed(t, filepath.Join(dir, name), true)
	}
}

func noFiles(t *testing.T, dir string) {
	made(t, dir, "tree/prog", program64(), 0o755)
	if err := syscall.Mkfifo(filepath.Join(dir, "tree/fifo"), 0o666); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir) // the name of a socket is short
	l, err := net.Listen("unix", "tree/socket")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	sealsTree(t, dir, "sealed 1 program\n")
}

func setuidProgram(t *testing.T, dir string) {
	su := made(t, dir, "tree/su", program64(), 0o755|os.ModeSetuid)
	sealsTree(t, dir, "left alone: tree/su: setuid or setgid: our loader must not get its rights\nsealed 0 programs\n")
	isSealed(t, su, false)
}

// meanwhile changes a file after it was read and before it is written.
func meanwhile(change func(name string) error) func(t *testing.T, dir string) {
	return func(t *testing.T, dir string) {
		name := made(t, dir, "tree/prog", program64(), 0o755)
		outside := made(t, dir, "tree/outside", program64(), 0o755)
		f, info, err := openRegular(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		parsed, err := seal.Inspect(f, amd64(t))
		if err != nil {
			t.Fatal(err)
		}
		edits, err := seal.Edits(parsed, amd64(t))
		if err != nil || len(edits) == 0 {
			t.Fatalf("%d edits, %v", len(edits), err)
		}
		if err := change(name); err != nil {
			t.Fatal(err)
		}
		before := listing(t, dir)
		if err := overwrite(f, info, edits); err == nil {
			t.Error("the file is written")
		}
		if after := listing(t, dir); strings.Join(after, "\n") != strings.Join(before, "\n") {
			t.Errorf("got\n%q, want\n%q", after, before)
		}
		isSealed(t, outside, false)
	}
}

func becomesSymlink(name string) error {
	return errors.Join(os.Remove(name), os.Symlink("outside", name))
}

func becomesAnother(name string) error {
	return errors.Join(os.Remove(name), os.Link(filepath.Join(filepath.Dir(name), "outside"), name))
}

func damagedComponent(t *testing.T, _ string) {
	l := layOut(t)
	made(t, l.out, "openhands/app/damaged", program64()[:100], 0o755)
	if _, err := l.adopt(t); err == nil || !strings.Contains(err.Error(), "/openhands/app/damaged: damaged ELF file") {
		t.Errorf("got %v", err)
	}
}
