// Package sealtest makes small ELF files for tests.
package sealtest

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
)

// ELF describes a 64-bit little-endian ELF file without section headers, as
// little as kernel and loader need.
type ELF struct {
	Machine elf.Machine
	Type    elf.Type
	Interp  string // gets a NUL
	Soname  string
	Needed  []string
	Runpath string
	Rpath   string
	Flags1  elf.DynFlag1
	Static  bool   // without PT_DYNAMIC
	Data    string // appended
}

const (
	headerLen = 64
	progLen   = 56
)

// Bytes lays the file out: header, program headers, interpreter, dynamic
// segment, its strings, data. One PT_LOAD maps the whole file at base.
func (e ELF) Bytes() []byte {
	const base = 0x400000
	names := []byte{0}
	var dyn []elf.Dyn64
	add := func(tag elf.DynTag, s string) {
		dyn = append(dyn, elf.Dyn64{Tag: int64(tag), Val: uint64(len(names))})
		names = append(append(names, s...), 0)
	}
	for _, n := range e.Needed {
		add(elf.DT_NEEDED, n)
	}
	for _, entry := range []struct {
		tag  elf.DynTag
		name string
	}{{elf.DT_SONAME, e.Soname}, {elf.DT_RUNPATH, e.Runpath}, {elf.DT_RPATH, e.Rpath}} {
		if entry.name != "" {
			add(entry.tag, entry.name)
		}
	}
	progs := 1
	var interp []byte
	if e.Interp != "" {
		interp = append([]byte(e.Interp), 0)
		progs++
	}
	if !e.Static {
		progs++
	}
	interpAt := headerLen + progs*progLen
	dynAt := interpAt + len(interp)
	dynLen := 0
	if !e.Static {
		dynLen = (len(dyn) + 3) * 16
	}
	dyn = append(dyn,
		elf.Dyn64{Tag: int64(elf.DT_STRTAB), Val: uint64(base + dynAt + dynLen)},
		elf.Dyn64{Tag: int64(elf.DT_FLAGS_1), Val: uint64(e.Flags1)},
		elf.Dyn64{Tag: int64(elf.DT_NULL)})
	size := uint64(dynAt + dynLen + len(names) + len(e.Data))

	var b bytes.Buffer
	put := func(v any) {
		// A bytes.Buffer takes everything.
		_ = binary.Write(&b, binary.LittleEndian, v)
	}
	put(elf.Header64{
		Ident:   [16]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:    uint16(e.Type),
		Machine: uint16(e.Machine),
		Version: uint32(elf.EV_CURRENT),
		Phoff:   headerLen, Ehsize: headerLen, Phentsize: progLen, Phnum: uint16(progs),
	})
	put(elf.Prog64{Type: uint32(elf.PT_LOAD), Vaddr: base, Filesz: size, Memsz: size})
	if interp != nil {
		put(elf.Prog64{Type: uint32(elf.PT_INTERP), Off: uint64(interpAt), Filesz: uint64(len(interp))})
	}
	if !e.Static {
		put(elf.Prog64{Type: uint32(elf.PT_DYNAMIC), Off: uint64(dynAt), Vaddr: uint64(base + dynAt), Filesz: uint64(dynLen)})
	}
	b.Write(interp)
	if !e.Static {
		put(dyn)
	}
	b.Write(names)
	b.WriteString(e.Data)
	return b.Bytes()
}
