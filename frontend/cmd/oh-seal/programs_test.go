package main

import (
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/openhands/llb-frontend/llb/seal"
	"github.com/openhands/llb-frontend/llb/seal/sealtest"
)

// made writes a file with an old time and returns its path.
func made(t *testing.T, dir, name, data string, mode fs.FileMode) string {
	t.Helper()
	p := filepath.Join(dir, name)
	old := time.Unix(1e9, 5)
	err := errors.Join(os.MkdirAll(filepath.Dir(p), 0o755), os.WriteFile(p, []byte(data), 0o600), os.Chmod(p, mode), os.Chtimes(p, old, old))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func interpreter(t *testing.T, name string) string {
	t.Helper()
	r, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for _, arch := range []string{"amd64", "arm64"} {
		a, err := seal.ArchByName(arch)
		if err != nil {
			t.Fatal(err)
		}
		f, err := seal.Inspect(r, a)
		if err == nil && f.Kind == seal.Executable {
			return f.Interp
		}
	}
	return ""
}

// sealAt runs oh-seal on paths and returns its output, without dir's name.
func sealAt(t *testing.T, dir string, args ...string) (string, error) {
	t.Helper()
	var out strings.Builder
	err := run(t.Context(), args, &out)
	return strings.ReplaceAll(out.String(), dir+"/", ""), err
}

func TestSealPrograms(t *testing.T) {
	dir := t.TempDir()
	arm := string(sealtest.ELF{Machine: elf.EM_AARCH64, Type: elf.ET_EXEC, Interp: "/lib/ld-linux-aarch64.so.1"}.Bytes())
	// A person's program keeps the directories that it names.
	conda := string(sealtest.ELF{Machine: elf.EM_X86_64, Type: elf.ET_DYN, Interp: glibc, Rpath: "/opt/conda/lib"}.Bytes())
	sealed := map[string]string{
		"a/plain":     made(t, dir, "a/plain", program64(), 0o755),
		"a/conda":     made(t, dir, "a/conda", conda, 0o755),
		"a/arm":       made(t, dir, "a/arm", arm, 0o755),
		"a/read-only": made(t, dir, "a/read-only", program64(), 0o555),
		"a/libc.so.6": made(t, dir, "a/libc.so.6", string(sealtest.ELF{Machine: elf.EM_X86_64, Type: elf.ET_DYN, Interp: glibc, Soname: "libc.so.6"}.Bytes()), 0o644),
	}
	left := map[string]string{
		"a/library.so": library64("libz.so.1"),
		"a/script":     "#!/no/such/interpreter " + glibc + "\n",
		"a/damaged":    program64()[:70],
		"a/32-bit":     "\x7fELF\x01\x01\x01" + strings.Repeat("\x00", 11) + "\x03" + strings.Repeat("\x00", 64),
		"a/musl":       string(sealtest.ELF{Machine: elf.EM_X86_64, Type: elf.ET_DYN, Interp: "/lib/ld-musl-x86_64.so.1"}.Bytes()),
		"a/sealed":     string(sealtest.ELF{Machine: elf.EM_X86_64, Type: elf.ET_EXEC, Interp: seal.Interpreter}.Bytes()),
		"a/setuid":     program64(),
		"a/static":     string(sealtest.ELF{Machine: elf.EM_X86_64, Type: elf.ET_EXEC, Static: true}.Bytes()),
		"a/static-pie": string(sealtest.ELF{Machine: elf.EM_X86_64, Type: elf.ET_DYN, Flags1: elf.DF_1_PIE}.Bytes()),
		"elsewhere/it": program64(),
		"a/empty":      "",
	}
	for name, data := range left {
		mode := fs.FileMode(0o755)
		if name == "a/setuid" {
			mode |= fs.ModeSetuid
		}
		made(t, dir, name, data, mode)
	}
	outside, top := filepath.Join(dir, "elsewhere/it"), filepath.Join(dir, "a")
	if err := errors.Join(os.Symlink(outside, filepath.Join(top, "link")), syscall.Mkfifo(filepath.Join(top, "pipe"), 0o644)); err != nil {
		t.Fatal(err)
	}
	before := map[string]fs.FileInfo{}
	for name, p := range sealed {
		before[name], _ = os.Stat(p)
	}

	out, err := sealAt(t, dir, top)
	if err != nil {
		t.Fatal(err)
	}
	want := `left alone: a/32-bit: for another machine, 32-bit 386
left alone: a/damaged: damaged ELF file: program headers cut off at 0x46
left alone: a/musl: interpreter "/lib/ld-musl-x86_64.so.1" cannot be sealed: want glibc's "/lib64/ld-linux-x86-64.so.2"
left alone: a/sealed: sealed already
left alone: a/setuid: setuid or setgid: our loader must not get its rights
left alone: a/static: static executable, needs no loader
left alone: a/static-pie: static-pie executable, needs no loader
sealed 5 programs
`
	if out != want {
		t.Errorf("got\n%swant\n%s", out, want)
	}
	for name, p := range sealed {
		if got := interpreter(t, p); got != seal.Interpreter {
			t.Errorf("%s: interpreter %q", name, got)
		}
		info, err := os.Stat(p)
		if err != nil || info.Mode() != before[name].Mode() || !info.ModTime().Equal(before[name].ModTime()) || !os.SameFile(info, before[name]) {
			t.Errorf("%s: mode, time or identity changed: %v, %v", name, info, err)
		}
	}
	for name, data := range left {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != data {
			t.Errorf("%s changed, %v", name, err)
		}
	}
	if out, err = sealAt(t, dir, top); err != nil || !strings.Contains(out, "sealed 0 programs") {
		t.Errorf("sealed again: %v, %s", err, out)
	}
}

func TestSealProgramsRefuses(t *testing.T) {
	dir := t.TempDir()
	p := made(t, dir, "prog", program64(), 0o755)
	if err := os.Symlink(p, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{filepath.Join(dir, "link")}, "is a symbolic link: name what it leads to"},
		{[]string{filepath.Join(dir, "absent")}, "neither a command nor a path"},
		{[]string{"--arch", "s390x", p}, `architecture "s390x" is not known`},
		{[]string{"--out", dir, p}, "not defined: -out"},
	} {
		if _, err := sealAt(t, dir, tt.args...); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: got %v, want an error with %q", tt.args, err, tt.want)
		}
	}
	out, err := sealAt(t, dir, "--arch", "arm64", p)
	if err != nil || out != "left alone: prog: for another machine, x86_64\nsealed 0 programs\n" {
		t.Errorf("got %q, %v", out, err)
	}
	if got := interpreter(t, p); got != glibc {
		t.Errorf("interpreter %q after refusals", got)
	}
}

// BenchmarkSealPrograms has the numbers of a large tree: 100,000 files, of
// which 3,000 are ELF. "go test -bench SealPrograms -benchtime 1x" tells the
// time of one run.
func BenchmarkSealPrograms(b *testing.B) {
	dir := b.TempDir()
	elfs := []string{program64(), library64("libz.so.1"), strings.Repeat("text\n", 100)}
	for i := range 100_000 {
		data := elfs[2]
		if i < 3000 {
			data = elfs[i%2] + strings.Repeat("\x00", 200_000)
		}
		name := filepath.Join(dir, fmt.Sprint(i%500), fmt.Sprint(i))
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(data), 0o755)); err != nil {
			b.Fatal(err)
		}
	}
	said := []string{}
	for b.Loop() {
		archs, err := options{}.archs()
		if err == nil {
			err = sealPrograms(archs, []string{dir}, func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) })
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	if !slices.Contains(said, "sealed 1500 programs") {
		b.Errorf("said %q", said[len(said)-1])
	}
}
