package frontend

import (
	"context"
	"io/fs"

	"github.com/containerd/platforms"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/openhands/llb-frontend/frontend/lock"
	ohllb "github.com/openhands/llb-frontend/llb"
	"github.com/openhands/llb-frontend/llb/identity"
)

// lockedFacts are a base's facts as the lock has them: nil where it has not, or
// not all that the spec asks for. Packages change the file system, so then it is
// read.
func (r *request) lockedFacts(in ohllb.Input) *ohllb.Facts {
	if in.Packages != nil || !in.Base.Registry {
		return nil
	}
	known, ok, _ := r.locked.lock.Base(in.Base.Digest, platformName(in.Platform))
	if !ok || !r.covers(known, in.Platform) {
		return nil
	}
	return factsOf(known)
}

func platformName(p ocispecs.Platform) string { return platforms.Format(platforms.Normalize(p)) }

// covers tells whether facts of a lock answer all that composition asks: another
// working_dir is another path to look up.
func (r *request) covers(known lock.Facts, p ocispecs.Platform) bool {
	complete := true
	lstat := func(name string) (ohllb.Entry, bool, error) {
		f, looked := known.Files[name]
		complete = complete && looked
		if f == nil {
			return ohllb.Entry{}, false, nil
		}
		return entryOf(f), true, nil
	}
	paths := ohllb.FactPaths(&r.doc.Spec, p.Architecture, accountsOf(known))
	for _, name := range append(paths, "/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow") {
		// A path that leads nowhere is the business of composition.
		_, _, _ = ohllb.Walk(name, lstat)
	}
	return complete
}

func factsOf(known lock.Facts) *ohllb.Facts {
	facts := &ohllb.Facts{
		Entries:      map[string]ohllb.Entry{},
		Accounts:     accountsOf(known),
		Distribution: known.Distribution,
	}
	for name, f := range known.Files {
		if f != nil {
			facts.Entries[name] = entryOf(f)
		}
	}
	return facts
}

func entryOf(f *lock.File) ohllb.Entry {
	return ohllb.Entry{Mode: f.Mode, UID: f.UID, GID: f.GID, Linkname: f.Linkname, Xattrs: f.Xattrs}
}

func accountsOf(known lock.Facts) identity.Files {
	a := known.Accounts
	return identity.Files{Passwd: a["passwd"], Group: a["group"], Shadow: a["shadow"], GShadow: a["gshadow"]}
}

// lockFacts reads a base for a lock.
func (r *request) lockFacts(ctx context.Context, in ohllb.Input) (lock.Facts, error) {
	rd, err := r.readFacts(ctx, in)
	if err != nil {
		return lock.Facts{}, err
	}
	release, err := rd.file(ctx, osRelease)
	if err != nil {
		return lock.Facts{}, err
	}
	known := lock.Facts{Distribution: distribution(release), Files: map[string]*lock.File{}, Accounts: map[string][]byte{}}
	for name, e := range rd.facts.Entries {
		known.Files[name] = lockFileOf(e)
	}
	for name := range rd.missing {
		known.Files[name] = nil
	}
	a := rd.facts.Accounts
	for name, data := range map[string][]byte{"passwd": a.Passwd, "group": a.Group, "shadow": a.Shadow, "gshadow": a.GShadow} {
		if data != nil {
			known.Accounts[name] = data
		}
	}
	return known, nil
}

// lockFileOf leaves out what nobody asks: sockets and devices are all alike.
func lockFileOf(e ohllb.Entry) *lock.File {
	if e.Mode&fs.ModeSymlink != 0 {
		return &lock.File{Mode: fs.ModeSymlink | fs.ModePerm, Linkname: e.Linkname}
	}
	if t := e.Mode.Type(); t != 0 && t != fs.ModeDir {
		e.Mode = e.Mode&^fs.ModeType | fs.ModeIrregular
	}
	return &lock.File{Mode: e.Mode, UID: e.UID, GID: e.GID, Xattrs: e.Xattrs}
}
