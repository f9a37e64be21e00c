package integration

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// member is an entry of a layer, as a tar has it: nothing keeps it from being
// what no tool would write.
type member struct {
	tar.Header
	data string
	// holes is the length of a file of zeros that takes no room in the tar.
	holes int64
}

func regular(name, data string) member {
	return member{Header: tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644}, data: data}
}

func directory(name string) member {
	return member{Header: tar.Header{Typeflag: tar.TypeDir, Name: name, Mode: 0o755}}
}

func symlink(name, target string) member {
	return member{Header: tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: target, Mode: 0o777}}
}

func hardLink(name, target string) member {
	return member{Header: tar.Header{Typeflag: tar.TypeLink, Name: name, Linkname: target, Mode: 0o644}}
}

func fifo(name string) member {
	return member{Header: tar.Header{Typeflag: tar.TypeFifo, Name: name, Mode: 0o644}}
}

func device(name string, kind byte, major, minor int64) member {
	return member{Header: tar.Header{Typeflag: kind, Name: name, Mode: 0o666, Devmajor: major, Devminor: minor}}
}

func sparse(name string, size int64) member {
	return member{Header: tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644}, holes: size}
}

func (m member) mode(mode int64) member {
	m.Mode = mode
	return m
}

// layerTar is the uncompressed layer.
func layerTar(t testing.TB, members []member) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, m := range members {
		if m.holes > 0 {
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
			b.Write(sparseMember(m))
			continue
		}
		h := m.Header
		h.Size, h.ModTime = int64(len(m.data)), time.Unix(1e9, 0)
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, m.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// sparseMember is a file of GNU's sparse format 1.0 with one hole and no data.
// archive/tar reads it, but does not write it ("The GNU tar manual", "Storing
// Sparse Files").
func sparseMember(m member) []byte {
	var records strings.Builder
	for _, kv := range []string{"GNU.sparse.major=1", "GNU.sparse.minor=0", "GNU.sparse.name=" + m.Name, fmt.Sprintf("GNU.sparse.realsize=%d", m.holes)} {
		n := len(kv) + len(" \n") + 2 // of two digits
		fmt.Fprintf(&records, "%d %s\n", n, kv)
	}
	holes := fmt.Sprintf("1\n%d\n0\n", m.holes) // one piece of data: nothing, at the end
	return slices.Concat(
		tarBlock('x', "PaxHeaders/"+m.Name, 0o644, records.String()),
		tarBlock(tar.TypeReg, "GNUSparseFile/"+m.Name, m.Mode, holes))
}

// tarBlock is a header and less than a block of data.
func tarBlock(kind byte, name string, mode int64, data string) []byte {
	b := make([]byte, 1024)
	field := func(at int, format string, args ...any) { copy(b[at:512], fmt.Sprintf(format, args...)) }
	size := len(data)
	if kind == tar.TypeReg {
		size = 512 // the list of holes fills its block
	}
	field(0, "%s", name)
	field(100, "%07o\x00%07o\x00%07o\x00%011o\x00%011o\x00        %c", mode, 0, 0, size, 0, kind)
	field(257, "ustar\x0000")
	sum := 0
	for _, c := range b[:512] {
		sum += int(c)
	}
	field(148, "%06o\x00 ", sum)
	copy(b[512:], data)
	return b
}

// hostileImage describes an image of the local registry.
type hostileImage struct {
	layers [][]member
	// config changes what a proper config would be.
	config func(*v1.ConfigFile)
	// rawConfig takes the config's place; nil leaves it.
	rawConfig []byte
}

// push puts the image into the local registry under a name.
func (h hostileImage) push(t testing.TB, to string) {
	t.Helper()
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	config := &v1.ConfigFile{OS: "linux", Architecture: "amd64", RootFS: v1.RootFS{Type: "layers"}}
	adds := make([]mutate.Addendum, len(h.layers))
	for i, members := range h.layers {
		data := layerTar(t, members)
		layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil },
			tarball.WithMediaType(types.OCILayer), tarball.WithCompressionLevel(1))
		if err != nil {
			t.Fatal(err)
		}
		adds[i] = mutate.Addendum{Layer: layer, MediaType: types.OCILayer, History: v1.History{CreatedBy: fmt.Sprintf("layer %d", i)}}
	}
	img, err := mutate.ConfigFile(img, config)
	if err == nil {
		img, err = mutate.Append(img, adds...)
	}
	if err == nil && h.config != nil {
		if config, err = img.ConfigFile(); err == nil {
			config = config.DeepCopy()
			h.config(config)
			img, err = mutate.ConfigFile(img, config)
		}
	}
	ref, refErr := name.ParseReference(to, name.Insecure)
	if err != nil || refErr != nil {
		t.Fatal(err, refErr)
	}
	if err := remote.Write(ref, img); err != nil {
		t.Fatal(err)
	}
	if h.rawConfig != nil {
		replaceConfig(t, ref, img, h.rawConfig)
	}
}

// replaceConfig lets the manifest of a pushed image name another config.
func replaceConfig(t testing.TB, ref name.Reference, img v1.Image, config []byte) {
	t.Helper()
	blob := static.NewLayer(config, types.OCIConfigJSON)
	digest, err := blob.Digest()
	if err != nil {
		t.Fatal(err)
	}
	m, err := img.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	m = m.DeepCopy()
	m.Config.Digest, m.Config.Size = digest, int64(len(config))
	raw, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.WriteLayer(ref.Context(), blob); err != nil {
		t.Fatal(err)
	}
	if err := remote.Put(ref, rawManifest(raw)); err != nil {
		t.Fatal(err)
	}
}

type rawManifest []byte

func (m rawManifest) RawManifest() ([]byte, error)        { return m, nil }
func (m rawManifest) MediaType() (types.MediaType, error) { return types.OCIManifestSchema1, nil }

// hostileRoot is a small root with accounts and other members in place of, or
// beside, its own. What lies below a member that is no directory goes with it.
func hostileRoot(others ...member) []member {
	own := []member{
		directory("etc"), regular("etc/passwd", rootPasswd), regular("etc/group", "root:x:0:\n"),
		regular("etc/shadow", "root:*:::::::\n").mode(0o640), regular("etc/os-release", "ID=hostile\n"),
		directory("home"), directory("usr"), directory("tmp").mode(0o1777),
	}
	own = slices.DeleteFunc(own, func(m member) bool {
		return slices.ContainsFunc(others, func(o member) bool {
			return o.Name == m.Name || o.Typeflag != tar.TypeDir && strings.HasPrefix(m.Name, o.Name+"/")
		})
	})
	return append(own, others...)
}

const rootPasswd = "root:x:0:0:root:/root:/bin/sh\n"
