package seal

import (
	"bytes"
	"debug/elf"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/openhands/llb-frontend/llb/seal/sealtest"
)

func TestTablesKeepLengths(t *testing.T) {
	for _, name := range []string{"amd64", "arm64"} {
		a := arch(t, name)
		if len(Interpreter) >= len(a.interp) {
			t.Errorf("%s: %q is no longer than %q", name, a.interp, Interpreter)
		}
		for _, soname := range []string{a.Loader, "libc.so.6", "libtinfo.so.6", "libstdc++.so.6", "libcrypto.so.3", "libcurl.so.4", "libcurl-gnutls.so.4"} {
			software, patches := tables(soname, a)
			if software == "" || len(patches) == 0 {
				t.Errorf("%s: no patches for %s", name, soname)
			}
			for _, p := range patches {
				if len(p.old) != len(p.new) || p.old == p.new || p.source == "" || p.want < 1 {
					t.Errorf("%s: %s: bad patch %q -> %q, want %d, source %q", name, soname, p.old, p.new, p.want, p.source)
				}
			}
		}
	}
}

// TestTablesKeepSharedEnds holds the ends of strings that other code of the
// library was seen to use: ".conf" in glibc's gconv_parseconfdir, "certs" and
// "private" in OpenSSL.
func TestTablesKeepSharedEnds(t *testing.T) {
	a := arch(t, "amd64")
	for _, tt := range []struct{ soname, old, end string }{
		{"libc.so.6", "\x00/etc/nsswitch.conf\x00", ".conf\x00"},
		{"libc.so.6", "\x00/usr/share/zoneinfo\x00", "/zoneinfo\x00"},
		{"libcrypto.so.3", "/usr/lib/ssl", ""},
	} {
		_, patches := tables(tt.soname, a)
		i := slices.IndexFunc(patches, func(p patch) bool { return p.old == tt.old })
		if i < 0 || !strings.HasSuffix(patches[i].new, tt.end) {
			t.Errorf("%s: %q is not replaced by a string that ends in %q", tt.soname, tt.old, tt.end)
		}
	}
}

func TestSealExecutable(t *testing.T) {
	for _, tt := range []struct {
		arch    string
		machine elf.Machine
		interp  string
	}{
		{"amd64", elf.EM_X86_64, glibcAMD64},
		{"arm64", elf.EM_AARCH64, glibcARM64},
	} {
		t.Run(tt.arch, func(t *testing.T) {
			before := sealtest.ELF{Machine: tt.machine, Type: elf.ET_DYN, Interp: tt.interp, Data: "rest " + tt.interp}.Bytes()
			b := bytes.Clone(before)
			if changed, err := sealBytes(t, b, tt.arch); !changed || err != nil {
				t.Fatalf("got %v, %v", changed, err)
			}
			// Only the segment changes, and NULs fill it up.
			padded := Interpreter + strings.Repeat("\x00", len(tt.interp)-len(Interpreter))
			want := bytes.Replace(before, []byte(tt.interp), []byte(padded), 1)
			if !bytes.Equal(b, want) {
				t.Errorf("got\n%q, want\n%q", b, want)
			}
			if changed, err := sealBytes(t, b, tt.arch); changed || err != nil || !bytes.Equal(b, want) {
				t.Errorf("sealing twice: %v, %v", changed, err)
			}
		})
	}
}

func TestSealLeavesAlone(t *testing.T) {
	for name, b := range map[string][]byte{
		"text":           []byte("/lib64/ld-linux-x86-64.so.2"),
		"static":         sealtest.ELF{Machine: elf.EM_X86_64, Type: elf.ET_EXEC, Static: true}.Bytes(),
		"foreign":        sealtest.ELF{Machine: elf.EM_AARCH64, Type: elf.ET_EXEC, Interp: glibcARM64}.Bytes(),
		"plain library":  sealtest.ELF{Machine: elf.EM_X86_64, Type: elf.ET_DYN, Soname: "libz.so.1", Data: "\x00/usr/share/zoneinfo\x00"}.Bytes(),
		"already sealed": sealtest.ELF{Machine: elf.EM_X86_64, Type: elf.ET_EXEC, Interp: Interpreter}.Bytes(),
	} {
		before := bytes.Clone(b)
		if changed, err := sealBytes(t, b, "amd64"); changed || err != nil || !bytes.Equal(b, before) {
			t.Errorf("%s: got %v, %v", name, changed, err)
		}
	}
}

func TestSealRefuses(t *testing.T) {
	a := arch(t, "amd64")
	scan, dirs, files := sealtest.Loader(elf.EM_X86_64)
	loader := func(data string) []byte {
		return sealtest.ELF{Machine: elf.EM_X86_64, Type: elf.ET_DYN, Soname: a.Loader, Data: data}.Bytes()
	}
	for _, tt := range []struct {
		name string
		data []byte
		want string
	}{
		{"musl", sealtest.ELF{Machine: elf.EM_X86_64, Type: elf.ET_DYN, Interp: "/lib/ld-musl-x86_64.so.1"}.Bytes(),
			`interpreter "/lib/ld-musl-x86_64.so.1" cannot be sealed`},
		{"one directory table too many", loader(scan + dirs + dirs + files), "found it 2 times, want 1"},
		{"one directory table too few", loader(scan + "path.system_dirs[0x%x]=" + dirs + files), "found it 1 times, want 2"},
		{"no cache", loader(scan + dirs + "\x00/etc/ld.so.preload\x00"), `looked for "/etc/ld.so.cache" (LD_SO_CACHE in sysdeps/generic/dl-cache.h), found it 0 times, want 1`},
		{"other code", loader(strings.ReplaceAll(scan, "\x75", "\x74") + dirs + files), `looked for code that compares names of environment variables with LD_ (_dl_next_ld_env_entry`},
		{"half sealed", loader(scan + loaderPatches(a)[0].new + files[:len(files)-1]), "glibc not known in ld-linux-x86-64.so.2"},
		{"other terminfo", sealtest.ELF{Machine: elf.EM_X86_64, Type: elf.ET_DYN, Soname: "libtinfo.so.6"}.Bytes(), "ncurses not known in libtinfo.so.6"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := bytes.Clone(tt.data)
			_, err := sealBytes(t, tt.data, "amd64")
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
			if !bytes.Equal(tt.data, before) {
				t.Error("a refused file was changed")
			}
		})
	}
}

func TestSealLoader(t *testing.T) {
	for _, tt := range []struct {
		arch    string
		machine elf.Machine
		cpu     string
		code    string // of the sealed comparison
	}{
		{"amd64", elf.EM_X86_64, "x86_64", "\x80\x38o\x75\xee\x80\x78\x01h\x75\xe8\x80\x78\x02_\x75\xe2"},
		{"arm64", elf.EM_AARCH64, "aarch64", "\x02\x00\x40\x39\x5f\xbc\x01\x71\x81\xff\xff\x54" +
			"\x02\x04\x40\x39\x5f\xa0\x01\x71\x21\xff\xff\x54" +
			"\x02\x08\x40\x39\x5f\x7c\x01\x71\xc1\xfe\xff\x54"},
	} {
		t.Run(tt.arch, func(t *testing.T) {
			scan, dirs, files := sealtest.Loader(tt.machine)
			data := scan + "path.system_dirs[0x%x]=" + dirs + "see /etc/ld.so.cache" + files + dirs + "LD_LIBRARY_PATH"
			b := sealtest.ELF{Machine: tt.machine, Type: elf.ET_DYN, Soname: arch(t, tt.arch).Loader, Data: data}.Bytes()
			if changed, err := sealBytes(t, b, tt.arch); !changed || err != nil {
				t.Fatalf("got %v, %v", changed, err)
			}
			want := "\x00/openhands/lib/" + tt.cpu + "/\x00/-oh/lib/" + tt.cpu + "-linux-gnu/\x00/-oh/\x00/-oh/lib/\x00"
			want = tt.code + "path.system_dirs[0x%x]=" + want + "see /etc/ld.so.cache\x00/-oh/ld.so.cache\x00\x00/-oh/ld.so.preload\x00" + want + "LD_LIBRARY_PATH"
			if !bytes.HasSuffix(b, []byte(want)) {
				t.Errorf("got %q, want it to end in %q", b, want)
			}
			if changed, err := sealBytes(t, b, tt.arch); changed || err != nil {
				t.Errorf("sealing twice: %v, %v", changed, err)
			}
		})
	}
}

func TestSealHidesModules(t *testing.T) {
	data := "\x00/usr/lib/x86_64-linux-gnu\x00/usr/lib/x86_64-linux-gnu/sasl2:/usr/lib/sasl2\x00/usr/lib/x86_64-linux-gnux\x00"
	b := sealtest.ELF{Machine: elf.EM_X86_64, Type: elf.ET_DYN, Soname: "libsasl2.so.2", Data: data}.Bytes()
	if changed, err := sealBytes(t, b, "amd64"); !changed || err != nil {
		t.Fatalf("got %v, %v", changed, err)
	}
	want := "\x00/-oh/lib/x86_64-linux-gnu\x00/-oh/lib/x86_64-linux-gnu/sasl2:/usr/lib/sasl2\x00/usr/lib/x86_64-linux-gnux\x00"
	if !bytes.HasSuffix(b, []byte(want)) {
		t.Errorf("got %q, want it to end in %q", b, want)
	}
	if changed, err := sealBytes(t, b, "amd64"); changed || err != nil {
		t.Errorf("sealing twice: %v, %v", changed, err)
	}
}

func TestReplacePath(t *testing.T) {
	const from, to = "/usr/share/git-core", "/openhands/git-core"
	for in, want := range map[string]string{
		from:                            to,
		"\x00" + from + "/templates":    "\x00" + to + "/templates",
		"X=\"" + from + "\" " + from:    "X=\"" + to + "\" " + to,
		from + "-contrib " + from + "x": from + "-contrib " + from + "x",
		"/opt" + from + ":$P" + from:    "/opt" + from + ":$P" + from,
	} {
		b := []byte(in)
		n, err := ReplacePath(b, from, to)
		if string(b) != want || err != nil || n != strings.Count(want, to) {
			t.Errorf("%q: got %q, %d, %v, want %q", in, b, n, err, want)
		}
	}
	b := []byte("share/x /usr/share/x")
	if n, err := ReplacePath(b, "share/x", "/open/x"); string(b) != "/open/x /usr/share/x" || n != 1 || err != nil {
		t.Errorf("relative path: got %q, %d, %v", b, n, err)
	}
	if _, err := ReplacePath(b, "/a", "/bc"); err == nil {
		t.Error("paths of different length are accepted")
	}
}

// TestSealOwnGlibc seals copies of this machine's loader and C library: the
// tables are about real files.
func TestSealOwnGlibc(t *testing.T) {
	a, err := ArchByName(runtime.GOARCH)
	if err != nil {
		t.Skip(err)
	}
	for _, soname := range []string{a.Loader, "libc.so.6"} {
		name := "/lib/" + a.Triplet + "/" + soname
		b, err := os.ReadFile(name)
		if err != nil {
			t.Skipf("no Debian-like glibc here: %v", err)
		}
		if changed, err := sealBytes(t, b, a.Name); !changed || err != nil {
			t.Errorf("%s: %v, %v", name, changed, err)
		}
		if changed, err := sealBytes(t, b, a.Name); changed || err != nil {
			t.Errorf("%s, sealed twice: %v, %v", name, changed, err)
		}
	}
}

func sealBytes(t *testing.T, b []byte, name string) (bool, error) {
	t.Helper()
	a := arch(t, name)
	f, err := Inspect(bytes.NewReader(b), a)
	if err != nil {
		t.Fatal(err)
	}
	return Seal(b, f, a)
}
