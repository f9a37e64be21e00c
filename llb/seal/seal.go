package seal

import (
	"bytes"
	"fmt"
	"slices"
)

// Seal patches a file of the distribution in place as its headers f, read from
// the same bytes by [Inspect], ask for: what [Edits] returns, the paths inside
// a library that the tables know, and directories of modules. It reports
// whether a byte changed. All other files, and those sealed before, stay as
// they are.
//
// An interpreter that is neither glibc's nor ours is an error, and so is a
// known library in which the expected paths are not found.
func Seal(b []byte, f File, a Arch) (changed bool, err error) {
	if f.Kind != Executable && f.Kind != Shared {
		return false, nil
	}
	edits, err := Edits(f, a)
	if err != nil {
		return false, err
	}
	for _, e := range edits {
		if end := e.Offset + int64(len(e.Data)); end > int64(len(b)) {
			return false, fmt.Errorf("the headers speak of %#x, the file ends at %#x", end, len(b))
		}
	}
	software, patches := tables(f.Soname, a)
	if err := checkHeaders(b, f, append(slices.Clone(patches), patch{old: modules(a)})); err != nil {
		return false, err
	}
	changed, err = apply(b, patches)
	if err != nil {
		return false, fmt.Errorf("%s not known in %s for %s: %w; "+
			"build with a distribution that the seal knows, such as Debian 11 to 13 or sid",
			software, f.Soname, a.Name, err)
	}
	for _, e := range edits {
		copy(b[e.Offset:], e.Data)
	}
	detached, err := detach(b, a)
	return changed || len(edits)+detached > 0, err
}

// checkHeaders refuses a forged file whose headers hold what is to be replaced.
func checkHeaders(b []byte, f File, patches []patch) error {
	for _, h := range f.headers {
		for _, p := range patches {
			around := int64(len(p.old) - 1)
			to := min(h.at+h.size, int64(len(b))-around) + around
			from := min(max(h.at-around, 0), to)
			if to > 0 && bytes.Contains(b[from:to], []byte(p.old)) {
				return fmt.Errorf("damaged ELF file: its headers at %#x hold the path %s", h.at, p)
			}
		}
	}
	return nil
}

// detach makes directories of modules below /usr/lib/TRIPLET (plug-ins of
// OpenSSL, Kerberos, SASL, p11-kit) names that do not exist: modules of the
// image were built for another C library, and ours come without.
func detach(b []byte, a Arch) (int, error) {
	return ReplacePath(b, modules(a), nowhere+"lib/"+a.Triplet)
}

func modules(a Arch) string { return "/usr/lib/" + a.Triplet }
