package main

import (
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/openhands/llb-frontend/llb/seal"
	"github.com/openhands/llb-frontend/llb/seal/sealtest"
)

// laidOut is a component as its author leaves it, and the roots that it is
// adopted with.
type laidOut struct{ out, lib, from string }

func layOut(t *testing.T) laidOut {
	t.Helper()
	l := laidOut{t.TempDir(), libRoot(t, map[string]string{"libm.so.6": library64("libm.so.6")}), t.TempDir()}
	elf64 := func(interp, soname, runpath string, needed ...string) string {
		return string(sealtest.ELF{Machine: elf.EM_X86_64, Type: elf.ET_DYN, Interp: interp, Soname: soname, Runpath: runpath, Needed: needed}.Bytes())
	}
	made(t, l.out, "openhands/app/bin/prog", elf64(glibc, "", "$ORIGIN/../lib", "libown.so", "libtop.so.2", "libm.so.6"), 0o755)
	made(t, l.out, "openhands/app/lib/libown.so.1", elf64("", "libown.so", "", "libm.so.6"), 0o644)
	made(t, l.out, "openhands/wheel/x.so", elf64("", "", "/usr/lib/x:$ORIGIN/../wheel.libs", "libin-1234.so"), 0o644)
	made(t, l.out, "openhands/wheel.libs/libin-1234.so", elf64("", "libin-1234.so", ""), 0o644)
	libs := "usr/lib/x86_64-linux-gnu/"
	made(t, l.from, libs+"libtop.so.2.1", elf64("", "libtop.so.2", "/usr/lib/x86_64-linux-gnu/deep", "libdeep.so"), 0o644)
	made(t, l.from, libs+"deep/libdeep.so", elf64("", "libdeep.so", "", "libm.so.6"), 0o644)
	made(t, l.from, libs+"libm.so.6", library64("libm.so.6"), 0o644)
	if err := errors.Join(os.Symlink("libown.so.1", filepath.Join(l.out, "openhands/app/lib/libown.so")),
		os.Symlink("libtop.so.2.1", filepath.Join(l.from, libs+"libtop.so.2")),
		os.Symlink("usr/lib", filepath.Join(l.from, "lib"))); err != nil {
		t.Fatal(err)
	}
	return l
}

func (l laidOut) adopt(t *testing.T) (string, error) {
	return sealAt(t, l.out, "adopt", "--arch", "amd64", "--lib", l.lib, "--from", l.from, "--out", l.out)
}

func TestAdopt(t *testing.T) {
	l := layOut(t)
	out, err := l.adopt(t)
	if err != nil {
		t.Fatal(err)
	}
	if want := "libraries added: libdeep.so libtop.so.2\nsealed 2 ELF files of the tree\n"; out != want {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
	if err := run(t.Context(), []string{"check", "--arch", "amd64", l.out, l.lib}, nil); err != nil {
		t.Error(err)
	}
	if got := interpreter(t, filepath.Join(l.out, "openhands/app/bin/prog")); got != seal.Interpreter {
		t.Errorf("interpreter %q", got)
	}
	first := listing(t, l.out)
	var files []string
	for _, line := range first {
		if !strings.Contains(line, " d") {
			files = append(files, line)
		}
	}
	want := []string{
		"/openhands/app/bin/prog -rwxr-xr-x",
		"/openhands/app/lib/libown.so Lrwxrwxrwx -> libown.so.1",
		"/openhands/app/lib/libown.so.1 -rw-r--r--",
		"/openhands/lib/x86_64/libdeep.so -rw-r--r--",
		"/openhands/lib/x86_64/libtop.so.2 -rw-r--r--",
		"/openhands/wheel.libs/libin-1234.so -rw-r--r--",
		"/openhands/wheel/x.so -rw-r--r--",
	}
	if !slices.Equal(files, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(files, "\n"), strings.Join(want, "\n"))
	}
	// What is adopted may be adopted again, as after a later step.
	if out, err = l.adopt(t); err != nil || out != "sealed 0 ELF files of the tree\n" || !slices.Equal(listing(t, l.out), first) {
		t.Errorf("adopted again: %v, %s", err, out)
	}
}

// TestAdoptLeavesAlone is about packages that bring files for all systems, and
// about libraries that another one loads first.
func TestAdoptLeavesAlone(t *testing.T) {
	l := layOut(t)
	made(t, l.out, "openhands/node/musl", string(sealtest.ELF{Machine: elf.EM_X86_64, Type: elf.ET_DYN, Interp: "/lib/ld-musl-x86_64.so.1", Needed: []string{"libc.musl-x86_64.so.1"}}.Bytes()), 0o755)
	made(t, l.out, "openhands/node/arm", string(sealtest.ELF{Machine: elf.EM_AARCH64, Type: elf.ET_DYN, Interp: "/lib/ld-linux-aarch64.so.1"}.Bytes()), 0o755)
	made(t, l.out, "openhands/node/late.so", library64("late.so", "libown.so.1"), 0o644)
	out, err := l.adopt(t)
	want := `left alone: /openhands/node/arm: for another machine, aarch64
left alone: /openhands/node/musl: interpreter "/lib/ld-musl-x86_64.so.1" cannot be sealed: want glibc's "/lib64/ld-linux-x86-64.so.2"
libraries added: libdeep.so libtop.so.2
sealed 2 ELF files of the tree
warning: /openhands/node/late.so: needed library libown.so.1 is not inside where the loader looks (but /openhands/app/lib/libown.so.1 is)
warning: /openhands/node/musl: interpreter /lib/ld-musl-x86_64.so.1 is outside
warning: /openhands/node/musl: needed library libc.musl-x86_64.so.1 is not inside
`
	if err != nil || out != want {
		t.Errorf("got %v,\n%s\nwant\n%s", err, out, want)
	}
}

// TestAdoptCountsOptionalPaths: a program that names a file of the machine is no
// reason to worry.
func TestAdoptCountsOptionalPaths(t *testing.T) {
	l := layOut(t)
	made(t, l.out, "openhands/node/one", "#!/usr/bin/ruby\n", 0o755)
	made(t, l.out, "openhands/node/two", "#!/usr/bin/ruby\n", 0o755)
	out, err := l.adopt(t)
	if want := "2 paths outside /openhands named, which images need not have; oh-seal check shows them\n"; err != nil || !strings.HasSuffix(out, "\n"+want) || strings.Contains(out, "warning") {
		t.Errorf("got %v,\n%s\nwant in the end\n%s", err, out, want)
	}
}

// TestAdoptCutsWarnings: hundreds of libraries can be about the same.
func TestAdoptCutsWarnings(t *testing.T) {
	for n, want := range map[int]string{12: "", 13: "warning: and 1 more of this kind, which oh-seal check shows\n", 40: "warning: and 28 more of this kind, which oh-seal check shows\n"} {
		l := layOut(t)
		for i := range n {
			made(t, l.out, fmt.Sprintf("openhands/node/late%02d.so", i), library64("late.so", "libown.so.1"), 0o644)
		}
		out, err := l.adopt(t)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Count(out, "warning: /openhands/node/late")
		if _, rest, _ := strings.Cut(out, "late11.so: needed library libown.so.1 is not inside where the loader looks (but /openhands/app/lib/libown.so.1 is)\n"); lines != 12 || rest != want {
			t.Errorf("%d gaps: %d warnings, and then %q, want 12 and %q", n, lines, rest, want)
		}
		// check shows them all.
		err = run(t.Context(), []string{"check", "--arch", "amd64", l.out, l.lib}, nil)
		if err == nil || strings.Count(err.Error(), "/openhands/node/late") != n {
			t.Errorf("check: %v", err)
		}
	}
}

func TestCheckNamesWhoNeedsADeletedLibrary(t *testing.T) {
	l := layOut(t)
	if _, err := l.adopt(t); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(l.out, "openhands/app/lib/libown.so")); err != nil {
		t.Fatal(err)
	}
	made(t, l.out, "openhands/elsewhere/libown.so", library64("libown.so"), 0o644)
	err := run(t.Context(), []string{"check", "--arch", "amd64", l.out, l.lib}, nil)
	want := "/openhands/app/bin/prog: needed library libown.so is not inside where the loader looks (but /openhands/elsewhere/libown.so is)"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestAdoptRefuses(t *testing.T) {
	for _, tt := range []struct {
		name string
		edit func(t *testing.T, l laidOut)
		want string
	}{
		{"nothing there", func(_ *testing.T, l laidOut) { os.RemoveAll(filepath.Join(l.out, "openhands")) },
			"lay out the component there first"},
		{"library missing", func(_ *testing.T, l laidOut) {
			os.Remove(filepath.Join(l.from, "usr/lib/x86_64-linux-gnu/deep/libdeep.so"))
		}, "/usr/lib/x86_64-linux-gnu/libtop.so.2.1 needs the library libdeep.so"},
		{"another build", func(t *testing.T, l laidOut) {
			made(t, l.from, "usr/lib/x86_64-linux-gnu/libm.so.6", library64("libm.so.6")+"x", 0o644)
		}, "differs from the lib component's /openhands/lib/x86_64/libm.so.6"},
		{"setuid", func(t *testing.T, l laidOut) { made(t, l.out, "openhands/su", program64(), 0o755|os.ModeSetuid) },
			"/openhands/su: setuid or setgid"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := layOut(t)
			tt.edit(t, l)
			if _, err := l.adopt(t); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
}

func TestOutsidePaths(t *testing.T) {
	for in, want := range map[string][]string{
		"\x00/usr/share/vim/vim91\x00/etc/vim/vimrc\x00": {"/etc/vim/vimrc", "/usr/share/vim/vim91"},
		"PATH=/usr/lib/a:/usr/libexec/b/":                {"/usr/lib/a", "/usr/libexec/b"},
		"\x00/etc/passwd\x00/etc/passwd-\x00":            {"/etc/passwd-"},
		"\x00/usr/share/locale/%L/%N\x00/etc/ssl/certs/": nil,
		"\x48\xb8/etc/locH /opt/usr/lib/x x/etc/y":       nil, // code, and parts of other paths
		"\x00/usr/share/\x00/etc/\x00/usr/lib/.\x00":     nil,
	} {
		if got := outsidePaths([]byte(in)); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestCheckScripts(t *testing.T) {
	root := libRoot(t, map[string]string{})
	for name, data := range map[string]string{
		"sh": "#!/bin/sh\n", "env-bash": "#!/usr/bin/env bash\n", "tool": "#!/usr/bin/env node\n", "ours": "#!/openhands/tools/node -x\n",
		"gone": "#!/openhands/tools/gone\n", "perl": "#! /usr/bin/perl -w\n", "env-gone": "#!/usr/bin/env -S gone -x\n", "empty": "#!\n", "text": "plain",
	} {
		made(t, root, "openhands/s/"+name, data, 0o755)
	}
	made(t, root, "openhands/s/data", "#!/usr/bin/perl\n", 0o644)
	made(t, root, "openhands/tools/node-20", "node", 0o755)
	if err := os.Symlink("/openhands/tools/node-20", filepath.Join(root, "openhands/tools/node")); err != nil {
		t.Fatal(err)
	}
	err := checkCommand(amd64(t), []string{root})
	want := `/openhands/s/env-gone: is a script for gone, which images need not have
/openhands/s/gone: is a script for /openhands/tools/gone, which images need not have
/openhands/s/perl: is a script for /usr/bin/perl, which images need not have`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}
