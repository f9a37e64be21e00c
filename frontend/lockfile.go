package frontend

import (
	"context"
	"path"
	"strings"
	"sync/atomic"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/frontend/gateway/client"
	digest "github.com/opencontainers/go-digest"

	"github.com/openhands/llb-frontend/frontend/lock"
	ohllb "github.com/openhands/llb-frontend/llb"
)

// lockFile is the lock beside the spec.
type lockFile struct {
	source *llb.SourceMap
	// lock is nil where there is no file, or one with mistakes: err has them.
	lock *lock.Lock
	err  error
	// fromContext says that it is not beside the spec, but in a build context.
	fromContext bool
}

// lockPath is where the lock of a spec is, below the same root, and listPath where
// the list of bases is.
func lockPath(spec string) string { return path.Join(path.Dir(spec), lock.Name) }
func listPath(spec string) string { return path.Join(path.Dir(spec), lock.ListName) }

// besideSpec asks for the lock together with the spec: one transfer for both.
// The others are what dockerui asks for by itself.
func besideSpec(spec string) llb.LocalOption {
	if spec == "" {
		spec = dockerui.DefaultDockerfileName
	}
	paths := []string{spec, spec + ".dockerignore", lockPath(spec), listPath(spec)}
	if dir, name := path.Split(spec); name == dockerui.DefaultDockerfileName {
		paths = append(paths, dir+strings.ToLower(name))
	}
	return llb.FollowPaths(paths)
}

// recorder is a client that knows its last result. dockerui keeps the one that it
// reads the spec from to itself, and solving the same again is one more request.
type recorder struct {
	client.Client
	last atomic.Pointer[client.Result]
}

// Solve solves, and remembers the result.
func (c *recorder) Solve(ctx context.Context, req client.SolveRequest) (*client.Result, error) {
	res, err := c.Client.Solve(ctx, req)
	c.last.Store(res)
	return res, err
}

// readBeside reads the lock and the list of bases from where the spec has been
// read: the client's directory, or a commit. A lock that the request brings as a
// build context wins.
func (r *request) readBeside(ctx context.Context, source *client.Result) error {
	ref, err := source.SingleRef()
	if err != nil {
		return err
	}
	if err := r.readList(ctx, ref); err != nil {
		return err
	}
	if ok, err := r.lockOfContext(ctx); ok || err != nil {
		return err
	}
	name := lockPath(r.src.Filename)
	data, err := readIfThere(ctx, ref, name)
	if data != nil {
		r.locked = parseLock(name, data, r.src.State, r.src.Definition)
	}
	return err
}

func parseLock(name string, data []byte, st *llb.State, def *llb.Definition) lockFile {
	f := lockFile{source: llb.NewSourceMap(st, name, "YAML", data)}
	f.source.Definition = def
	f.lock, f.err = lock.Parse(name, data)
	return f
}

// readIfThere reads a file; nil means that there is none.
func readIfThere(ctx context.Context, ref client.Reference, name string) ([]byte, error) {
	data, err := dockerui.ReadFile(ctx, ref, name)
	if err != nil && isNotExist(err) {
		return nil, nil
	}
	if data == nil {
		data = []byte{}
	}
	return data, err
}

// snapshot is the time that the lock has for packages of an image, unless a
// context of the request stands for it.
func (r *request) snapshot(img ohllb.Image) string {
	if !img.Registry {
		return ""
	}
	return r.locked.lock.Snapshot(img.Ref)
}

// lockedDigest is what the lock says of a download.
func (r *request) lockedDigest(name string) digest.Digest {
	dgst, _ := r.locked.lock.Download(name)
	return dgst
}

// pinnedByLock is a reference by the digest that the lock has for it, or as it is.
func (r *request) pinnedByLock(ref string) (string, error) {
	dgst, ok := r.locked.lock.Image(ref)
	if !ok {
		return ref, nil
	}
	return pin(ref, dgst)
}
