package integration

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// fileTree is a tree by path.
type fileTree map[string]file

// file is all that a layer says of a file, in a form that can be compared.
type file struct {
	attributes string // type, mode, owner, time, target of a link
	size       int64
	sum        string // SHA-256
	machine    string // of an ELF file
}

func (f file) String() string {
	return fmt.Sprintf("%s, %d bytes, sha256 %.12s %s", f.attributes, f.size, f.sum, f.machine)
}

// readTree reads a tar. A hard link is another name of its file, whichever of
// the two comes first.
func readTree(r io.Reader) (fileTree, error) {
	files := fileTree{}
	for tr := tar.NewReader(r); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			_, err := io.Copy(io.Discard, r)
			return files, err
		}
		if err != nil {
			return nil, err
		}
		name := "/" + strings.Trim(h.Name, "/")
		if h.Typeflag == tar.TypeLink {
			files[name] = files["/"+strings.Trim(h.Linkname, "/")]
			continue
		}
		sum := sha256.New()
		var head bytes.Buffer
		size, err := io.Copy(io.MultiWriter(sum, &limited{&head, 64}), tr)
		if err != nil {
			return nil, err
		}
		files[name] = file{
			attributes: fmt.Sprintf("%v %d:%d %d %s%v", h.FileInfo().Mode(), h.Uid, h.Gid, h.ModTime.Unix(), h.Linkname, xattrs(h)),
			size:       size,
			sum:        hex.EncodeToString(sum.Sum(nil)),
			machine:    machineOf(head.Bytes()),
		}
	}
}

// xattrs are the extended attributes of a file.
func xattrs(h *tar.Header) []string {
	var list []string
	for _, k := range slices.Sorted(maps.Keys(h.PAXRecords)) {
		if strings.HasPrefix(k, "SCHILY.xattr.") {
			list = append(list, k+"="+h.PAXRecords[k])
		}
	}
	return list
}

// machineOf is the machine that an ELF header names.
func machineOf(head []byte) string {
	if len(head) < 20 || string(head[:4]) != elf.ELFMAG {
		return ""
	}
	number := uint16(head[18]) | uint16(head[19])<<8
	if elf.Data(head[elf.EI_DATA]) == elf.ELFDATA2MSB {
		number = uint16(head[19]) | uint16(head[18])<<8
	}
	return elf.Machine(number).String()
}

// limited writes only the first bytes.
type limited struct {
	w    io.Writer
	left int
}

func (l *limited) Write(p []byte) (int, error) {
	n := min(l.left, len(p))
	l.left -= n
	if _, err := l.w.Write(p[:n]); err != nil {
		return 0, err
	}
	return len(p), nil
}

// componentTree is what the layer of a component holds.
func componentTree(t *testing.T, img v1.Image, component string) fileTree {
	t.Helper()
	rc := componentLayer(t, img, component)
	defer rc.Close()
	files, err := readTree(rc)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// componentLayer is the tar of a component's layer. The history names it.
func componentLayer(t *testing.T, img v1.Image, component string) io.ReadCloser {
	t.Helper()
	ls, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	history := slices.DeleteFunc(configOf(t, img).History, func(h v1.History) bool { return h.EmptyLayer })
	i := slices.IndexFunc(history, func(h v1.History) bool { return h.CreatedBy == "openhands-frontend: "+component })
	if i < 0 {
		t.Fatalf("the image has no layer of %s", component)
	}
	rc, err := ls[i].Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	return rc
}

// compareTrees names every file that differs.
func compareTrees(t *testing.T, got, want fileTree) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if g, ok := got[name]; !ok {
			t.Errorf("%s: only native", name)
		} else if g != want[name] {
			t.Errorf("%s:\nemulated %v\nnative   %v", name, g, want[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[name]; !ok {
			t.Errorf("%s: only emulated", name)
		}
	}
}
