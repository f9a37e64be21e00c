package main

import (
	"io/fs"
	"path"
	"slices"
	"strings"
)

// tree is what the packages hold, without directories. Its paths are those of
// a merged /usr: /bin/bash of an older package is /usr/bin/bash here.
type tree struct {
	requested map[string]bool
	whole     bool // everything is wanted
	entries   map[string]*entry
	control   map[string][]byte // dpkg's records, by package
}

// entry is a regular file, or a symbolic link if it has a link.
type entry struct {
	path string
	pkg  string
	link string // target as packaged
	data *content
}

// String names an entry in messages.
func (e *entry) String() string {
	if e.pkg == "" {
		return e.path
	}
	return e.path + " of package " + e.pkg
}

// content is the data of a regular file, shared by its hard links.
type content struct {
	disk string // where it was unpacked to
	exec bool
}

func newTree(requested []string) *tree {
	t := &tree{requested: map[string]bool{}, entries: map[string]*entry{}, control: map[string][]byte{}}
	for _, name := range requested {
		t.requested[name] = true
	}
	return t
}

// newWholeTree keeps all that the packages hold.
func newWholeTree(requested []string) *tree {
	t := newTree(requested)
	t.whole = true
	return t
}

// mode is the mode of a regular file: packages' setuid bits are not taken.
func (c *content) mode() fs.FileMode {
	if c.exec {
		return 0o755
	}
	return 0o644
}

// mergeUsr gives a path its place in a merged /usr.
func mergeUsr(p string) string {
	p = path.Clean("/" + p)
	top, _, _ := strings.Cut(p[1:], "/")
	switch top {
	case "bin", "sbin", "lib", "lib32", "lib64", "libx32":
		return "/usr" + p
	}
	return p
}

// unpackaged are directories of /usr/share that serve people and desktops, or
// interpreters that are not there (gitweb is a perl program).
var unpackaged = strings.Fields(`applications bash-completion bug debhelper debianutils doc doc-base
	fish gitweb icons info lintian locale man menu metainfo mime perl5 pixmaps python-apt zsh`)

// wants says whether a path is worth unpacking: of packages that nobody named,
// only libraries can be, and their terms.
func (t *tree) wants(pkg, p string) bool {
	if t.whole || isTerms(pkg, p) {
		return true
	}
	if rest, ok := strings.CutPrefix(p, "/usr/share/"); ok {
		name, _, _ := strings.Cut(rest, "/")
		return t.requested[pkg] && !slices.Contains(unpackaged, name)
	}
	return t.requested[pkg] || strings.HasPrefix(p, "/usr/lib")
}

// add enters e. A link never hides a file: before /usr was merged, packages
// had a file below /lib and a link to it below /usr/lib.
func (t *tree) add(e *entry) {
	if old := t.entries[e.path]; old != nil && old.link == "" && e.link != "" {
		return
	}
	t.entries[e.path] = e
}

// of returns the entries of a package in the order of their paths.
func (t *tree) of(pkg string) []*entry {
	var list []*entry
	for _, e := range t.entries {
		if e.pkg == pkg {
			list = append(list, e)
		}
	}
	slices.SortFunc(list, func(a, b *entry) int { return strings.Compare(a.path, b.path) })
	return list
}

// target is the path that a symbolic link names.
func (e *entry) target() string {
	if path.IsAbs(e.link) {
		return mergeUsr(e.link)
	}
	return mergeUsr(path.Join(path.Dir(e.path), e.link))
}

// resolve follows symbolic links, also of directories, to a regular file. It
// returns nil if there is none.
func (t *tree) resolve(p string) *entry {
	p = mergeUsr(p)
	for range 40 { // the kernel's own limit (path_resolution(7))
		if e := t.entries[p]; e != nil {
			if e.link == "" {
				return e
			}
			p = e.target()
			continue
		}
		next := t.throughDir(p)
		if next == "" {
			return nil
		}
		p = next
	}
	return nil
}

// throughDir replaces a directory of p that is a symbolic link.
func (t *tree) throughDir(p string) string {
	for dir := path.Dir(p); dir != "/"; dir = path.Dir(dir) {
		if e := t.entries[dir]; e != nil && e.link != "" {
			return mergeUsr(e.target() + strings.TrimPrefix(p, dir))
		}
	}
	return ""
}
