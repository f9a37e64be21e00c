package seal

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"reflect"
	"strings"
	"testing"

	"github.com/openhands/llb-frontend/llb/seal/sealtest"
)

const (
	glibcAMD64 = "/lib64/ld-linux-x86-64.so.2"
	glibcARM64 = "/lib/ld-linux-aarch64.so.1"
)

func arch(t testing.TB, name string) Arch {
	t.Helper()
	a, err := ArchByName(name)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestInspect(t *testing.T) {
	amd64 := elf.EM_X86_64
	tests := []struct {
		name string
		data []byte
		want File
	}{
		{"empty", nil, File{Kind: NotELF}},
		{"script", []byte("#!/bin/sh\n"), File{Kind: NotELF}},
		{"executable", sealtest.ELF{Machine: amd64, Type: elf.ET_EXEC, Interp: glibcAMD64, Needed: []string{"libc.so.6", "libm.so.6"}}.Bytes(),
			File{Kind: Executable, Interp: glibcAMD64, Needed: []string{"libc.so.6", "libm.so.6"}}},
		{"pie", sealtest.ELF{Machine: amd64, Type: elf.ET_DYN, Interp: glibcAMD64, Flags1: elf.DF_1_PIE}.Bytes(),
			File{Kind: Executable, Interp: glibcAMD64}},
		{"library that is a program", sealtest.ELF{Machine: amd64, Type: elf.ET_DYN, Interp: glibcAMD64, Soname: "libc.so.6"}.Bytes(),
			File{Kind: Executable, Interp: glibcAMD64, Soname: "libc.so.6"}},
		{"shared object", sealtest.ELF{Machine: amd64, Type: elf.ET_DYN, Soname: "libz.so.1", Runpath: "$ORIGIN:/usr/lib/z", Rpath: "/old"}.Bytes(),
			File{Kind: Shared, Soname: "libz.so.1", Runpath: []string{"$ORIGIN", "/usr/lib/z"}}},
		{"rpath alone", sealtest.ELF{Machine: amd64, Type: elf.ET_DYN, Rpath: "/old"}.Bytes(),
			File{Kind: Shared, Runpath: []string{"/old"}}},
		{"static", sealtest.ELF{Machine: amd64, Type: elf.ET_EXEC, Static: true}.Bytes(), File{Kind: Static}},
		{"static-pie", sealtest.ELF{Machine: amd64, Type: elf.ET_DYN, Flags1: elf.DF_1_PIE}.Bytes(), File{Kind: StaticPIE}},
		{"loader linked as static-pie", sealtest.ELF{Machine: amd64, Type: elf.ET_DYN, Soname: "ld.so", Flags1: elf.DF_1_PIE}.Bytes(),
			File{Kind: Shared, Soname: "ld.so"}},
		{"relocatable", sealtest.ELF{Machine: amd64, Type: elf.ET_REL}.Bytes(), File{Kind: Object}},
		{"other machine", sealtest.ELF{Machine: elf.EM_AARCH64, Type: elf.ET_EXEC, Interp: glibcARM64}.Bytes(), File{Kind: Foreign, Machine: "aarch64"}},
		{"32 bit", append([]byte("\x7fELF\x01\x01\x01"+strings.Repeat("\x00", 11)+"\x03"), make([]byte, 64)...), File{Kind: Foreign, Machine: "32-bit 386"}},
		{"big-endian", append([]byte("\x7fELF\x02\x02\x01"+strings.Repeat("\x00", 12)+"\x16"), make([]byte, 64)...), File{Kind: Foreign, Machine: "s390"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Inspect(bytes.NewReader(tt.data), arch(t, "amd64"))
			if err != nil {
				t.Fatal(err)
			}
			got.interpAt, got.runpathAt, got.headers = 0, 0, nil
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestInspectDamaged(t *testing.T) {
	good := sealtest.ELF{Machine: elf.EM_X86_64, Type: elf.ET_DYN, Interp: glibcAMD64, Needed: []string{"libc.so.6"}}.Bytes()
	edit := func(at int, v any) []byte {
		b := bytes.Clone(good)
		var field bytes.Buffer
		if err := binary.Write(&field, binary.LittleEndian, v); err != nil {
			t.Fatal(err)
		}
		copy(b[at:], field.Bytes())
		return b
	}
	const (
		phoff, phentsize, phnum   = 32, 54, 56
		interpProg, dynProg       = 64 + 56, 64 + 2*56
		progOff, progSize, dynVal = 8, 32, 64 + 3*56 + 28 + 8
	)
	tests := []struct {
		name string
		data []byte
		want string
	}{
		{"header cut off", good[:40], "header ends after 40 bytes"},
		{"segments cut off", good[:100], "program headers cut off"},
		{"segments far away", edit(phoff, uint64(1)<<63), "program headers at"},
		{"odd segment size", edit(phentsize, uint16(32)), "program headers of 32 bytes"},
		{"too many segments", edit(phnum, uint16(0xffff)), "65535 program headers"},
		{"interpreter outside", edit(interpProg+progOff, uint64(1)<<40), "interpreter path cut off"},
		{"huge interpreter", edit(interpProg+progSize, uint64(1)<<40), "interpreter path of"},
		{"huge dynamic segment", edit(dynProg+progSize, uint64(1)<<40), "dynamic segment of"},
		{"name outside", edit(dynVal, uint64(1)<<40), "no string at address"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Inspect(bytes.NewReader(tt.data), arch(t, "amd64"))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
}
