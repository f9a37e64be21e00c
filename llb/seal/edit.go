package seal

import (
	"fmt"
	"slices"
	"strings"
)

// Edit overwrites bytes of a file. It never changes the file's length.
type Edit struct {
	Offset int64
	Data   []byte
}

// Edits returns what the headers of a file ask for, apart from the tables:
// [Interpreter] in an executable, and search directories that cannot exist in
// place of those outside /openhands. A caller that has read the headers alone
// can write the edits without reading the rest of the file.
//
// An interpreter that is neither glibc's nor ours is an error, and so is a
// search directory that means the current one.
func Edits(f File, a Arch) ([]Edit, error) {
	edits, err := InterpreterEdits(f, a)
	if err != nil {
		return nil, err
	}
	search, err := searchEdits(f)
	if err != nil {
		return nil, err
	}
	edits = append(edits, search...)
	return edits, f.checkApart(edits)
}

// checkApart refuses a forged file in which one edit would change what another, or
// the headers, have been read from.
func (f File) checkApart(edits []Edit) error {
	parts := slices.Clone(f.headers)
	for _, e := range edits {
		s := span{e.Offset, int64(len(e.Data))}
		if slices.ContainsFunc(parts, s.overlaps) {
			return fmt.Errorf("damaged ELF file: headers and paths overlap at %#x", e.Offset)
		}
		parts = append(parts, s)
	}
	return nil
}

// InterpreterEdits returns the edit that makes an executable a program of our
// loader, or none if the file is no executable or is sealed already.
func InterpreterEdits(f File, a Arch) ([]Edit, error) {
	switch f.Interp {
	case "", Interpreter:
		return nil, nil
	case a.interp:
		// The segment keeps its length: the kernel wants a NUL as its last
		// byte and reads the path up to the first (fs/binfmt_elf.c). What may
		// follow in the segment is not the interpreter's.
		path := make([]byte, len(f.Interp))
		copy(path, Interpreter)
		edits := []Edit{{f.interpAt, path}}
		return edits, f.checkApart(edits)
	}
	return nil, fmt.Errorf("interpreter %q cannot be sealed: want glibc's %q", f.Interp, a.interp)
}

// searchEdits keeps the loader away from directories of the image. Only the
// first bytes of each are overwritten: linkers let other strings share the end
// of a string.
func searchEdits(f File) ([]Edit, error) {
	var edits []Edit
	at := f.runpathAt
	for _, dir := range f.Runpath {
		switch {
		case Inside(dir):
		case len(dir) < len(gone) || dir[0] != '/':
			return nil, fmt.Errorf("search directory %q (DT_RUNPATH or DT_RPATH) cannot be sealed: "+
				"want $ORIGIN/... or an absolute path", dir)
		default:
			edits = append(edits, Edit{at, []byte(gone)})
		}
		at += int64(len(dir)) + 1
	}
	return edits, nil
}

// Inside says whether a search directory keeps the loader inside: below
// /openhands, relative to the file itself, or sealed. DT_RUNPATH may name the
// file's directory as $ORIGIN or ${ORIGIN} (ld.so(8)).
func Inside(dir string) bool {
	for _, prefix := range []string{"$ORIGIN", "${ORIGIN}"} {
		if rest, ok := strings.CutPrefix(dir, prefix); ok && (rest == "" || rest[0] == '/') {
			return true
		}
	}
	return dir == "/openhands" || strings.HasPrefix(dir, "/openhands/") || strings.HasPrefix(dir, gone)
}
