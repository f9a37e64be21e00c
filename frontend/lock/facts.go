package lock

import (
	"bytes"
	"fmt"
	"io/fs"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	digest "github.com/opencontainers/go-digest"
)

// Facts are what a build has to know of a base's file system.
type Facts struct {
	// Distribution is ID and VERSION_ID of /etc/os-release, as "debian-12".
	Distribution string
	// Files hold what lstat says of each path that was looked up; nil where
	// there is no such file. Keys are clean absolute paths.
	Files map[string]*File
	// Accounts are the account files that the base has, by the names of
	// accountFiles.
	Accounts map[string][]byte
}

// File is one file as lstat describes it. Of a symlink only its target counts.
type File struct {
	// Mode has the type and the twelve permission bits.
	Mode     fs.FileMode
	UID, GID int
	Linkname string
	// Xattrs says that the file has extended attributes.
	Xattrs bool
}

// accountFiles are the keys of Facts.Accounts, the files' names below /etc.
var accountFiles = []string{"passwd", "group", "shadow", "gshadow"}

// ID is the digest of the facts as they are written.
func (f Facts) ID() digest.Digest {
	w := &writer{}
	w.facts(f)
	return digest.FromBytes(w.Bytes())
}

// Unfit tells why facts must not be kept in a file that people share, "" if
// nothing is against it.
func (f Facts) Unfit() string {
	if !utf8.ValidString(f.Distribution) {
		return "its /etc/os-release is not UTF-8 text"
	}
	for _, name := range accountFiles {
		if !utf8.Valid(f.Accounts[name]) {
			return fmt.Sprintf("its /etc/%s is not UTF-8 text", name)
		}
		for line := range bytes.Lines(f.Accounts[name]) {
			if holdsPassword(line) {
				return fmt.Sprintf("its /etc/%s holds a password", name)
			}
		}
	}
	for _, p := range sorted(f.Files) {
		if !utf8.ValidString(p + f.Files[p].String()) {
			return fmt.Sprintf("the path of its %q is not UTF-8 text", p)
		}
		if len(scalar(p)) > maxKey {
			return fmt.Sprintf("the path of its %.40q... is longer than a key of YAML may be, %d bytes", p, maxKey)
		}
	}
	return ""
}

// holdsPassword looks at the second field of a line. The shortest hash of
// crypt(5) has 13 characters; what locks an account (*, !, *LK*) or leads to
// the shadow file (x) is shorter, and ! before a hash keeps it.
func holdsPassword(line []byte) bool {
	_, rest, _ := bytes.Cut(line, []byte(":"))
	password, _, _ := bytes.Cut(rest, []byte(":"))
	return len(bytes.TrimLeft(bytes.TrimSpace(password), "!*")) >= 13
}

// Types of files, as the first word of an entry.
const (
	kindNone    = "none"
	kindSymlink = "symlink"
	kindDir     = "dir"
	kindFile    = "file"
	kindOther   = "other"
)

// String is the entry of a file: "dir 0755 0:0", "symlink usr/bin", "none".
func (f *File) String() string {
	switch {
	case f == nil:
		return kindNone
	case f.Mode&fs.ModeSymlink != 0:
		return kindSymlink + " " + f.Linkname
	}
	kind := kindOther
	switch {
	case f.Mode.IsDir():
		kind = kindDir
	case f.Mode.IsRegular():
		kind = kindFile
	}
	text := fmt.Sprintf("%s %04o %d:%d", kind, permissions(f.Mode), f.UID, f.GID)
	if f.Xattrs {
		text += " xattrs"
	}
	return text
}

var entryForm = regexp.MustCompile(`^(dir|file|other) ([0-7]{4}) ([0-9]{1,10}):([0-9]{1,10})( xattrs)?$`)

const wantEntry = `an entry is "none", "symlink TARGET", or a type (dir, file, other), a mode and an owner, as "dir 0755 0:0"`

// parseFile is the reverse of File.String.
func parseFile(text string) (*File, error) {
	if text == kindNone {
		return nil, nil
	}
	if target, ok := strings.CutPrefix(text, kindSymlink+" "); ok && target != "" {
		return &File{Mode: fs.ModeSymlink | 0o777, Linkname: target}, nil
	}
	m := entryForm.FindStringSubmatch(text)
	if m == nil {
		return nil, fmt.Errorf("%q describes no file: %s", text, wantEntry)
	}
	f := &File{Xattrs: m[5] != ""}
	switch m[1] {
	case kindDir:
		f.Mode = fs.ModeDir
	case kindOther:
		f.Mode = fs.ModeIrregular
	}
	bits, _ := strconv.ParseUint(m[2], 8, 32) // by the expression
	for unix, mode := range specialBits {
		if bits&unix != 0 {
			f.Mode |= mode
		}
	}
	f.Mode |= fs.FileMode(bits & 0o777)
	for i, id := range []*int{&f.UID, &f.GID} {
		n, err := strconv.ParseUint(m[3+i], 10, 32)
		if err != nil {
			return nil, fmt.Errorf("%q has an owner that is no uid or gid: %s", text, wantEntry)
		}
		*id = int(n)
	}
	return f, nil
}

// specialBits of chmod(2), and what Go has for them.
var specialBits = map[uint64]fs.FileMode{0o4000: fs.ModeSetuid, 0o2000: fs.ModeSetgid, 0o1000: fs.ModeSticky}

// permissions are the twelve bits of chmod(2).
func permissions(m fs.FileMode) uint64 {
	bits := uint64(m.Perm())
	for unix, mode := range specialBits {
		if m&mode != 0 {
			bits |= unix
		}
	}
	return bits
}
