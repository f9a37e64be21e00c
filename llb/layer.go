package llb

import (
	"fmt"
	"io/fs"
	"path"

	"github.com/moby/buildkit/client/llb"
)

// layer collects the files of the identity layer. Without facts it only takes
// fresh top-level directories.
type layer struct {
	facts *Facts
	base  llb.State
	// links is where symlinks are copied from; nil where the engine makes them.
	links *llb.State
	// copied says that the layer is copied onto the base, without MergeOp: then
	// directories of the base keep their extended attributes by themselves.
	copied bool

	file *llb.FileAction
	dirs map[string]bool
	// kept are directories that have been repeated as the base has them.
	kept map[string]bool
}

func newLayer(in Input) *layer {
	facts := in.Facts
	if facts == nil {
		facts = &Facts{}
	}
	return &layer{facts: facts, base: in.root(), links: in.Links, copied: in.NoMerge, dirs: map[string]bool{"/": true}, kept: map[string]bool{"/": true}}
}

func (l *layer) add(a *llb.FileAction, chain func(*llb.FileAction) *llb.FileAction) {
	if l.file == nil {
		l.file = a
		return
	}
	l.file = chain(l.file)
}

// state is the layer: what was collected, on scratch. It is copied once, inside
// the same vertex: writing a file changes the times of its directory, and only
// a copy sets them last.
func (l *layer) state(created llb.CreatedTime, opts []llb.ConstraintsOpt) llb.State {
	info := &llb.CopyInfo{CopyDirContentsOnly: true}
	return llb.Scratch().File(llb.Copy(l.file.WithState(llb.Scratch()), "/", "/", info, created), opts...)
}

// owned is mode and owner of a file to be written.
type owned struct {
	mode     fs.FileMode // permission bits, with setgid and sticky in Go's form
	uid, gid int
}

// dir makes a directory with this owner; one that the base has keeps its mode.
func (l *layer) dir(p string, o owned) error {
	real, ok, err := l.facts.place(p)
	if err != nil {
		return err
	}
	if err := l.parents(real); err != nil {
		return err
	}
	e := l.facts.Entries[real]
	if ok && !e.Mode.IsDir() {
		return fmt.Errorf("%q is not a directory in the base image", p)
	}
	if ok {
		o.mode = e.Mode
	}
	if l.kept[real] && real != path.Clean(p) && e.UID != o.uid {
		return fmt.Errorf("%q leads to %q in the base image, which keeps its owner: %s", p, real, leadElsewhere)
	}
	l.mkdir(real, o, e.Xattrs)
	return nil
}

// write makes a file; of one that the base has, mode and owner are kept.
func (l *layer) write(p string, o owned, data []byte) error {
	real, ok, err := l.facts.place(p)
	if err != nil {
		return err
	}
	if err := l.parents(real); err != nil {
		return err
	}
	if e := l.facts.Entries[real]; ok {
		o = owned{mode: e.Mode, uid: e.UID, gid: e.GID}
	}
	owner := llb.WithUIDGID(o.uid, o.gid)
	l.add(llb.Mkfile(real, o.mode.Perm(), data, owner), func(f *llb.FileAction) *llb.FileAction {
		return f.Mkfile(real, o.mode.Perm(), data, owner)
	})
	return nil
}

// symlink makes a symlink where the base has no such file.
func (l *layer) symlink(p, target string) error {
	real, ok, err := l.facts.resolve(p)
	if err != nil || ok {
		return err
	}
	if err := l.parents(real); err != nil {
		return err
	}
	owner := llb.WithUIDGID(0, 0)
	if l.links != nil {
		l.add(llb.Copy(*l.links, LinksDir+target, real, owner), func(f *llb.FileAction) *llb.FileAction {
			return f.Copy(*l.links, LinksDir+target, real, owner)
		})
		return nil
	}
	l.add(llb.Symlink(target, real, owner), func(f *llb.FileAction) *llb.FileAction {
		return f.Symlink(target, real, owner)
	})
	return nil
}

// parents repeats the directories above a real path as the base has them, and
// makes the missing ones as root's.
func (l *layer) parents(real string) error {
	dir := path.Dir(real)
	if l.dirs[dir] {
		return nil
	}
	if err := l.parents(dir); err != nil {
		return err
	}
	e, ok := l.facts.Entries[dir]
	if !ok {
		l.mkdir(dir, owned{mode: 0o755}, false)
		return nil
	}
	if !e.Mode.IsDir() {
		return fmt.Errorf("%q is not a directory in the base image", dir)
	}
	l.mkdir(dir, owned{mode: e.Mode, uid: e.UID, gid: e.GID}, e.Xattrs)
	l.kept[dir] = true
	return nil
}

// mkdir writes one directory. Mkdir cannot express setgid, sticky or extended
// attributes; a copy of a directory's own entry can.
func (l *layer) mkdir(real string, o owned, xattrs bool) {
	if l.dirs[real] {
		return
	}
	l.dirs[real] = true
	xattrs = xattrs && !l.copied
	owner := llb.WithUIDGID(o.uid, o.gid)
	if !xattrs && o.mode&(fs.ModeSetuid|fs.ModeSetgid|fs.ModeSticky) == 0 {
		l.add(llb.Mkdir(real, o.mode.Perm(), owner), func(f *llb.FileAction) *llb.FileAction {
			return f.Mkdir(real, o.mode.Perm(), owner)
		})
		return
	}
	from := llb.Mkdir("/dir", 0o755).WithState(llb.Scratch())
	src := "/dir"
	info := &llb.CopyInfo{Mode: &llb.ChmodOpt{Mode: fs.FileMode(unixMode(o.mode))}}
	if xattrs {
		from, src = l.base, real
		info.ExcludePatterns = []string{"*"}
	}
	l.add(llb.Copy(from, src, real, info, owner), func(f *llb.FileAction) *llb.FileAction {
		return f.Copy(from, src, real, info, owner)
	})
}

// unixMode gives the twelve permission bits of chmod(2).
func unixMode(m fs.FileMode) uint32 {
	mode := uint32(m.Perm())
	if m&fs.ModeSetuid != 0 {
		mode |= 0o4000
	}
	if m&fs.ModeSetgid != 0 {
		mode |= 0o2000
	}
	if m&fs.ModeSticky != 0 {
		mode |= 0o1000
	}
	return mode
}
