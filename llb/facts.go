package llb

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/openhands/llb-frontend/frontend/spec"
	"github.com/openhands/llb-frontend/llb/identity"
)

// Facts are what composition has to know of the file system that it merges
// onto. A merged layer replaces a symlink by a directory and overrides mode,
// owner and times of every directory that it holds
// (https://github.com/moby/buildkit/blob/master/docs/dev/merge-diff.md), so a
// file under a directory of the base is merged only when each directory on its
// path is known to be real, and is repeated as it was recorded.
type Facts struct {
	// Entries hold what lstat says of each path that was looked up and is
	// there; keys are clean absolute paths.
	Entries map[string]Entry
	// Accounts are the base's account files.
	Accounts identity.Files
	// Distribution is ID and VERSION_ID of /etc/os-release, as "debian-12".
	Distribution string
}

// Entry is one file as lstat describes it.
type Entry struct {
	Mode     fs.FileMode
	UID, GID int
	Size     int64 // 0 where it comes from a lock file, which has what was read
	Linkname string
	// Xattrs says that the file has extended attributes.
	Xattrs bool
}

// Kind names the type of a file for messages.
func (e Entry) Kind() string {
	switch {
	case e.Mode.IsDir():
		return "a directory"
	case e.Mode&fs.ModeSymlink != 0:
		return "a symlink"
	case e.Mode&fs.ModeNamedPipe != 0:
		return "a FIFO"
	case e.Mode&fs.ModeSocket != 0:
		return "a socket"
	case e.Mode&fs.ModeDevice != 0:
		return "a device"
	case e.Mode&fs.ModeIrregular != 0:
		return "a special file"
	}
	return "a file"
}

const openhands = "/openhands"

// Lstat describes a path without following a symlink at its end. The directory
// of the path is real: [Walk] has resolved it. ok is false for a missing file.
type Lstat func(p string) (e Entry, ok bool, err error)

// maxLinks is where path resolution gives up, as the kernel does
// (MAXSYMLINKS, path_resolution(7)).
const maxLinks = 40

// Walk follows a path through symlinks, a component at a time, and never
// leaves the root. It returns the real path and whether there is a file; of a
// missing file it returns the place where it would be created, provided that
// its ancestors are directories.
func Walk(p string, lstat Lstat) (real string, ok bool, err error) {
	real = "/"
	rest := split(p)
	for links := 0; len(rest) > 0; {
		name := rest[0]
		rest = rest[1:]
		if name == ".." {
			real = path.Dir(real)
			continue
		}
		next := path.Join(real, name)
		e, found, err := lstat(next)
		if err != nil {
			return "", false, err
		}
		switch {
		case !found:
			return path.Join(append([]string{next}, rest...)...), false, nil
		case e.Mode&fs.ModeSymlink != 0:
			if links++; links > maxLinks {
				return "", false, fmt.Errorf("%q has more than %d symlinks on its path in the base image", p, maxLinks)
			}
			if path.IsAbs(e.Linkname) {
				real = "/"
			}
			rest = append(split(e.Linkname), rest...)
		case len(rest) > 0 && !e.Mode.IsDir():
			return "", false, fmt.Errorf("%q cannot be created: %q is not a directory in the base image", p, next)
		default:
			real = next
		}
	}
	return real, true, nil
}

func split(p string) []string {
	return slices.DeleteFunc(strings.Split(p, "/"), func(s string) bool { return s == "" || s == "." })
}

// resolve is Walk over what has been recorded.
func (f *Facts) resolve(p string) (real string, ok bool, err error) {
	return Walk(p, func(p string) (Entry, bool, error) {
		e, ok := f.Entries[p]
		return e, ok, nil
	})
}

// leadElsewhere is what to do about a symlink of a base.
const leadElsewhere = "use a base image in which it leads elsewhere"

// place is resolve for a file that is to be written. Where the base's symlinks
// lead to, a container must find it again: not below a file system that runtimes
// mount, and not through the base's /openhands, which ours replaces.
func (f *Facts) place(p string) (real string, ok bool, err error) {
	linked, replaced := false, false
	real, ok, err = Walk(p, func(p string) (Entry, bool, error) {
		e, ok := f.Entries[p]
		linked = linked || e.Mode&fs.ModeSymlink != 0
		replaced = replaced || p == openhands
		return e, ok, nil
	})
	switch top, _, _ := strings.Cut(strings.TrimPrefix(real, "/"), "/"); {
	case err != nil || !linked:
	case slices.Contains([]string{"dev", "proc", "sys"}, top):
		err = fmt.Errorf("%q leads to %q in the base image, which containers mount over: %s", p, real, leadElsewhere)
	case replaced:
		err = fmt.Errorf("%q leads into %s in the base image, which ours replaces: %s", p, openhands, leadElsewhere)
	}
	return real, ok, err
}

// exists tells whether a path leads to a file.
func (f *Facts) exists(p string) bool {
	_, ok, err := f.resolve(p)
	return ok && err == nil
}

// NeedsFacts tells whether composition depends on the base's file system. A
// root or numeric user needs nothing of it, unless it names a home of its own,
// and neither does one that is made when a container starts.
func NeedsFacts(s *spec.Spec) bool {
	if s.User.Create == spec.CreateStart {
		return s.User.Sudo || s.WorkingDir != workspace
	}
	return (!s.User.IsRoot() && !s.User.IsNumeric()) || s.User.Home != "" || s.WorkingDir != workspace
}

// FactPaths are the paths that composition looks up, beside the account files.
func FactPaths(s *spec.Spec, arch string, accounts identity.Files) []string {
	paths := []string{"/etc", workspace, s.WorkingDir, "/tmp", sudoersDir, sudo, agentLink, agentProject}
	for _, f := range fillIns(arch) {
		paths = append(paths, f.path)
	}
	if home := wantedHome(s, accounts); home != "" {
		paths = append(paths, home)
	}
	return paths
}
