package main

import (
	"debug/elf"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/openhands/llb-frontend/llb/seal"
	"github.com/openhands/llb-frontend/llb/seal/sealtest"
)

const glibc = "/lib64/ld-linux-x86-64.so.2"

func amd64(t *testing.T) seal.Arch {
	t.Helper()
	a, err := seal.ArchByName("amd64")
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func program64(needed ...string) string {
	return program64With("", needed...)
}

func program64With(data string, needed ...string) string {
	return string(sealtest.ELF{Machine: elf.EM_X86_64, Type: elf.ET_DYN, Interp: glibc, Needed: needed, Flags1: elf.DF_1_PIE, Data: data}.Bytes())
}

func library64(soname string, needed ...string) string {
	return string(sealtest.ELF{Machine: elf.EM_X86_64, Type: elf.ET_DYN, Soname: soname, Needed: needed}.Bytes())
}

// libRoot is a lib component with a loader and the given libraries.
func libRoot(t *testing.T, libraries map[string]string) string {
	t.Helper()
	root := t.TempDir()
	dir := filepath.Join(root, "openhands/lib/x86_64")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	libraries["../../ld-linux-oh.so"] = "loader"
	for name, data := range libraries {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func gitLike() map[string][]file {
	libs := "usr/lib/x86_64-linux-gnu/"
	git := program64With("\x00/usr/lib/git-core\x00share/git-core/templates\x00", "libz.so.1", "libc.so.6", "ld-linux-x86-64.so.2")
	return map[string][]file{
		"git": {
			{name: "usr/bin/git", data: git, exec: true},
			{name: "usr/bin/git-shell", link: "/usr/bin/git"},
			{name: "usr/lib/git-core/git", data: git, exec: true},
			{name: "usr/lib/git-core/git-add", link: "../../bin/git"},
			{name: "usr/lib/git-core/git-svn", data: "#!/usr/bin/env perl\n", exec: true},
			{name: "usr/lib/git-core/git-svn2", link: "git-svn"},
			{name: "usr/lib/git-core/git-sh", data: "#!/bin/sh\n. /usr/lib/git-core/git-sh-setup\n", exec: true},
			{name: "usr/lib/git-core/git-p4", data: "#!/usr/bin/python3\n", exec: true},
			{name: "usr/share/git-core/templates/description", data: "d"},
			{name: "usr/share/man/man1/git.1", data: "not kept"},
		},
		"tmux":    {{name: "bin/tmux", data: program64("libtop.so.2"), exec: true}},
		"libtop2": {{name: libs + "libtop.so.2.1", data: library64("libtop.so.2", "libz.so.1")}, {name: libs + "libtop.so.2", link: "libtop.so.2.1"}},
		"zlib1g":  {{name: "lib/x86_64-linux-gnu/libz.so.1", data: library64("libz.so.1", "libc.so.6")}},
		"libc6":   {{name: "lib/x86_64-linux-gnu/libc.so.6", data: library64("libother.so")}},
	}
}

func TestPlaceTools(t *testing.T) {
	tr := unpackTest(t, []string{"git", "tmux"}, gitLike())
	lib := libRoot(t, map[string]string{"libc.so.6": library64("libother.so")})
	opt := options{arch: amd64(t), libs: []string{lib}}
	var said []string
	say := func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) }

	var listings [][]string
	for range 2 { // twice: the second must equal the first
		root := t.TempDir()
		o, err := placeTools(opt, tr, say)
		if err != nil {
			t.Fatal(err)
		}
		if err := o.write(root); err != nil {
			t.Fatal(err)
		}
		if err := checkCommand(opt.arch, []string{root, lib}); err != nil {
			t.Error(err)
		}
		listings = append(listings, listing(t, root))
		sameFile(t, root+"/openhands/tools/git", root+"/openhands/g/core/git")
	}
	want := []string{
		"/openhands drwxr-xr-x",
		"/openhands/bin drwxr-xr-x",
		"/openhands/bin/oh-tmux -rwxr-xr-x " + launcher,
		"/openhands/bin/tmux -rwxr-xr-x",
		"/openhands/g drwxr-xr-x",
		"/openhands/g/core drwxr-xr-x",
		"/openhands/g/core/git -rwxr-xr-x",
		"/openhands/g/core/git-add Lrwxrwxrwx -> ../../tools/git",
		"/openhands/g/core/git-sh -rwxr-xr-x #!/bin/sh\n. /openhands/g/core/git-sh-setup\n",
		"/openhands/git-core drwxr-xr-x",
		"/openhands/git-core/templates drwxr-xr-x",
		"/openhands/git-core/templates/description -rw-r--r-- d",
		"/openhands/git-templates Lrwxrwxrwx -> git-core/templates",
		"/openhands/lib drwxr-xr-x",
		"/openhands/lib/x86_64 drwxr-xr-x",
		"/openhands/lib/x86_64/libtop.so.2 -rw-r--r--",
		"/openhands/lib/x86_64/libz.so.1 -rw-r--r--",
		"/openhands/tools drwxr-xr-x",
		"/openhands/tools/git -rwxr-xr-x",
		"/openhands/tools/git-shell Lrwxrwxrwx -> git",
	}
	for i, got := range listings {
		if !slices.Equal(got, want) {
			t.Errorf("run %d: got\n%s\nwant\n%s", i, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	wantSaid := []string{
		"keep git: 2 programs",
		"keep tmux: 1 program",
		"leave out scripts without their interpreter: git-p4 (python3), git-svn (perl)",
		"leave out links to nothing: git-svn2",
		"libraries added: libtop.so.2 libz.so.1",
	}
	if got := said[:len(said)/2]; !slices.Equal(got, wantSaid) {
		t.Errorf("said\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(wantSaid, "\n"))
	}
}

func sameFile(t *testing.T, a, b string) {
	t.Helper()
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	if errA != nil || errB != nil || !os.SameFile(infoA, infoB) {
		t.Errorf("%s and %s are not one file: %v, %v", a, b, errA, errB)
	}
}

func TestPlaceToolsRefuses(t *testing.T) {
	for _, tt := range []struct {
		name string
		edit func(packages map[string][]file)
		want string
	}{
		{"library missing", func(p map[string][]file) { delete(p, "zlib1g") },
			"/usr/lib/git-core/git of package git needs the library libz.so.1"},
		{"another libc", func(p map[string][]file) { p["libc6"][0].data += "x" },
			"differs from the lib component's /openhands/lib/x86_64/libc.so.6"},
		{"short name", func(p map[string][]file) { p["git"] = append(p["git"], file{name: "usr/lib/gcc/x", data: "x"}) },
			"/usr/lib/gcc cannot move"},
		{"reserved name", func(p map[string][]file) { p["git"] = append(p["git"], file{name: "usr/share/tools/x", data: "x"}) },
			"/usr/share/tools cannot move to /openhands/tools"},
		{"musl program", func(p map[string][]file) {
			p["tmux"][0].data = string(sealtest.ELF{Machine: elf.EM_X86_64, Type: elf.ET_DYN, Interp: "/lib/ld-musl-x86_64.so.1"}.Bytes())
		}, `/usr/bin/tmux: interpreter "/lib/ld-musl-x86_64.so.1"`},
		{"git without its templates", func(p map[string][]file) {
			for i := range p["git"] {
				p["git"][i].data = strings.ReplaceAll(p["git"][i].data, "share/git-core", "share/git-gone")
			}
		}, `package git not known: looked for "share/git-core/templates"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			packages := gitLike()
			tt.edit(packages)
			tr := unpackTest(t, []string{"git", "tmux"}, packages)
			root := t.TempDir()
			opt := options{arch: amd64(t), libs: []string{libRoot(t, map[string]string{"libc.so.6": library64("libother.so")})}}
			o, err := placeTools(opt, tr, func(string, ...any) {})
			if err == nil {
				err = o.write(root)
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
			if left := listing(t, root); len(left) > 0 {
				t.Errorf("left behind: %q", left)
			}
		})
	}
}

func TestCheckTreeNamesGaps(t *testing.T) {
	root := libRoot(t, map[string]string{
		"libone.so":   library64("libone.so", "libgone.so.3"),
		"../../prog":  program64("libone.so"),
		"../plugin":   string(sealtest.ELF{Machine: elf.EM_X86_64, Type: elf.ET_DYN, Needed: []string{"libone.so"}, Runpath: "$ORIGIN/x86_64"}.Bytes()),
		"../../other": string(sealtest.ELF{Machine: elf.EM_AARCH64, Type: elf.ET_DYN, Needed: []string{"libfar.so"}}.Bytes()),
	})
	err := checkCommand(amd64(t), []string{root})
	want := "/openhands/lib/x86_64/libone.so: needed library libgone.so.3 is not inside\n" +
		"/openhands/prog: interpreter /lib64/ld-linux-x86-64.so.2 is outside"
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestDataMove(t *testing.T) {
	for p, want := range map[string]move{
		"/usr/share/vim/vim91/x":              {"/usr/share/vim", "/openhands/vim"},
		"/usr/lib/git-core/git":               {"/usr/lib/git-core", "/openhands/g/core"},
		"/usr/lib/gnupg/x":                    {"/usr/lib/gnupg", "/openhands/g/g"},
		"/usr/lib/x86_64-linux-gnu/libz.so.1": {},
		"/usr/lib/systemd/system/x":           {},
		"/usr/share/file":                     {},
		"/etc/x":                              {},
	} {
		got, err := dataMove(p, amd64(t))
		if got != want || err != nil || len(got.from) != len(got.to) {
			t.Errorf("%s: got %v, %v, want %v", p, got, err, want)
		}
	}
}

func TestShebang(t *testing.T) {
	for head, want := range map[string]string{
		"#!/bin/sh\n": "sh", "#! /usr/bin/env bash\n": "bash", "#!/usr/bin/env -S perl -w\n": "perl",
		"#!/usr/bin/perl -w": "perl", "\x7fELF": "", "#!\n": "", "": "",
	} {
		if got := shebang(head); got != want {
			t.Errorf("%q: got %q, want %q", head, got, want)
		}
	}
}
