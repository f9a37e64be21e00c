package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/openhands/llb-frontend/llb/seal"
)

// output is the plan of a component: what comes to which path.
type output struct {
	arch  seal.Arch
	libs  []string        // roots of the components below
	items map[string]item // by path in the image
	at    map[*entry]string
	moves []move
	hits  map[hit]int // how often a path was replaced in a package's files
	must  []hit       // which must have been
	// madeOf are packages of which the component has something that is no item's src.
	madeOf []string

	elf, sealed int // counted by write
}

// item is one file of the output: from the tree, or made up (data or link).
type item struct {
	src  *entry
	data []byte
	link string
	exec bool
	// moved says that the file belongs to a package whose data directories
	// are moved, and may name them.
	moved bool
}

// move is a path of the distribution and its place below /openhands, of equal
// length.
type move struct{ from, to string }

type hit struct{ pkg, path string }

func newOutput(arch seal.Arch, libs ...string) *output {
	return &output{arch: arch, libs: libs, items: map[string]item{}, at: map[*entry]string{}, hits: map[hit]int{}}
}

// place gives an entry of the tree its path.
func (o *output) place(p string, it item) error {
	if old, taken := o.items[p]; taken && old.src != nil && it.src != nil && old.src != it.src {
		return fmt.Errorf("%s and %s both want to be %s", old.src.path, it.src.path, p)
	}
	o.items[p] = it
	if it.src != nil {
		o.at[it.src] = p
	}
	return nil
}

func (o *output) drop(p string) {
	delete(o.at, o.items[p].src)
	delete(o.items, p)
}

// paths returns the planned paths in order.
func (o *output) paths() []string {
	return slices.Sorted(maps.Keys(o.items))
}

// links points every symbolic link of the tree to the place of its target, and
// drops those whose target stays behind. Links to /etc stay as they are: they
// mean the image's own configuration.
func (o *output) links(t *tree) (dropped []string) {
	for again := true; again; { // a dropped link may be another's target
		again = false
		for _, p := range o.paths() {
			it := o.items[p]
			if it.src == nil || it.src.link == "" || strings.HasPrefix(it.src.target(), "/etc/") {
				continue
			}
			if _, ok := o.linkTarget(t, it.src); !ok {
				dropped = append(dropped, path.Base(p))
				o.drop(p)
				again = true
			}
		}
	}
	for _, p := range o.paths() {
		it := o.items[p]
		if it.src == nil || it.src.link == "" {
			continue
		}
		it.link = it.src.link
		if to, ok := o.linkTarget(t, it.src); ok {
			it.link = relative(path.Dir(p), to)
		}
		o.items[p] = it
	}
	slices.Sort(dropped)
	return dropped
}

// linkTarget finds the new place of a link's target: of the very path that it
// names, of the file at the end of the chain, or of a directory that was kept.
func (o *output) linkTarget(t *tree, e *entry) (string, bool) {
	if next := t.entries[e.target()]; next != nil {
		if p, ok := o.at[next]; ok {
			return p, true
		}
	}
	if end := t.resolve(e.path); end != nil {
		p, ok := o.at[end]
		return p, ok
	}
	// A directory is where its files went; of several places (tmux is apart
	// from other programs) the last in order, whatever the map's order.
	found := ""
	for kept, p := range o.at {
		if inside, ok := strings.CutPrefix(kept.path, e.target()+"/"); ok {
			if dir, ok := strings.CutSuffix(p, "/"+inside); ok {
				found = max(found, dir)
			}
		}
	}
	return found, found != ""
}

// relative is the shortest link from a directory to a path; both are absolute.
func relative(dir, to string) string {
	for up := ""; ; up += "../" {
		if rest, ok := strings.CutPrefix(to, strings.TrimSuffix(dir, "/")+"/"); ok {
			return up + rest
		}
		dir = path.Dir(dir)
	}
}

// inspect reads the ELF headers of a file of the tree.
func (o *output) inspect(e *entry) (seal.File, error) {
	r, err := os.Open(e.data.disk)
	if err != nil {
		return seal.File{}, err
	}
	defer r.Close()
	f, err := seal.Inspect(r, o.arch)
	if err != nil {
		return f, fmt.Errorf("%s: %w", e.path, err)
	}
	return f, nil
}

// finished returns the bytes that an item has in the component: moved paths
// replaced, ELF sealed.
func (o *output) finished(it item) (b []byte, f seal.File, changed bool, err error) {
	if it.src == nil {
		return it.data, seal.File{}, false, nil
	}
	if b, err = os.ReadFile(it.src.data.disk); err != nil {
		return nil, f, false, err
	}
	if it.moved {
		for _, m := range o.moves {
			n, err := seal.ReplacePath(b, m.from, m.to)
			if err != nil {
				return nil, f, false, err
			}
			o.hits[hit{it.src.pkg, m.from}] += n
		}
	}
	if f, err = seal.Inspect(bytes.NewReader(b), o.arch); err == nil {
		changed, err = seal.Seal(b, f, o.arch)
	}
	if err != nil {
		return nil, f, false, fmt.Errorf("%s: %w", it.src.path, err)
	}
	return b, f, changed, nil
}
