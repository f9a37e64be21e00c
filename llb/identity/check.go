package identity

import (
	"errors"
	"fmt"
	"math"
	"path"
	"strconv"
	"strings"
)

// Error is a part of a Want that cannot be had. Its text names the spec's key.
type Error struct {
	Key    string // the key below "user" in the spec: name, uid, gid, home or shell
	reason string
}

func (e *Error) Error() string { return e.reason }

func problem(key, format string, args ...any) error {
	return &Error{Key: key, reason: "user." + key + " " + fmt.Sprintf(format, args...)}
}

// check refuses whatever would not survive being written to an account file.
// The spec is validated long before; this is the last guard before the image.
func (w Want) check() error {
	var errs []error
	if !validName(w.Name) {
		errs = append(errs, problem("name", "%q is not a portable account name: use letters, digits, '_', '.' and '-', "+
			"at least one lower-case letter, and no '-' or '.' in front", w.Name))
	}
	for _, id := range []struct {
		key   string
		value *uint32
	}{{"uid", w.UID}, {"gid", w.GID}} {
		if id.value != nil && *id.value == math.MaxUint32 {
			errs = append(errs, problem(id.key, "%d means \"no change\" to the kernel: use a smaller number", *id.value))
		}
	}
	for _, p := range []struct{ key, value string }{{"home", w.Home}, {"shell", w.Shell}} {
		if p.value != "" && !validPath(p.value) {
			errs = append(errs, problem(p.key, "%q cannot be written to /etc/passwd: "+
				"use an absolute path without ':', control characters and a space at its end", p.value))
		}
	}
	if w.Name == rootName && w.UID != nil && *w.UID != 0 {
		errs = append(errs, problem("uid", "is %d, but root is uid 0: drop user.uid, or choose another name", *w.UID))
	}
	return errors.Join(errs...)
}

// validName accepts POSIX's portable names that no file or tool reads as
// something else. The lower-case letter keeps out numbers, which runtimes take
// for a uid, and all-capitals, which sudo takes for an alias or for everyone.
func validName(name string) bool {
	if name == "" || name[0] == '-' || name[0] == '.' {
		return false
	}
	lower := false
	for _, c := range []byte(name) {
		switch {
		case 'a' <= c && c <= 'z':
			lower = true
		case 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '.', c == '-':
		default:
			return false
		}
	}
	return lower
}

func validPath(p string) bool {
	bad := func(r rune) bool { return r == ':' || r < ' ' || r == 0x7f }
	return path.IsAbs(p) && !strings.ContainsFunc(p, bad) && strings.TrimSpace(p) == p
}

// conflicts compares want with the base's account of that name. The base's
// values stand: changing them would leave its files to nobody.
func (w Want) conflicts(have Account) error {
	var errs []error
	if have.Name == rootName && have.UID != 0 {
		errs = append(errs, problem("name", "is root, which has uid %d in the base image: choose another user", have.UID))
	} else if w.UID != nil && *w.UID != have.UID {
		errs = append(errs, w.conflict("uid", *w.UID, have.UID))
	}
	if w.GID != nil && *w.GID != have.GID {
		errs = append(errs, w.conflict("gid", *w.GID, have.GID))
	}
	if w.Home != "" && path.Clean(w.Home) != path.Clean(have.Home) {
		errs = append(errs, w.conflict("home", w.Home, have.Home))
	}
	if w.Shell != "" && w.Shell != have.Shell {
		errs = append(errs, w.conflict("shell", w.Shell, have.Shell))
	}
	return errors.Join(errs...)
}

// conflict words one difference; values are numbers or paths. A path of the base
// is anybody's text.
func (w Want) conflict(key string, want, have any) error {
	if path, ok := have.(string); ok && strings.ContainsFunc(path, func(r rune) bool { return !strconv.IsPrint(r) }) {
		have = strconv.Quote(path)
	}
	return problem(key, "is %v, but the base image has a user %q with %s %v: drop user.%s, set it to %v, or choose another name",
		want, w.Name, key, have, key, have)
}

func (w Want) groupConflict(have uint32) error {
	return problem("gid", "is %d, but the base image has a group %q with gid %d: drop user.gid, set it to %d, or choose another name",
		*w.GID, w.Name, have, have)
}
