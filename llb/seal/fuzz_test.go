package seal

import (
	"bytes"
	"debug/elf"
	"reflect"
	"testing"

	"github.com/openhands/llb-frontend/llb/seal/sealtest"
)

// FuzzSeal holds Inspect and Seal, for both architectures, to what a damaged or
// forged file must not change: a refused file keeps its bytes; in a sealed one
// only what the edits and tables name is new, debug/elf reads it as before, no
// path in it leads outside, and sealing it again changes nothing.
func FuzzSeal(f *testing.F) {
	for _, e := range []sealtest.ELF{
		{Machine: elf.EM_X86_64, Type: elf.ET_EXEC, Interp: glibcAMD64, Needed: []string{"libc.so.6"}, Runpath: "$ORIGIN"},
		{Machine: elf.EM_AARCH64, Type: elf.ET_DYN, Interp: glibcARM64, Flags1: elf.DF_1_PIE, Rpath: "/opt/x"},
		{Machine: elf.EM_X86_64, Type: elf.ET_DYN, Soname: "libtinfo.so.6", Data: "\x00/etc/terminfo:/lib/terminfo:/usr/share/terminfo\x00"},
		{Machine: elf.EM_X86_64, Type: elf.ET_DYN, Soname: "libz.so.1", Runpath: "$ORIGIN:/usr/lib/z", Data: "/usr/lib/x86_64-linux-gnu/x"},
		{Machine: elf.EM_X86_64, Type: elf.ET_DYN, Soname: "libcurl.so.4", Data: "\x00/etc/ssl/certs/ca-certificates.crt\x00"},
		{Machine: elf.EM_X86_64, Type: elf.ET_EXEC, Static: true},
	} {
		f.Add(e.Bytes())
	}
	scan, dirs, files := sealtest.Loader(elf.EM_X86_64)
	f.Add(sealtest.ELF{Machine: elf.EM_X86_64, Type: elf.ET_DYN, Soname: "ld-linux-x86-64.so.2", Data: scan + dirs + files}.Bytes())
	f.Add([]byte("\x7fELF"))
	archs := []Arch{arch(f, "amd64"), arch(f, "arm64")}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, a := range archs {
			fuzzSeal(t, data, a)
		}
	})
}

func fuzzSeal(t *testing.T, data []byte, a Arch) {
	file, err := Inspect(bytes.NewReader(data), a)
	if err != nil {
		return
	}
	sealed := bytes.Clone(data)
	if changed, err := Seal(sealed, file, a); err != nil || !changed {
		if !bytes.Equal(sealed, data) {
			t.Fatalf("bytes changed although Seal says %v, %v", changed, err)
		}
		return
	}
	checkOnlyNamed(t, data, sealed, file, a)
	checkReads(t, data, sealed)

	again, err := Inspect(bytes.NewReader(sealed), a)
	if err != nil {
		t.Fatalf("sealed file cannot be read: %v", err)
	}
	for _, dir := range again.Runpath {
		if !Inside(dir) {
			t.Fatalf("search directory %q after sealing", dir)
		}
	}
	if again.Interp != Interpreter && again.Interp != "" {
		t.Fatalf("interpreter %q after sealing", again.Interp)
	}
	twice := bytes.Clone(sealed)
	if changed, err := Seal(twice, again, a); changed || err != nil || !bytes.Equal(twice, sealed) {
		t.Fatalf("sealing twice: %v, %v", changed, err)
	}
}

// checkOnlyNamed fails if a byte is new that is in no edit, no replacement of
// the tables and no directory of modules.
func checkOnlyNamed(t *testing.T, data, sealed []byte, file File, a Arch) {
	if len(sealed) != len(data) {
		t.Fatalf("%d bytes became %d", len(data), len(sealed))
	}
	edits, err := Edits(file, a)
	if err != nil {
		t.Fatalf("sealed although there are no edits: %v", err)
	}
	named := bytes.Clone(sealed) // with what may be new as it was
	restore := func(at, n int) { copy(named[at:at+n], data[at:at+n]) }
	for _, e := range edits {
		restore(int(e.Offset), len(e.Data))
	}
	_, patches := tables(file.Soname, a)
	patches = append(patches, patch{new: nowhere + "lib/" + a.Triplet})
	for _, p := range patches {
		for at := 0; ; at++ {
			next := bytes.Index(sealed[at:], []byte(p.new))
			if next < 0 {
				break
			}
			at += next
			restore(at, len(p.new))
		}
	}
	if !bytes.Equal(named, data) {
		t.Fatal("bytes changed that no edit and no table names")
	}
}

// checkReads fails if Go's reader of ELF files sees another file.
func checkReads(t *testing.T, data, sealed []byte) {
	before, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		return
	}
	after, err := elf.NewFile(bytes.NewReader(sealed))
	if err != nil {
		t.Fatalf("debug/elf read the file before: %v", err)
	}
	if before.FileHeader != after.FileHeader || len(before.Sections) != len(after.Sections) {
		t.Fatalf("debug/elf reads another header: %+v, %+v", before.FileHeader, after.FileHeader)
	}
	for i := range before.Progs {
		if !reflect.DeepEqual(before.Progs[i].ProgHeader, after.Progs[i].ProgHeader) {
			t.Fatalf("debug/elf reads another segment: %+v, %+v", before.Progs[i].ProgHeader, after.Progs[i].ProgHeader)
		}
	}
}
