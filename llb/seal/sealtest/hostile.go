package sealtest

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"strings"
)

// Case is a program that no linker makes: the same damage in one or several places.
type Case struct {
	// Name and Outcome are the row of docs/reliability.md.
	Name, Outcome string
	Files         [][]byte
	// Error is a part of what has to be said of each; empty where nothing is
	// wrong.
	Error string
	// Sealed says that bytes change.
	Sealed bool
}

// Offsets of fields in what [ELF.Bytes] writes with all three segments, and in
// the headers (ELF gABI, chapters 4 and 5).
const (
	atType, atPhoff, atPhentsize, atPhnum = 16, 32, 54, 56

	loadProg, interpProg, dynProg = headerLen, headerLen + progLen, headerLen + 2*progLen
	interpData                    = headerLen + 3*progLen

	progType, progOff, progVaddr, progFilesz = 0, 8, 16, 32
)

const (
	refused   = "named, and left as it is"
	leftAlone = "left alone: it needs no loader"
	interp    = "/lib64/ld-linux-x86-64.so.2"
)

// Hostile lists programs for amd64.
func Hostile() []Case {
	plain := ELF{Machine: elf.EM_X86_64, Type: elf.ET_DYN, Interp: interp, Needed: []string{"libc.so.6"}, Runpath: "/usr/lib/x"}
	good := plain.Bytes()
	dynData := interpData + len(interp) + 1
	// with is the program with other values in some fields.
	with := func(fields ...any) []byte {
		b := bytes.Clone(good)
		for i := 0; i < len(fields); i += 2 {
			// The fields are there, so it fits.
			_, _ = binary.Encode(b[fields[i].(int):], binary.LittleEndian, fields[i+1])
		}
		return b
	}
	one := func(b []byte) [][]byte { return [][]byte{b} }
	var cuts [][]byte
	for n := 4; n < len(good); n++ {
		cuts = append(cuts, good[:n])
	}
	many := plain
	many.Needed = strings.Split(strings.Repeat("l,", 5000)+"l", ",")
	const far = uint64(1) << 62
	return []Case{
		{Name: "cut off after each byte, from the fourth to the last but one", Outcome: refused, Files: cuts, Error: "damaged ELF file"},
		{Name: "the first three bytes alone", Outcome: leftAlone, Files: one(good[:3])},
		{Name: "65,535 program headers", Outcome: refused, Files: one(with(atPhnum, uint16(0xffff))), Error: "65535 program headers"},
		{Name: "no program header", Outcome: leftAlone, Files: [][]byte{with(atPhnum, uint16(0)), with(atPhnum, uint16(0), atType, uint16(elf.ET_EXEC))}},
		{Name: "program headers of 0 and of 65,535 bytes", Outcome: refused, Files: [][]byte{with(atPhentsize, uint16(0)), with(atPhentsize, uint16(0xffff))}, Error: "program headers of"},
		{Name: "program headers past the end, and where the offset overflows", Outcome: refused,
			Files: [][]byte{with(atPhoff, far), with(atPhoff, ^uint64(0)), with(atPhoff, uint64(1)<<63), with(atPhoff, uint64(len(good)-1))}, Error: "program headers"},
		{Name: "`PT_INTERP` past the end, and where the offset overflows", Outcome: refused,
			Files: [][]byte{with(interpProg+progOff, far), with(interpProg+progOff, ^uint64(0)), with(interpProg+progOff, uint64(len(good)-1))}, Error: "interpreter path"},
		{Name: "`PT_INTERP` of 0 bytes, without a NUL, of 4 GB, and of more than the address space", Outcome: refused,
			Files: [][]byte{with(interpProg+progFilesz, uint64(0)), with(interpProg+progFilesz, uint64(len(interp))), with(interpProg+progFilesz, uint64(1)<<32), with(interpProg+progFilesz, ^uint64(0))}, Error: "interpreter path"},
		{Name: "`PT_INTERP` over the file's own header", Outcome: refused, Files: one(with(interpProg+progOff, uint64(0), interpProg+progFilesz, uint64(9))), Error: "cannot be sealed"},
		{Name: "`PT_INTERP` that is longer than its path, over what follows", Outcome: "sealed: the path alone is overwritten", Files: one(with(interpProg+progFilesz, uint64(dynData-interpData+16))), Sealed: true},
		{Name: "a second `PT_INTERP`", Outcome: "sealed: the kernel takes the first", Files: one(with(loadProg+progType, uint32(elf.PT_INTERP), loadProg+progOff, uint64(interpData), loadProg+progFilesz, uint64(len(interp)+1), dynProg+progType, uint32(elf.PT_NULL))), Sealed: true},
		{Name: "a search directory that is the interpreter's path", Outcome: refused, Files: one(with(dynData+16+8, uint64(0), dynData+32+8, uint64(0x400000+interpData))), Error: "overlap"},
		{Name: "`PT_DYNAMIC` past the end, of 1 TB, and where the offset overflows", Outcome: refused,
			Files: [][]byte{with(dynProg+progOff, far), with(dynProg+progFilesz, uint64(1)<<40), with(dynProg+progOff, ^uint64(0))}, Error: "dynamic segment"},
		{Name: "5,001 needed libraries", Outcome: refused, Files: one(many.Bytes()), Error: "needed libraries"},
		{Name: "names past the end, and where the address overflows", Outcome: refused,
			Files: [][]byte{with(dynData+8, far), with(dynData+32+8, ^uint64(0)), with(dynData+32+8, far)}, Error: "no string at address"},
		{Name: "a segment whose offset overflows", Outcome: refused, Files: [][]byte{with(loadProg+progOff, ^uint64(0)-8), with(loadProg+progOff, uint64(1)<<63), with(loadProg+progOff, far)}, Error: "no string at address"},
		{Name: "segments that overlap where names are", Outcome: refused, Files: one(overlapping(good)), Error: "2 segments have the address"},
		{Name: "a dynamic section that is nothing but zeros", Outcome: "sealed: there is nothing in it", Files: one(with(dynData, [5 * 16]byte{})), Sealed: true},
	}
}

// overlapping lets a note, which kernel and loader do not look at, become a
// second segment over the first.
func overlapping(good []byte) []byte {
	// The interpreter's header comes last, behind a copy of the first.
	b := bytes.Clone(good)
	load, rest := b[loadProg:loadProg+progLen], b[interpProg:interpData]
	binary.LittleEndian.PutUint16(b[atPhnum:], 4)
	binary.LittleEndian.PutUint64(b[atPhoff:], uint64(len(b)))
	for _, header := range [][]byte{load, load, rest} {
		b = append(b, header...)
	}
	return b
}

// FileCase is about the file that holds a program: the tests of oh-seal have one
// test for each.
type FileCase struct{ Name, Outcome string }

// HostileFiles lists them.
func HostileFiles() []FileCase {
	return []FileCase{
		{"several hard links in the tree", "sealed once, for all names"},
		{"a hard link to a file outside of the tree", "named, and left as it is"},
		{"a hard link to a file outside, in a component", "refused: the name is told, nothing is written"},
		{"a symlink to a program outside of the tree", "not followed"},
		{"a symlink to a directory outside of the tree", "not followed"},
		{"a sparse file of a gigabyte", "sealed: the holes stay"},
		{"files that nobody may write or read", "sealed: the modes stay"},
		{"a FIFO and a socket", "not opened"},
		{"a setuid program", "named, and left as it is"},
		{"a file that is cut off while it is read", "named: nothing is written"},
		{"a file that becomes a symlink while it is read", "named: nothing is written"},
		{"a file that becomes another while it is read", "named: nothing is written"},
		{"a damaged program in a component", "refused: the name is told"},
	}
}
