package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/openhands/llb-frontend/llb/seal"
)

// closure adds every library that the planned ELF files need, directly or not,
// and that the components below lack. It returns the names of the added
// libraries.
func (o *output) closure(t *tree) (added []string, err error) {
	queue := o.paths()
	for len(queue) > 0 {
		e := o.items[queue[0]].src
		queue = queue[1:]
		if e == nil || e.data == nil {
			continue
		}
		f, err := o.inspect(e)
		if err != nil {
			return nil, err
		}
		for _, name := range f.Needed {
			p, err := o.require(t, e, f, name)
			if err != nil {
				return nil, err
			}
			if p != "" {
				added = append(added, name)
				queue = append(queue, p)
			}
		}
	}
	slices.Sort(added)
	return added, nil
}

// require sees to one needed library and returns its path if it was added.
func (o *output) require(t *tree, from *entry, f seal.File, name string) (string, error) {
	p := path.Join(o.arch.LibDir(), path.Base(name))
	if _, planned := o.items[p]; planned || name == o.arch.Loader {
		return "", nil
	}
	e, beside := o.find(t, from, f, name)
	switch {
	case beside, e == nil && (anyHas(o.libs, p) || forMusl(name) || o.elsewhere(name)):
		return "", nil // or for checkTree to tell of
	case e == nil:
		return "", fmt.Errorf("%s needs the library %s, which none of its dependencies holds", from, name)
	}
	it := item{src: e}
	has, err := o.provided(p, it)
	if has || err != nil {
		return "", err
	}
	return p, o.place(p, it)
}

// forMusl says that a library is musl's libc: wheels and node packages bring
// modules for both C libraries and load the one that fits.
func forMusl(library string) bool { return strings.HasPrefix(library, "libc.musl-") }

// elsewhere says whether a library lies where its user's search directories do
// not lead. It may be loaded before by another, as Python packages do with
// libraries that they share.
func (o *output) elsewhere(name string) bool {
	for p := range o.items {
		if path.Base(p) == name {
			return true
		}
	}
	return false
}

// find looks for a library as the loader would (ld.so(8)): DT_RUNPATH first,
// then the distribution's directories. A library that is kept in a directory
// below /openhands or relative to $ORIGIN is found there at run time too.
func (o *output) find(t *tree, from *entry, f seal.File, name string) (e *entry, beside bool) {
	if strings.Contains(name, "/") { // a path is taken as it is
		e := t.resolve(name)
		_, kept := o.at[e]
		return e, kept
	}
	for _, dir := range f.Runpath {
		if e := t.resolve(path.Join(expandOrigin(dir, path.Dir(from.path)), name)); e != nil {
			_, kept := o.at[e]
			return e, kept && seal.Inside(dir)
		}
	}
	for _, dir := range []string{"/usr/lib/" + o.arch.Triplet, "/usr/lib"} {
		if e := t.resolve(path.Join(dir, name)); e != nil {
			return e, false
		}
	}
	return nil, false
}

func expandOrigin(dir, origin string) string {
	return strings.NewReplacer("$ORIGIN", origin, "${ORIGIN}", origin).Replace(dir)
}

// provided says whether a component below has the file. It must then be the
// same: components of one image share a distribution.
func (o *output) provided(p string, it item) (bool, error) {
	for _, lib := range o.libs {
		theirs, err := os.ReadFile(filepath.Join(lib, p))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return false, err
		}
		ours, _, _, err := o.finished(it)
		if err != nil {
			return false, err
		}
		if !bytes.Equal(ours, theirs) {
			return false, fmt.Errorf("%s differs from the lib component's %s: "+
				"build lib and tools with the same builder and the same state of its archive (--no-cache)", it.src, p)
		}
		return true, nil
	}
	return false, nil
}
