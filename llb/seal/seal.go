package seal

import "fmt"

// Seal patches a file in place as its headers f, read from the same bytes by
// [Inspect], ask for: the interpreter of an executable, and the paths inside a
// library that the tables know. It reports whether a byte changed. All other
// files, and those sealed before, stay as they are.
//
// An interpreter that is neither glibc's nor ours is an error, and so is a
// known library in which the expected paths are not found.
func Seal(b []byte, f File, a Arch) (changed bool, err error) {
	if f.Kind != Executable && f.Kind != Shared {
		return false, nil
	}
	if err := checkInterp(b, f, a); err != nil {
		return false, err
	}
	software, patches := tables(f.Soname, a)
	changed, err = apply(b, patches)
	if err != nil {
		return false, fmt.Errorf("%s not known in %s for %s: %w; "+
			"build with a distribution that the seal knows, such as Debian 11 to 13 or sid",
			software, f.Soname, a.Name, err)
	}
	return setInterp(b, f) || changed, nil
}

func checkInterp(b []byte, f File, a Arch) error {
	if f.interpAt+f.interpLen > int64(len(b)) {
		return fmt.Errorf("interpreter path ends at %#x, the file at %#x", f.interpAt+f.interpLen, len(b))
	}
	switch f.Interp {
	case "", Interpreter, a.interp:
		return nil
	}
	return fmt.Errorf("interpreter %q cannot be sealed: want glibc's %q", f.Interp, a.interp)
}

// setInterp keeps the segment's length: the kernel wants a NUL as its last
// byte and reads the path up to the first (fs/binfmt_elf.c).
func setInterp(b []byte, f File) bool {
	if f.Interp == "" || f.Interp == Interpreter {
		return false
	}
	segment := b[f.interpAt : f.interpAt+f.interpLen]
	clear(segment[copy(segment, Interpreter):])
	return true
}
