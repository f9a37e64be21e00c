package integration

import (
	"archive/tar"
	"errors"
	"io"
	"path"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	ohllb "github.com/openhands/llb-frontend/llb"
	"github.com/openhands/llb-frontend/llb/identity"
)

// composed is an image as the registry has it.
type composed struct {
	img    v1.Image
	config *v1.ConfigFile
	digest []string // of the layers
	layers [][]member
	files  map[string]member // all layers applied, by clean absolute path
}

func compositionOf(t *testing.T, ref string) composed {
	t.Helper()
	c := composed{img: pulled(t, ref, "amd64"), files: map[string]member{"/": directory("/")}}
	c.config, c.digest = configOf(t, c.img), layers(t, c.img)
	ls, err := c.img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	for i, l := range ls {
		rc, err := l.Uncompressed()
		if err != nil {
			t.Fatal(err)
		}
		members := membersOf(t, rc)
		c.layers = append(c.layers, members)
		if through := c.apply(members); i > 0 && len(through) > 0 {
			t.Errorf("layer %d of %d writes through symlinks of those below: %q", i, len(ls), through)
		}
	}
	return c
}

// membersOf reads a layer; of files of more than 4 MB only the headers.
func membersOf(t *testing.T, rc io.ReadCloser) []member {
	t.Helper()
	defer rc.Close()
	var list []member
	for tr := tar.NewReader(rc); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		m := member{Header: *h}
		if h.Size < 4<<20 {
			data, err := io.ReadAll(tr)
			if err != nil {
				t.Fatal(err)
			}
			m.data = string(data)
		}
		list = append(list, m)
	}
}

// apply puts a layer on the files below (OCI image layer specification, "Applying
// Changesets"). It returns the members whose directory is a symlink there.
func (c *composed) apply(members []member) (through []string) {
	for _, m := range members {
		p := path.Clean("/" + m.Name)
		dir, base := path.Split(p)
		if d, ok := c.files[path.Clean(dir)]; ok && d.Typeflag == tar.TypeSymlink {
			through = append(through, p)
		}
		switch gone, whiteout := strings.CutPrefix(base, ".wh."); {
		case base == ".wh..wh..opq":
			c.remove(path.Clean(dir), false)
		case whiteout:
			c.remove(path.Join(dir, gone), true)
		default:
			if m.Typeflag != tar.TypeDir {
				c.remove(p, true)
			}
			if m.Typeflag == tar.TypeLink {
				m.data = c.files[path.Clean("/"+m.Linkname)].data
			}
			c.files[p] = m
		}
	}
	return through
}

// remove takes away what is below a path, and the path itself.
func (c *composed) remove(p string, itself bool) {
	for name := range c.files {
		if strings.HasPrefix(name, strings.TrimSuffix(p, "/")+"/") && name != "/" || itself && name == p {
			delete(c.files, name)
		}
	}
}

// at finds a file as a process in a container of the image does, through symlinks.
func (c *composed) at(p string) (m member, real string, ok bool) {
	real, ok, err := ohllb.Walk(p, func(p string) (ohllb.Entry, bool, error) {
		m, ok := c.files[p]
		return ohllb.Entry{Mode: m.FileInfo().Mode(), Linkname: m.Linkname}, ok, nil
	})
	return c.files[real], real, ok && err == nil
}

// read is a file's content.
func (c *composed) read(t *testing.T, p string) string {
	t.Helper()
	m, _, ok := c.at(p)
	if !ok || m.Typeflag != tar.TypeReg && m.Typeflag != tar.TypeLink {
		t.Errorf("%s is no file of the image: type %q, there: %t", p, m.Typeflag, ok)
	}
	return m.data
}

// keeps checks that the image has the layers of others at its bottom.
func (c *composed) keeps(t *testing.T, others []string) {
	t.Helper()
	if n := len(others); len(c.digest) < n || !slices.Equal(c.digest[:n], others) {
		t.Errorf("the layers are %q, want at the bottom %q", c.digest, others)
	}
}

// user checks that a named user is there, with its home and the workspace.
func (c *composed) user(t *testing.T) {
	t.Helper()
	account, ok := identity.Lookup([]byte(c.read(t, "/etc/passwd")), c.config.Config.User)
	if !ok || c.config.Config.User != "openhands" {
		t.Errorf("/etc/passwd has no account for USER %q", c.config.Config.User)
		return
	}
	for _, p := range []string{account.Home, "/workspace"} {
		m, real, ok := c.at(p)
		if !ok || m.Typeflag != tar.TypeDir || !account.Existed && m.Uid != int(account.UID) {
			t.Errorf("%s (%s) is not a directory of the user: %q of %d, there: %t", p, real, m.Typeflag, m.Uid, ok)
		}
	}
}

// openhands checks that /openhands is that of the small deps image.
func (c *composed) openhands(t *testing.T) {
	t.Helper()
	if top := c.files["/openhands"]; top.Typeflag != tar.TypeDir {
		t.Errorf("/openhands is %q -> %q, want a directory", top.Typeflag, top.Linkname)
	}
	for name, data := range map[string]string{"/openhands/tools/env": "env of ours", "/openhands/bin/oh-init": "init of ours"} {
		if got, real, ok := c.at(name); !ok || real != name || got.data != data {
			t.Errorf("%s is %q at %q, want %q", name, got.data, real, data)
		}
	}
	if env := c.config.Config.Env; !slices.ContainsFunc(env, func(kv string) bool { return strings.HasPrefix(kv, "PATH=/openhands/bin:") }) {
		t.Errorf("no PATH begins with /openhands/bin: %.300q", env)
	}
}

// clean checks that the layers from one on hold nothing of others.
func (c *composed) clean(t *testing.T, from int, secrets ...string) {
	t.Helper()
	for i := from; i < len(c.layers); i++ {
		for _, m := range c.layers[i] {
			for _, secret := range secrets {
				if strings.Contains(m.data, secret) {
					t.Errorf("layer %d has what is not the image's in %s: %q", i, m.Name, m.data)
				}
			}
		}
	}
}
