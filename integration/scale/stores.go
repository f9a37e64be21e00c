package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// registryStore is the storage directory of the distribution registry.
type registryStore string

func (s registryStore) root() string { return filepath.Join(string(s), "docker", "registry", "v2") }

func (s registryStore) repository(name string) string {
	return filepath.Join(s.root(), "repositories", filepath.FromSlash(name))
}

// blobs are the sizes of all that the registry stores, by digest. Its own links from
// repositories to blobs are not in it.
func (s registryStore) blobs() (map[string]int64, error) {
	files, err := filepath.Glob(filepath.Join(s.root(), "blobs", "sha256", "*", "*", "data"))
	if err != nil {
		return nil, err
	}
	sizes := make(map[string]int64, len(files))
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			return nil, err
		}
		sizes["sha256:"+filepath.Base(filepath.Dir(file))] = info.Size()
	}
	return sizes, nil
}

// isLayer tells a layer from a document, which is JSON: a layer is compressed.
func (s registryStore) isLayer(digest string) (bool, error) {
	hex := digest[len("sha256:"):]
	f, err := os.Open(filepath.Join(s.root(), "blobs", "sha256", hex[:2], hex, "data"))
	if err != nil {
		return false, err
	}
	defer f.Close()
	var first [1]byte
	_, err = f.Read(first[:])
	return first[0] != '{', err
}

// remove takes a repository out of the registry, and all blobs that no other one
// has. Registry's own garbage collection would want it stopped.
func (s registryStore) remove(repository string) error {
	if err := os.RemoveAll(s.repository(repository)); err != nil {
		return err
	}
	wanted := map[string]bool{}
	err := filepath.WalkDir(filepath.Join(s.root(), "repositories"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == "link" { // .../_layers/sha256/HEX/link, .../revisions/sha256/HEX/link
			wanted[filepath.Base(filepath.Dir(path))] = true
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	dirs, err := filepath.Glob(filepath.Join(s.root(), "blobs", "sha256", "*", "*"))
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		if !wanted[filepath.Base(dir)] {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}
	return err
}

// daemonStore is the state directory of buildkitd.
type daemonStore string

// stored is what a daemon keeps: content and files by their sizes, databases by the
// disk blocks that they have ever written to, as the file grows ahead of its use.
type stored struct {
	content   map[string]int64
	snapshots map[string]bool
	databases int64
}

func (s daemonStore) look() (stored, error) {
	worker := filepath.Join(string(s), "runc-overlayfs")
	st := stored{content: map[string]int64{}, snapshots: map[string]bool{}}
	blobs, _ := filepath.Glob(filepath.Join(worker, "content", "blobs", "sha256", "*")) // the pattern is well-formed
	for _, file := range blobs {
		if info, err := os.Stat(file); err == nil { // garbage collection may be at work
			st.content[file] = info.Size()
		}
	}
	dirs, _ := filepath.Glob(filepath.Join(worker, "snapshots", "snapshots", "*"))
	for _, dir := range dirs {
		st.snapshots[dir] = true
	}
	for _, pattern := range []string{string(s) + "/*.db", worker + "/*.db", worker + "/snapshots/*.db"} {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			info, err := os.Stat(file)
			if err != nil {
				return st, err
			}
			if sys, ok := info.Sys().(*syscall.Stat_t); ok {
				st.databases += sys.Blocks * 512
			}
		}
	}
	return st, nil
}

// grown is what is there and was not before. Files that are links to older ones, of
// which BuildKit makes many, are no new bytes: began is when the first new one can
// have been made.
func (s stored) grown(before stored, began time.Time) (growth, error) {
	g := growth{Databases: max(0, s.databases-before.databases)}
	for file, size := range s.content {
		if _, known := before.content[file]; known {
			continue
		}
		if isTrace(file) {
			g.Traces += size
			continue
		}
		g.Content += size
	}
	for dir := range s.snapshots {
		if before.snapshots[dir] {
			continue
		}
		n, err := newFiles(dir, began)
		if err != nil {
			return g, err
		}
		g.Snapshots += n
	}
	return g, nil
}

// isTrace tells the spans that BuildKit keeps of a build from other content.
func isTrace(file string) bool {
	f, err := os.Open(file)
	if err != nil {
		return false
	}
	defer f.Close()
	const begin = "{\n  \"Name\": " // of a span; manifests and statements begin in other ways
	got := make([]byte, len(begin))
	_, err = io.ReadFull(f, got)
	return err == nil && string(got) == begin
}

// newFiles is what the files of a directory hold that were made since a time, each
// inode once.
func newFiles(dir string, since time.Time) (int64, error) {
	var total int64
	seen := map[uint64]bool{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		var st unix.Statx_t
		if err := unix.Statx(unix.AT_FDCWD, path, unix.AT_SYMLINK_NOFOLLOW, unix.STATX_SIZE|unix.STATX_INO|unix.STATX_BTIME, &st); err != nil {
			return err
		}
		if st.Mask&unix.STATX_BTIME != 0 && time.Unix(st.Btime.Sec, int64(st.Btime.Nsec)).Before(since) || seen[st.Ino] {
			return nil
		}
		seen[st.Ino] = true
		total += int64(st.Size)
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) { // it has just been collected
		return total, nil
	}
	return total, err
}
