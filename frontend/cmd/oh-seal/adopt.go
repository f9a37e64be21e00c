package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/openhands/llb-frontend/llb/seal"
)

// adopt seals the /openhands that somebody else has laid out below --out, adds
// the libraries that it needs and that it and the components below lack, and
// checks the whole. Its own libraries stay where they are and, but for search
// directories outside, as they are.
func adopt(opt options, say func(string, ...any)) error {
	top := filepath.Join(opt.out, "openhands")
	if info, err := os.Lstat(top); err != nil || !info.IsDir() {
		return errors.Join(fmt.Errorf("%s is no directory: lay out the component there first", top), err)
	}
	t := newTree(nil)
	if err := t.readDir(top, "/openhands"); err != nil {
		return err
	}
	if err := t.onlyInside(); err != nil {
		return err
	}
	o := newOutput(opt.arch, opt.libs...)
	for p, e := range t.entries {
		if err := o.place(p, item{src: e}); err != nil {
			return err
		}
	}
	if opt.from != "" { // before sealing changes what is compared
		var err error
		if o.madeOf, err = t.readRoot(opt.from); err != nil {
			return err
		}
	}
	sealed, err := o.sealInPlace(say)
	if err != nil {
		return err
	}
	added, err := o.closure(t)
	if err != nil {
		return err
	}
	if len(added) > 0 {
		say("libraries added: %s", strings.Join(added, " "))
	}
	paths, err := o.record(t)
	if err != nil {
		return err
	}
	for _, name := range added {
		paths = append(paths, filepath.Join(o.arch.LibDir(), name))
	}
	if err := o.writeMore(opt.out, paths); err != nil {
		return err
	}
	if err := normalize(top); err != nil {
		return err
	}
	say("sealed %s of the tree", count(sealed, "ELF file"))
	return checkComponent(opt.arch, append([]string{opt.out}, opt.libs...), say)
}

// writeMore writes planned items beside what is there.
func (o *output) writeMore(root string, paths []string) error {
	written := map[string]string{}
	for _, p := range paths {
		name := filepath.Join(root, p)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := o.writeItem(name, o.items[p], written); err != nil {
			return err
		}
	}
	return nil
}

// onlyInside refuses a tree that has a file together with another directory, by a
// hard link: sealing and normalizing would change it there too.
func (t *tree) onlyInside() error {
	names, links := map[fileID][]string{}, map[fileID]uint64{}
	for p, e := range t.entries {
		if e.data == nil {
			continue
		}
		info, err := os.Lstat(e.data.disk)
		if err != nil {
			return err
		}
		id, n := idOf(info)
		names[id], links[id] = append(names[id], p), n
	}
	var errs []error
	for id, list := range names {
		if links[id] > uint64(len(list)) {
			errs = append(errs, fmt.Errorf("%s is a hard link to a file outside: make a copy of it", slices.Min(list)))
		}
	}
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(errs...)
}

// sealInPlace seals what the headers of the planned files ask for. A program
// of another C library or machine is left alone: wheels and node packages bring
// some for all systems.
func (o *output) sealInPlace(say func(string, ...any)) (sealed int, err error) {
	for _, p := range o.paths() {
		e := o.items[p].src
		if e.data == nil {
			continue
		}
		n, why, err := o.sealFile(e.data.disk)
		if err != nil {
			return sealed, fmt.Errorf("%s: %w", p, err)
		}
		if why != "" {
			say("left alone: %s: %s", p, why)
		}
		sealed += n
	}
	return sealed, nil
}

func (o *output) sealFile(name string) (sealed int, why string, err error) {
	r, info, err := openRegular(name)
	if err != nil {
		return 0, "", err
	}
	defer r.Close()
	f, err := seal.Inspect(r, o.arch)
	if err != nil {
		return 0, "", err
	}
	edits, err := seal.Edits(f, o.arch)
	switch {
	case err != nil:
		return 0, err.Error(), nil
	case f.Kind == seal.Foreign:
		return 0, "for another machine, " + f.Machine, nil
	case len(edits) == 0:
		return 0, "", nil
	case info.Mode()&(fs.ModeSetuid|fs.ModeSetgid) != 0:
		return 0, "", errors.New("setuid or setgid: our loader must not get its rights; take the bit off")
	}
	return 1, "", overwrite(r, info, edits)
}
