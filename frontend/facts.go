package frontend

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/gateway/client"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	fstypes "github.com/tonistiigi/fsutil/types"

	ohllb "github.com/openhands/llb-frontend/llb"
)

// reader looks into a solved file system and records what it sees. The first
// look pulls the base's layers.
type reader struct {
	ref   client.Reference
	facts *ohllb.Facts
	// missing are paths that are known not to be there.
	missing map[string]bool
	// listed are directories of which all entries are known, huge those that have too
	// many for one message.
	listed map[string][]*fstypes.Stat
	huge   map[string]bool
}

func (r *request) reader(ctx context.Context, st llb.State, p ocispecs.Platform) (*reader, error) {
	rd := &reader{
		facts:   &ohllb.Facts{Entries: map[string]ohllb.Entry{}},
		missing: map[string]bool{},
		listed:  map[string][]*fstypes.Stat{},
		huge:    map[string]bool{},
	}
	if st.Output() == nil { // scratch holds nothing to read
		return rd, nil
	}
	ref, err := r.solve(ctx, st, p)
	rd.ref = ref
	return rd, err
}

// packages installs extra_deps.packages by the manager that the base has.
func (r *request) packages(ctx context.Context, in ohllb.Input) (*llb.State, error) {
	rd, err := r.reader(ctx, in.Base.State, in.Platform)
	if err != nil {
		return nil, err
	}
	if err := rd.look(ctx, ohllb.ManagerPaths()...); err != nil {
		return nil, err
	}
	release, err := rd.file(ctx, osRelease)
	if err != nil {
		return nil, err
	}
	rd.facts.Distribution = distribution(release)
	st, err := ohllb.InstallPackages(in, rd.facts)
	return &st, err
}

// facts are what composition must know of the file system that it merges onto:
// as the lock has them, or read, which pulls the base.
func (r *request) facts(ctx context.Context, in ohllb.Input) (*ohllb.Facts, error) {
	if facts := r.lockedFacts(in); facts != nil {
		return facts, nil
	}
	rd, err := r.readFacts(ctx, in)
	if err != nil {
		return nil, err
	}
	return rd.facts, nil
}

func (r *request) readFacts(ctx context.Context, in ohllb.Input) (*reader, error) {
	root := in.Base.State
	if in.Packages != nil {
		root = *in.Packages
	}
	rd, err := r.reader(ctx, root, in.Platform)
	if err != nil {
		return nil, err
	}
	a := &rd.facts.Accounts
	for _, f := range []struct {
		path string
		data *[]byte
	}{
		{"/etc/passwd", &a.Passwd}, {"/etc/group", &a.Group}, {"/etc/shadow", &a.Shadow}, {"/etc/gshadow", &a.GShadow},
	} {
		if *f.data, err = rd.file(ctx, f.path); err != nil {
			return nil, err
		}
	}
	return rd, rd.look(ctx, ohllb.FactPaths(&r.doc.Spec, in.Platform.Architecture, *a)...)
}

// look records all that stands on the way to some paths. A path that leads
// nowhere is no error yet: composition meets it again, and knows which key of
// the spec it is about.
func (rd *reader) look(ctx context.Context, paths ...string) error {
	for _, p := range paths {
		if _, _, err := rd.walk(ctx, p); errors.As(err, new(*readError)) {
			return err
		}
	}
	return nil
}

// readError is a failure to read a base, as opposed to what was found there.
type readError struct {
	path string
	error
}

func (e *readError) Error() string {
	if wrongBytes(e.error) {
		return fmt.Sprintf("read %s of the base image: %s: %v", e.path, wrongBytesRemedy, e.error)
	}
	return fmt.Sprintf("read %s of the base image: %v", e.path, e.error)
}
func (e *readError) Unwrap() error { return e.error }

func (rd *reader) walk(ctx context.Context, p string) (string, bool, error) {
	return ohllb.Walk(p, func(p string) (ohllb.Entry, bool, error) { return rd.lstat(ctx, p) })
}

const osRelease = "/etc/os-release"

// maxFile is what a file of a base may have to be read: some 20,000 accounts.
// Larger ones would be held several times over, and sent to the daemon with the
// graph.
const maxFile = 1 << 20

// file reads a file; nil means that there is none. What is no regular file is
// not opened: a FIFO never answers, and a device is the daemon's machine's.
func (rd *reader) file(ctx context.Context, p string) ([]byte, error) {
	real, ok, err := rd.walk(ctx, p)
	if err != nil || !ok {
		return nil, err
	}
	e := rd.facts.Entries[real]
	if !e.Mode.IsRegular() {
		return nil, fmt.Errorf("%q is %s in the base image, not a file: %s", p, e.Kind(), remedy(p))
	}
	if e.Size > maxFile {
		return nil, tooLarge(p, e.Size)
	}
	data, err := rd.ref.ReadFile(ctx, client.ReadRequest{Filename: real, Range: &client.FileRange{Length: maxFile + 1}})
	if err != nil {
		return nil, &readError{p, err}
	}
	if len(data) > maxFile { // BuildKit gives no size to a hard link
		return nil, tooLarge(p, int64(len(data)))
	}
	if data == nil {
		data = []byte{}
	}
	return data, nil
}

func tooLarge(p string, size int64) error {
	return fmt.Errorf("%q has %d bytes or more in the base image, and at most %d are read: %s", p, size, maxFile, remedy(p))
}

// remedy says what to do about a file of a base that cannot be read.
func remedy(p string) string {
	if p == osRelease {
		return "give the base a proper one"
	}
	return "give the base a proper one, or name the user by number, for which nothing is read"
}

// lstat asks for one entry of a directory: StatFile would follow a symlink.
func (rd *reader) lstat(ctx context.Context, p string) (ohllb.Entry, bool, error) {
	if e, ok := rd.facts.Entries[p]; ok {
		return e, true, nil
	}
	if rd.ref == nil || rd.missing[p] {
		return ohllb.Entry{}, false, nil
	}
	dir, name := path.Split(p)
	list, err := rd.entries(ctx, dir, name)
	if err != nil && !isNotExist(err) {
		return ohllb.Entry{}, false, &readError{p, err}
	}
	for _, st := range list {
		if path.Base(st.Path) == name {
			rd.facts.Entries[p] = entry(st)
			return rd.facts.Entries[p], true, nil
		}
	}
	rd.missing[p] = true
	return ohllb.Entry{}, false, nil
}

// entries lists a directory, or what of it has a name: the whole of those two that are
// asked for many names, which spares a request for each of them, and of others, which
// may be long, the one name.
func (rd *reader) entries(ctx context.Context, dir, name string) ([]*fstypes.Stat, error) {
	if list, ok := rd.listed[dir]; ok {
		return list, nil
	}
	if (dir == "/" || dir == "/etc/") && !rd.huge[dir] {
		list, err := rd.ref.ReadDir(ctx, client.ReadDirRequest{Path: dir})
		if err == nil {
			rd.listed[dir] = list
		}
		// gRPC's words: nobody's base has so many, but a hostile one.
		if rd.huge[dir] = err != nil && strings.Contains(err.Error(), "larger than max"); !rd.huge[dir] {
			return list, err
		}
	}
	return rd.ref.ReadDir(ctx, client.ReadDirRequest{Path: dir, IncludePattern: escapePattern(name)})
}

func entry(st *fstypes.Stat) ohllb.Entry {
	e := ohllb.Entry{
		Mode:     fs.FileMode(st.Mode),
		UID:      int(st.Uid),
		GID:      int(st.Gid),
		Size:     st.Size,
		Linkname: st.Linkname,
	}
	for k := range st.Xattrs {
		// SELinux labels are the daemon's host's, not the image's.
		if k != "security.selinux" {
			e.Xattrs = true
		}
	}
	return e
}

// escapePattern makes a file name an include pattern that matches it alone
// (patterns are those of .dockerignore).
func escapePattern(name string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `!`, `\!`).Replace(name)
}

// isNotExist knows a missing file by its text: over the gateway an error has
// no type of its own.
func isNotExist(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || strings.Contains(err.Error(), "no such file or directory")
}

// distribution is ID-VERSION_ID of os-release(5), "linux" where there is none.
func distribution(release []byte) string {
	var id, version string
	for line := range strings.Lines(string(release)) {
		k, v, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch v = strings.Trim(v, `"'`); k {
		case "ID":
			id = v
		case "VERSION_ID":
			version = v
		}
	}
	if id == "" {
		return "linux"
	}
	return strings.TrimSuffix(id+"-"+version, "-")
}
