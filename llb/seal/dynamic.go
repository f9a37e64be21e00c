package seal

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"strings"
)

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
	lookup := func(offsets []uint64) (names []string, at int64) {
		for _, off := range offsets {
			name, where, e := stringAt(r, progs, d.strtab+off)
			err = errors.Join(err, e)
			names, at = append(names, name), where
		}
		return names, at
	}
	f.Needed, _ = lookup(d.needed)
	soname, _ := lookup(d.soname)
	f.Soname = strings.Join(soname, "")
	runpath, at := lookup(d.runpath)
	for _, list := range runpath {
		f.Runpath, f.runpathAt = strings.Split(list, ":"), at
	}
	return err
}

// stringAt reads the string that is loaded at a virtual address, and returns
// its offset in the file too. An address that two segments load is an error: what
// is there then depends on the loader.
func stringAt(r io.ReaderAt, progs []elf.Prog64, addr uint64) (string, int64, error) {
	text, at, found := "", int64(0), 0
	for _, p := range progs {
		if elf.ProgType(p.Type) != elf.PT_LOAD || addr < p.Vaddr || addr-p.Vaddr >= p.Filesz {
			continue
		}
		off := p.Off + (addr - p.Vaddr)
		if off < p.Off || int64(off) < 0 {
			break
		}
		data := make([]byte, min(p.Filesz-(addr-p.Vaddr), maxPath))
		n, err := r.ReadAt(data, int64(off))
		if err != nil && !errors.Is(err, io.EOF) {
			return "", 0, err
		}
		end := bytes.IndexByte(data[:n], 0)
		if end < 0 {
			break
		}
		text, at, found = string(data[:end]), int64(off), found+1
	}
	switch found {
	case 0:
		return "", 0, fmt.Errorf("damaged ELF file: no string at address %#x", addr)
	case 1:
		return text, at, nil
	}
	return "", 0, fmt.Errorf("damaged ELF file: %d segments have the address %#x", found, addr)
}
