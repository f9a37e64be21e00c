package main

import (
	"debug/elf"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/openhands/llb-frontend/llb/seal/sealtest"
)

// libLike is a bookworm-like set of packages: /usr not merged, terminfo in two
// directories, versioned file names.
func libLike() map[string][]file {
	scan, dirs, files := sealtest.Loader(elf.EM_X86_64)
	loader := string(sealtest.ELF{Machine: elf.EM_X86_64, Type: elf.ET_DYN, Soname: "ld-linux-x86-64.so.2", Data: scan + dirs + files}.Bytes())
	lib := "lib/x86_64-linux-gnu/"
	return map[string][]file{
		"libc6": {
			{name: lib + "ld-2.31.so", data: loader},
			{name: lib + "ld-linux-x86-64.so.2", link: "ld-2.31.so"},
			{name: lib + "libm-2.31.so", data: library64("libm.so.6")},
			{name: lib + "libm.so.6", link: "libm-2.31.so"},
			{name: "usr/" + lib + "gconv/A.so", data: library64("")},
			{name: "usr/" + lib + "gconv/gconv-modules.cache", data: "\x00/usr/lib/x86_64-linux-gnu/gconv/\x00"},
			{name: "sbin/ldconfig", data: "not kept", exec: true},
		},
		"coreutils":    {{name: "usr/bin/env", data: program64("libm.so.6"), exec: true}, {name: "bin/ls", data: program64(), exec: true}},
		"libc-bin":     {{name: "usr/lib/locale/C.utf8/LC_CTYPE", data: "ctype"}},
		"ncurses-base": {{name: "lib/terminfo/x/xterm", data: "term"}, {name: "usr/share/terminfo/x/xterm", link: "/lib/terminfo/x/xterm"}},
		"tzdata": {
			{name: "usr/share/zoneinfo/Etc/UTC", data: "utc"},
			{name: "usr/share/zoneinfo/posix", link: "."},
			{name: "usr/share/zoneinfo/old", link: "Etc"},
			{name: "usr/share/zoneinfo/localtime", link: "/etc/localtime"},
		},
		"ca-certificates": {
			{name: "usr/share/ca-certificates/mozilla/B.crt", data: "b"},
			{name: "usr/share/ca-certificates/mozilla/A.crt", data: "a\n"},
		},
	}
}

func TestPlaceLib(t *testing.T) {
	opt := options{arch: amd64(t)}
	o, err := placeLib(opt, unpackTest(t, libPackages(), libLike()), func(string, ...any) {})
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	if err := o.write(root); err != nil {
		t.Fatal(err)
	}
	if err := checkCommand(opt.arch, []string{root}); err != nil {
		t.Error(err)
	}
	got := slices.DeleteFunc(listing(t, filepath.Join(root, "openhands")), func(line string) bool {
		return strings.Contains(line, " d") || strings.HasSuffix(line, "-> C.utf8") && !strings.Contains(line, "/en.")
	})
	want := []string{
		"/c/cert.pem -rw-r--r-- a\nb\n",
		"/c/certs Lrwxrwxrwx -> /etc/ssl/certs",
		"/i18n/C.utf8/LC_CTYPE -rw-r--r-- ctype",
		"/i18n/en.utf8 Lrwxrwxrwx -> C.utf8",
		"/ld-linux-oh.so -rwxr-xr-x",
		"/lib/x86_64/gconv/A.so -rw-r--r--",
		"/lib/x86_64/gconv/gconv-modules.cache -rw-r--r-- \x00/openhands/lib/x86_64/////gconv/\x00",
		"/lib/x86_64/libm.so.6 -rw-r--r--",
		"/ns.conf -rw-r--r--",
		"/terminfo/x/xterm -rw-r--r-- term",
		"/tools/env -rwxr-xr-x",
		"/zoneinfo/Etc/UTC -rw-r--r-- utc",
		"/zoneinfo/localtime Lrwxrwxrwx -> /etc/localtime",
		"/zoneinfo/old Lrwxrwxrwx -> Etc",
		"/zoneinfo/posix Lrwxrwxrwx -> ../zoneinfo",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
	loader, err := os.ReadFile(filepath.Join(root, "openhands/ld-linux-oh.so"))
	if err != nil || !strings.Contains(string(loader), "/openhands/lib/x86_64/\x00") {
		t.Errorf("loader is not sealed: %v", err)
	}
}

func TestPlaceLibRefuses(t *testing.T) {
	for want, pkg := range map[string]string{
		"holds no loader":       "libc6",
		"holds no certificate":  "ca-certificates",
		"holds no /usr/bin/env": "coreutils",
		"holds no locale":       "libc-bin",
	} {
		packages := libLike()
		delete(packages, pkg)
		_, err := placeLib(options{arch: amd64(t)}, unpackTest(t, libPackages(), packages), func(string, ...any) {})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("without %s: got %v, want an error with %q", pkg, err, want)
		}
	}
}
