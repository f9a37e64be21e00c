package seal

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
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
	Machine string   // what a Foreign file is for, such as "32-bit 386"

	interpAt, runpathAt int64
	headers             []span // what says all this
}

// span is a part of a file.
type span struct{ at, size int64 }

func (s span) overlaps(other span) bool {
	return s.at < other.at+other.size && other.at < s.at+s.size
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
	var h elf.Header64
	if err := decode(head, &h); err != nil {
		return File{}, err
	}
	if machine, ok := foreign(h, a); ok {
		return File{Kind: Foreign, Machine: machine}, nil
	}
	if t := elf.Type(h.Type); t != elf.ET_EXEC && t != elf.ET_DYN {
		return File{Kind: Object}, nil
	}
	progs, err := readProgs(r, h)
	if err != nil {
		return File{}, err
	}
	f, err := describe(r, elf.Type(h.Type), progs)
	if err != nil {
		return File{}, err
	}
	f.headers = append(f.headers, span{0, headerLen}, span{int64(h.Phoff), int64(h.Phnum) * progLen})
	if sections := int64(h.Shnum) * int64(h.Shentsize); h.Shoff < math.MaxInt64-uint64(sections) {
		f.headers = append(f.headers, span{int64(h.Shoff), sections})
	}
	return f, nil
}

// foreign names the machine of a file that is not for a. e_machine lies at the
// same place in all classes, in the file's own byte order.
func foreign(h elf.Header64, a Arch) (machine string, ok bool) {
	class, order := elf.Class(h.Ident[elf.EI_CLASS]), elf.Data(h.Ident[elf.EI_DATA])
	if order == elf.ELFDATA2MSB {
		h.Machine = h.Machine<<8 | h.Machine>>8
	}
	m := elf.Machine(h.Machine)
	if m == a.machine && class == elf.ELFCLASS64 && order == elf.ELFDATA2LSB {
		return "", false
	}
	name := strings.ToLower(strings.TrimPrefix(m.String(), "EM_"))
	if class == elf.ELFCLASS32 {
		name = "32-bit " + name
	}
	return name, true
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
	program := false
	if p, ok := first(progs, elf.PT_INTERP); ok {
		if p.Filesz > maxPath {
			return File{}, fmt.Errorf("damaged ELF file: interpreter path of %d bytes", p.Filesz)
		}
		path, err := readSpan(r, p.Off, p.Filesz, "interpreter path")
		if err != nil {
			return File{}, err
		}
		if len(path) == 0 || path[len(path)-1] != 0 { // the kernel does not start it
			return File{}, errors.New("damaged ELF file: interpreter path without a NUL at its end")
		}
		f.Interp = cString(path)
		f.interpAt, program = int64(p.Off), true
	}
	if p, ok := first(progs, elf.PT_DYNAMIC); ok {
		var err error
		if dyn, err = readDynamic(r, p); err != nil {
			return File{}, err
		}
		f.headers = append(f.headers, span{int64(p.Off), int64(p.Filesz)})
	}
	switch {
	case program:
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
