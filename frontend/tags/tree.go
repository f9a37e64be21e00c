package tags

import (
	"crypto/md5" //nolint:gosec // OpenHands' choice, see v0.go
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
)

// Tree is what a directory holds, file by file. The zero value is empty.
type Tree struct {
	files map[string]file // by slash-separated path
}

type file struct {
	md5        string
	sha256     string
	executable bool
}

// Add reads a file of the tree.
func (t *Tree) Add(name string, executable bool, r io.Reader) error {
	weak, strong := md5.New(), sha256.New() //nolint:gosec // as above
	if _, err := io.Copy(io.MultiWriter(weak, strong), r); err != nil {
		return err
	}
	if t.files == nil {
		t.files = map[string]file{}
	}
	t.files[name] = file{
		md5:        hex.EncodeToString(weak.Sum(nil)),
		sha256:     hex.EncodeToString(strong.Sum(nil)),
		executable: executable,
	}
	return nil
}

// Digest is a digest over all files: their paths, contents and executable bits.
func (t *Tree) Digest() string {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(t.files)) {
		f := t.files[name]
		_, _ = fmt.Fprintf(h, "%s %t %q\n", f.sha256, f.executable, name)
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

// DirHash is the MD5 that Python's package dirhash gives for a directory of the
// tree, as OpenHands calls it: hidden directories, __pycache__ and *.pyc are left
// out, hidden files are not, and a directory without files does not count.
func (t *Tree) DirHash(dir string) string {
	return dirHash(t.below(dir))
}

// WheelHash is DirHash of the directory as it is in a wheel, which keeps copies of
// pyproject.toml and poetry.lock of the tree's root in it.
func (t *Tree) WheelHash(dir string) string {
	files := t.below(dir)
	for _, name := range []string{"pyproject.toml", "poetry.lock"} {
		if f, ok := t.files[name]; ok {
			files[name] = f.md5
		}
	}
	return dirHash(files)
}

// below gives the MD5 of each file that counts, by its path in the directory.
func (t *Tree) below(dir string) map[string]string {
	files := map[string]string{}
	for name, f := range t.files {
		if rest, ok := strings.CutPrefix(name, dir+"/"); ok && !ignored(rest) {
			files[rest] = f.md5
		}
	}
	return files
}

// ignored knows the patterns ".*/", "__pycache__/" and "*.pyc", which are those of
// gitignore(5): the last one also leaves out what is below such a directory.
func ignored(name string) bool {
	dir, base := path.Split(name)
	for part := range strings.SplitSeq(strings.TrimSuffix(dir, "/"), "/") {
		if part == "__pycache__" || strings.HasPrefix(part, ".") || strings.HasSuffix(part, ".pyc") {
			return true
		}
	}
	return strings.HasSuffix(base, ".pyc")
}

// dirHash describes each entry of a directory, a subdirectory by its own hash.
func dirHash(files map[string]string) string {
	var entries []string
	subdirectories := map[string]map[string]string{}
	for name, sum := range files {
		dir, rest, nested := strings.Cut(name, "/")
		if !nested {
			entries = append(entries, "data:"+sum+"\x00name:"+name)
			continue
		}
		if subdirectories[dir] == nil {
			subdirectories[dir] = map[string]string{}
		}
		subdirectories[dir][rest] = sum
	}
	for dir, below := range subdirectories {
		entries = append(entries, "dirhash:"+dirHash(below)+"\x00name:"+dir)
	}
	slices.Sort(entries)
	sum := md5.Sum([]byte(strings.Join(entries, "\x00\x00"))) //nolint:gosec // as above
	return hex.EncodeToString(sum[:])
}
