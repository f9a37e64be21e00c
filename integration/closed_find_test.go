package integration

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/sync/errgroup"
)

// needles are the forms in which secrets could be somewhere.
func needles(user, password, authority, comment, certificate string) map[string][]byte {
	lines := strings.Split(certificate, "\n")
	block, _ := pem.Decode([]byte(certificate))
	found := map[string][]byte{
		"the user":                       []byte(user),
		"the password":                   []byte(password),
		"the password, for a header":     []byte(base64.StdEncoding.EncodeToString([]byte(user + ":" + password))),
		"the password, for npm":          []byte(base64.StdEncoding.EncodeToString([]byte(password))),
		"the password, in an address":    []byte(url.UserPassword(user, password).String()),
		"the name of the CA":             []byte(authority),
		"the bundle of certificates":     []byte(comment),
		"the CA's certificate, PEM":      []byte(lines[len(lines)/2]),
		"the CA's certificate, as bytes": block.Bytes[len(block.Bytes)/2 : len(block.Bytes)/2+32],
	}
	return found
}

// window is what find looks at at once.
type window [1 << 20]byte

// windows are those that find has no use for at the moment: most files are far smaller.
var windows = sync.Pool{New: func() any { return new(window) }}

// find reads to the end, and names the needles that are there. What begins as a
// gzip or zstd stream is searched unpacked as well.
func find(r io.Reader, needles map[string][]byte) ([]string, error) {
	longest := 0
	for _, n := range needles {
		longest = max(longest, len(n))
	}
	found := map[string]bool{}
	w := windows.Get().(*window)
	defer windows.Put(w)
	buf, kept := w[:], 0
	for first := true; ; first = false {
		n, err := io.ReadFull(r, buf[kept:])
		filled := buf[:kept+n]
		if first {
			if unpacked := unpack(filled, r); unpacked != nil {
				return find(unpacked, needles)
			}
		}
		for what, needle := range needles {
			if !found[what] && bytes.Contains(filled, needle) {
				found[what] = true
			}
		}
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return slices.Sorted(maps.Keys(found)), nil
		case err != nil:
			return nil, err
		}
		kept = copy(buf, filled[len(filled)-longest:])
	}
}

// unpack is what a packed stream, head and then rest, holds, or nil for any other.
func unpack(head []byte, rest io.Reader) io.Reader {
	whole := io.MultiReader(bytes.NewReader(head), rest)
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b, 8}):
		if z, err := gzip.NewReader(whole); err == nil {
			return z
		}
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		if z, err := zstd.NewReader(whole, zstd.WithDecoderConcurrency(1)); err == nil {
			return z
		}
	}
	return nil
}

// search looks for needles in images and directories, at what it has seen not
// again: blobs by digest, files by inode. It may look at several things at once.
type search struct {
	needles  map[string][]byte
	mu       sync.Mutex
	seen     map[string]bool
	attested int // images whose provenance knows the steps of the build
	found    []string
	expected string // what may be found, where a test wants to see that it looks at the right things
}

// report fails a test for what was found somewhere.
func (s *search) report(t *testing.T, where string, found []string) {
	t.Helper()
	for _, what := range found {
		if what != s.expected {
			t.Errorf("%s holds %s", where, what)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.found = append(s.found, found...)
}

// first says whether something is met for the first time.
func (s *search) first(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := s.seen[id]
	s.seen[id] = true
	return !seen
}

// image searches all that an image's name leads to.
func (s *search) image(t *testing.T, image string) {
	t.Helper()
	ref, err := name.ParseReference(image, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	index, err := remote.Index(ref)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := index.RawManifest()
	s.bytes(t, image, raw, err)
	m, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range m.Manifests {
		img, err := index.Image(d.Digest)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := img.RawManifest()
		s.bytes(t, image+": a manifest", raw, err)
		raw, err = img.RawConfigFile()
		s.bytes(t, image+": a config", raw, err)
		layers, err := img.Layers()
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range layers {
			s.layer(t, image, l)
		}
	}
}

func (s *search) layer(t *testing.T, image string, l v1.Layer) {
	t.Helper()
	digest, err := l.Digest()
	if err != nil {
		t.Fatal(err)
	}
	first := s.first(digest.Hex)
	kind, err := l.MediaType()
	if err != nil {
		t.Fatal(err)
	}
	if !first && kind.IsLayer() {
		return
	}
	rc, err := l.Compressed()
	if err != nil {
		t.Fatal(err)
	}
	defer rc.Close()
	if !kind.IsLayer() {
		b, err := io.ReadAll(rc)
		s.bytes(t, image+": an attestation", b, err)
		if bytes.Contains(b, []byte("https://slsa.dev/provenance/")) && bytes.Contains(b, []byte("oh-seal")) {
			s.attested++
		}
		return
	}
	s.read(t, image+": layer "+digest.String(), rc)
}

func (s *search) bytes(t *testing.T, where string, b []byte, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", where, err)
	}
	s.read(t, where, bytes.NewReader(b))
}

func (s *search) read(t *testing.T, where string, r io.Reader) {
	t.Helper()
	found, err := find(r, s.needles)
	if err != nil {
		t.Fatalf("%s: %v", where, err)
	}
	s.report(t, where, found)
}

// dir searches the files below a directory, and their names. It gives the
// number of files.
func (s *search) dir(t *testing.T, dir string) int {
	t.Helper()
	count := 0
	var work errgroup.Group
	work.SetLimit(runtime.GOMAXPROCS(0))
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		s.bytes(t, "the name "+name, []byte(name), nil)
		if d.Type()&fs.ModeSymlink != 0 {
			target, err := os.Readlink(name)
			s.bytes(t, "the link "+name, []byte(target), err)
			return nil
		}
		if !d.Type().IsRegular() {
			return nil
		}
		count++
		work.Go(func() error { return s.file(t, name) })
		return nil
	})
	if err := errors.Join(err, work.Wait()); err != nil {
		t.Fatal(err)
	}
	return count
}

func (s *search) file(t *testing.T, name string) error {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	stat := info.Sys().(*syscall.Stat_t)
	isBlob := strings.HasSuffix(filepath.Dir(name), "/blobs/sha256")
	if !s.first(fmt.Sprint(stat.Dev, " ", stat.Ino)) || isBlob && !s.first(filepath.Base(name)) {
		return nil
	}
	found, err := find(f, s.needles)
	if err != nil { // begins like a packed stream and is none: tests of packers
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return err
		}
		found, err = find(io.MultiReader(strings.NewReader("-"), f), s.needles)
	}
	s.report(t, name, found)
	return err
}

// The search finds what it is for.
func TestFindSecrets(t *testing.T) {
	n := map[string][]byte{"the secret": []byte("hunter2-of-the-search")}
	noise := bytes.Repeat([]byte("0123456789abcdef"), 200_000)
	for name, cut := range map[string]int{"beginning": 0, "end": len(noise), "border": 1<<20 - 7} {
		planted := slices.Concat(noise[:cut], n["the secret"], noise[cut:])
		var zipped, zstandard bytes.Buffer
		z := gzip.NewWriter(&zipped)
		s, err := zstd.NewWriter(&zstandard)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range []io.WriteCloser{z, s} {
			if _, err := w.Write(planted); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
		}
		for form, content := range map[string][]byte{"plain": planted, "gzip": zipped.Bytes(), "zstd": zstandard.Bytes()} {
			found, err := find(bytes.NewReader(content), n)
			if err != nil || len(found) != 1 {
				t.Errorf("at the %s of what is %s: found %q, %v", name, form, found, err)
			}
		}
	}
	if found, err := find(bytes.NewReader(noise), n); err != nil || len(found) != 0 {
		t.Errorf("found %q in noise, %v", found, err)
	}
}
