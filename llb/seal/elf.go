package seal

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Kind says what a file is to the seal.
type Kind int

// The kinds of files. Foreign is an ELF file of another class, byte order or
// machine; Object is ELF that nobody executes or loads (relocatable, core).
const (
	NotELF Kind = iota
	Foreign
	Object
	Static
	StaticPIE
	Executable
	Shared
)

// String names the kind for messages.
func (k Kind) String() string {
	names := [...]string{"not ELF", "foreign ELF", "object file", "static executable",
		"static-pie executable", "dynamic executable", "shared object"}
	if k < 0 || int(k) >= len(names) {
		return "unknown kind"
	}
	return names[k]
}

// File is what the headers of a file say. Only Executable and Shared have more
// than a kind. A shared object that is also a program (libc.so.6 itself, for
// one) has an interpreter and is an Executable with a Soname.
type File struct {
	Kind    Kind
	Interp  string
	Soname  string
	Needed  []string
	Runpath []string // DT_RUNPATH, or DT_RPATH where that is absent

	interpAt, interpLen int64
}

// Bounds on what a file may claim about itself. maxPath is the kernel's own
// limit for an interpreter (PATH_MAX, fs/binfmt_elf.c); the largest dynamic
// sections in use are far below maxDynamic.
const (
	maxPath    = 4096
	maxProgs   = 1024
	maxDynamic = 1 << 20
	maxNeeded  = 4096
	headerLen  = 64 // sizeof(Elf64_Ehdr)
	progLen    = 56 // sizeof(Elf64_Phdr)
)

// Inspect reads the headers of a file by the program headers alone, as kernel
// and loader do: section headers may be absent. A file that claims to be ELF
// for this architecture and is damaged is an error.
func Inspect(r io.ReaderAt, a Arch) (File, error) {
	head := make([]byte, headerLen)
	n, err := r.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return File{}, err
	}
	if !bytes.HasPrefix(head[:n], []byte(elf.ELFMAG)) {
		return File{Kind: NotELF}, nil
	}
	if n < headerLen {
		return File{}, fmt.Errorf("damaged ELF file: header ends after %d bytes", n)
	}
	if head[elf.EI_CLASS] != byte(elf.ELFCLASS64) || head[elf.EI_DATA] != byte(elf.ELFDATA2LSB) {
		return File{Kind: Foreign}, nil
	}
	var h elf.Header64
	if err := decode(head, &h); err != nil {
		return File{}, err
	}
	if elf.Machine(h.Machine) != a.machine {
		return File{Kind: Foreign}, nil
	}
	if t := elf.Type(h.Type); t != elf.ET_EXEC && t != elf.ET_DYN {
		return File{Kind: Object}, nil
	}
	progs, err := readProgs(r, h)
	if err != nil {
		return File{}, err
	}
	return describe(r, elf.Type(h.Type), progs)
}

func readProgs(r io.ReaderAt, h elf.Header64) ([]elf.Prog64, error) {
	if h.Phentsize != progLen {
		return nil, fmt.Errorf("damaged ELF file: program headers of %d bytes, want %d", h.Phentsize, progLen)
	}
	if h.Phnum > maxProgs {
		return nil, fmt.Errorf("damaged ELF file: %d program headers", h.Phnum)
	}
	data, err := readSpan(r, h.Phoff, uint64(h.Phnum)*progLen, "program headers")
	if err != nil {
		return nil, err
	}
	progs := make([]elf.Prog64, h.Phnum)
	return progs, decode(data, progs)
}

func describe(r io.ReaderAt, t elf.Type, progs []elf.Prog64) (File, error) {
	var f File
	var dyn dynamic
	if p, ok := first(progs, elf.PT_INTERP); ok {
		if p.Filesz > maxPath {
			return File{}, fmt.Errorf("damaged ELF file: interpreter path of %d bytes", p.Filesz)
		}
		path, err := readSpan(r, p.Off, p.Filesz, "interpreter path")
		if err != nil {
			return File{}, err
		}
		f.Interp = cString(path)
		f.interpAt, f.interpLen = int64(p.Off), int64(p.Filesz)
	}
	if p, ok := first(progs, elf.PT_DYNAMIC); ok {
		var err error
		if dyn, err = readDynamic(r, p); err != nil {
			return File{}, err
		}
	}
	switch {
	case f.interpLen > 0:
		f.Kind = Executable
	case t == elf.ET_EXEC:
		f.Kind = Static
		return f, nil
	case dyn.flags1&uint64(elf.DF_1_PIE) != 0 && dyn.soname == nil: // a loader is a library, whatever its flags
		f.Kind = StaticPIE
		return f, nil
	default:
		f.Kind = Shared
	}
	return f, dyn.names(r, progs, &f)
}

// first returns the segment of a type that kernel and loader take.
func first(progs []elf.Prog64, t elf.ProgType) (elf.Prog64, bool) {
	for _, p := range progs {
		if elf.ProgType(p.Type) == t {
			return p, true
		}
	}
	return elf.Prog64{}, false
}

// dynamic is the part of PT_DYNAMIC that matters here; its names are offsets
// into the string table at address strtab.
type dynamic struct {
	needed                 []uint64
	soname, rpath, runpath []uint64
	strtab, flags1         uint64
}

func readDynamic(r io.ReaderAt, p elf.Prog64) (dynamic, error) {
	var d dynamic
	if p.Filesz > maxDynamic {
		return d, fmt.Errorf("damaged ELF file: dynamic segment of %d bytes", p.Filesz)
	}
	data, err := readSpan(r, p.Off, p.Filesz, "dynamic segment")
	if err != nil {
		return d, err
	}
	entries := make([]elf.Dyn64, len(data)/16)
	if err := decode(data, entries); err != nil {
		return d, err
	}
	for _, e := range entries {
		switch elf.DynTag(e.Tag) {
		case elf.DT_NULL:
			return d, nil
		case elf.DT_NEEDED:
			d.needed = append(d.needed, e.Val)
		case elf.DT_SONAME:
			d.soname = []uint64{e.Val}
		case elf.DT_RPATH:
			d.rpath = []uint64{e.Val}
		case elf.DT_RUNPATH:
			d.runpath = []uint64{e.Val}
		case elf.DT_STRTAB:
			d.strtab = e.Val
		case elf.DT_FLAGS_1:
			d.flags1 = e.Val
		}
	}
	return d, nil
}

// names fills in the strings that d refers to.
func (d dynamic) names(r io.ReaderAt, progs []elf.Prog64, f *File) error {
	if len(d.needed) > maxNeeded {
		return fmt.Errorf("damaged ELF file: %d needed libraries", len(d.needed))
	}
	if d.runpath == nil {
		d.runpath = d.rpath // ld.so(8): DT_RPATH counts only without DT_RUNPATH
	}
	var err error
	lookup := func(offsets []uint64) []string {
		var names []string
		for _, off := range offsets {
			name, e := stringAt(r, progs, d.strtab+off)
			err = errors.Join(err, e)
			names = append(names, name)
		}
		return names
	}
	f.Needed = lookup(d.needed)
	f.Soname = strings.Join(lookup(d.soname), "")
	for _, list := range lookup(d.runpath) {
		f.Runpath = strings.Split(list, ":")
	}
	return err
}

// stringAt reads the string that is loaded at a virtual address.
func stringAt(r io.ReaderAt, progs []elf.Prog64, addr uint64) (string, error) {
	for _, p := range progs {
		if elf.ProgType(p.Type) != elf.PT_LOAD || addr < p.Vaddr || addr-p.Vaddr >= p.Filesz {
			continue
		}
		size := min(p.Filesz-(addr-p.Vaddr), maxPath)
		at := p.Off + (addr - p.Vaddr)
		if int64(at) < 0 {
			break
		}
		data := make([]byte, size)
		n, err := r.ReadAt(data, int64(at))
		if err != nil && !errors.Is(err, io.EOF) {
			return "", err
		}
		if end := bytes.IndexByte(data[:n], 0); end >= 0 {
			return string(data[:end]), nil
		}
		break
	}
	return "", fmt.Errorf("damaged ELF file: no string at address %#x", addr)
}

// readSpan reads exactly size bytes; callers bound size.
func readSpan(r io.ReaderAt, off, size uint64, what string) ([]byte, error) {
	data := make([]byte, size)
	if int64(off) < 0 {
		return nil, fmt.Errorf("damaged ELF file: %s at %#x", what, off)
	}
	n, err := r.ReadAt(data, int64(off))
	if n == len(data) {
		return data, nil
	}
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("damaged ELF file: %s cut off at %#x", what, off+uint64(n))
	}
	return nil, err
}

func decode(data []byte, into any) error {
	_, err := binary.Decode(data, binary.LittleEndian, into)
	return err
}

func cString(b []byte) string {
	s, _, _ := strings.Cut(string(b), "\x00")
	return s
}
