package frontend

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/moby/buildkit/frontend/gateway/client"

	"github.com/openhands/llb-frontend/frontend/spec"
	"github.com/openhands/llb-frontend/frontend/tags"
	ohllb "github.com/openhands/llb-frontend/llb"
)

// serverFiles are the files of a server that tags are about. They are empty where
// nothing has been read.
type serverFiles struct {
	tree tags.Tree
	// pyproject and lock are pyproject.toml, which names the version, and
	// poetry.lock; nil without one.
	pyproject, lock []byte
	// digest is over all that a checkout adds to the image; empty for a release,
	// which its version names.
	digest string
}

// version is the server's own.
func (f *serverFiles) version(server spec.Server) string {
	if v := tags.V0Version(f.pyproject); v != "" {
		return v
	}
	return server.Version
}

// serverFiles reads a server's project: from the checkout, the deps image or the
// release as the stages fetch it.
func (r *request) serverFiles(ctx context.Context, in ohllb.Input, server spec.Server) (*serverFiles, error) {
	f := &serverFiles{}
	st, dir, ok := in.ServerFiles()
	if !ok {
		return f, nil
	}
	ref, err := r.solve(ctx, st, in.Platform)
	if err != nil {
		return nil, err
	}
	rd := treeReader{ref: ref, root: dir, tree: &f.tree}
	parts := []string{"openhands", "pyproject.toml", "poetry.lock"}
	if in.Source != nil {
		parts = ohllb.SourcePatterns(server)
	}
	for _, part := range parts {
		if err := rd.add(ctx, part); err != nil {
			return nil, err
		}
	}
	if in.Source != nil {
		f.digest = f.tree.Digest()
	}
	pyproject := []string{"openhands/pyproject.toml", "pyproject.toml"}
	if server.Name == spec.ServerAgent {
		pyproject = []string{"openhands-sdk/pyproject.toml"}
	}
	if f.pyproject, err = rd.first(ctx, pyproject...); err != nil {
		return nil, err
	}
	f.lock, err = rd.first(ctx, "openhands/poetry.lock", "poetry.lock")
	return f, err
}

// treeReader reads files of a solved state, by paths below root.
type treeReader struct {
	ref  client.Reference
	root string
	tree *tags.Tree
}

// maxDepth ends a loop of symlinks.
const maxDepth = 64

// add adds a file, or all files below a directory, if there is one of that name.
// Symlinks are followed, as OpenHands does.
func (rd treeReader) add(ctx context.Context, name string) error {
	st, err := rd.ref.StatFile(ctx, client.StatRequest{Path: path.Join(rd.root, name)})
	switch {
	case err != nil && isNotExist(err):
		return nil
	case err != nil:
		return err
	case strings.Count(name, "/") > maxDepth:
		return fmt.Errorf("%.60s...: more than %d directories deep: a symlink leads to a directory above itself, remove it or list it in .dockerignore", name, maxDepth)
	case fs.FileMode(st.Mode).IsDir():
		return rd.addDir(ctx, name)
	case !fs.FileMode(st.Mode).IsRegular():
		return nil
	}
	return rd.addFile(ctx, name, fs.FileMode(st.Mode), st.Size)
}

func (rd treeReader) addDir(ctx context.Context, name string) error {
	list, err := rd.ref.ReadDir(ctx, client.ReadDirRequest{Path: path.Join(rd.root, name)})
	if err != nil {
		return err
	}
	for _, st := range list {
		below, mode := path.Join(name, path.Base(st.Path)), fs.FileMode(st.Mode)
		if mode.IsRegular() { // the listing says all of it
			err = rd.addFile(ctx, below, mode, st.Size)
		} else {
			err = rd.add(ctx, below)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (rd treeReader) addFile(ctx context.Context, name string, mode fs.FileMode, size int64) error {
	r := &fileReader{ctx: ctx, ref: rd.ref, name: path.Join(rd.root, name), size: size}
	if err := rd.tree.Add(name, mode&0o111 != 0, r); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return nil
}

// first reads the first of some files that is there.
func (rd treeReader) first(ctx context.Context, names ...string) ([]byte, error) {
	for _, name := range names {
		data, err := rd.ref.ReadFile(ctx, client.ReadRequest{Filename: path.Join(rd.root, name)})
		if err == nil {
			return data, nil
		}
		if !isNotExist(err) {
			return nil, err
		}
	}
	return nil, nil
}

// fileReader reads a file in parts: a message of the gateway is limited.
type fileReader struct {
	ctx  context.Context //nolint:containedctx // of one io.Copy
	ref  client.Reference
	name string
	size int64
	read int64
	part bytes.Reader
}

// maxPart is a part's size in bytes.
const maxPart = 4 << 20

func (f *fileReader) Read(p []byte) (int, error) {
	if f.part.Len() == 0 {
		if f.read >= f.size {
			return 0, io.EOF
		}
		req := client.ReadRequest{Filename: f.name}
		if f.size > maxPart {
			req.Range = &client.FileRange{Offset: int(f.read), Length: maxPart}
		}
		data, err := f.ref.ReadFile(f.ctx, req)
		if err != nil {
			return 0, err
		}
		if len(data) == 0 {
			return 0, errors.New("the file is shorter than its directory says")
		}
		f.read += int64(len(data))
		f.part.Reset(data)
	}
	return f.part.Read(p)
}
