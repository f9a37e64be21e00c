// Package lock is the file that says, by digest, what builds take: images,
// downloads, the time of a distribution's packages, and what has been read of
// bases. It is a leaf: bytes in, values out, and back. A lock comes from a
// stranger's repository as often as the spec beside it, so nothing in it is
// taken unchecked.
package lock

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/distribution/reference"
	digest "github.com/opencontainers/go-digest"
)

// Name is the file's name, in the directory of the specs that it is for.
const Name = "openhands.lock.yaml"

// version is the format that this package writes and reads.
const version = "1"

// Lock is a lock file's content. It holds what several specs and several bases
// of one directory need: each entry is right or wrong by itself.
type Lock struct {
	// Images are the digests of references by tag, in the form of [Ref]. A tag
	// has one digest, which holds for every platform.
	Images map[string]digest.Digest
	// Downloads are the digests of files, by a name that has the version and,
	// where files differ by it, the architecture in it.
	Downloads map[string]digest.Digest
	// Packages say, for an image whose package manager is run, which time its
	// packages are from; keys have the form of [Named].
	Packages map[string]Packages
	// Bases say what is known of the file system of an image with a digest on a
	// platform: the key of Facts, or "" where it must be read at each build.
	Bases map[digest.Digest]map[string]digest.Digest
	// Facts are kept once for all bases that are alike; keys are those of [Facts.ID].
	Facts map[digest.Digest]Facts
}

// Packages is the state of a distribution's archive.
type Packages struct {
	// Snapshot is a time as snapshot services write it: 20260131T000000Z.
	Snapshot string
	// Unpinned says why there is none.
	Unpinned string
}

// New is a lock that holds nothing.
func New() *Lock {
	return &Lock{
		Images:    map[string]digest.Digest{},
		Downloads: map[string]digest.Digest{},
		Packages:  map[string]Packages{},
		Bases:     map[digest.Digest]map[string]digest.Digest{},
		Facts:     map[digest.Digest]Facts{},
	}
}

// Named is a reference as it stands in a lock: with a tag or a digest, without
// what people leave out. ok is false for what is no reference.
func Named(text string) (name string, ok bool) {
	named, err := reference.ParseNormalizedNamed(text)
	if err != nil {
		return "", false
	}
	tagged := reference.TagNameOnly(named)
	name = reference.FamiliarString(tagged)
	// docker.io/a.b/c is familiar as a.b/c, which is c of another registry.
	if first, _, ok := strings.Cut(name, "/"); ok && reference.Domain(tagged) == "docker.io" && (strings.Contains(first, ".") || first == "localhost") {
		return tagged.String(), true
	}
	return name, true
}

// Ref is Named for a reference that needs a lock: one with a digest does not.
func Ref(text string) (ref string, ok bool) {
	name, ok := Named(text)
	if strings.Contains(name, "@") {
		return "", false
	}
	return name, ok
}

// Image is the digest of a reference, in whatever form it is written. A nil
// lock knows none.
func (l *Lock) Image(text string) (digest.Digest, bool) {
	ref, ok := Ref(text)
	if l == nil || !ok {
		return "", false
	}
	dgst, ok := l.Images[ref]
	return dgst, ok
}

// Download is the digest of a file by its name in locks. A nil lock knows none.
func (l *Lock) Download(name string) (digest.Digest, bool) {
	if l == nil {
		return "", false
	}
	dgst, ok := l.Downloads[name]
	return dgst, ok
}

// Snapshot is the time that the packages of an image are from, "" where there
// is none.
func (l *Lock) Snapshot(image string) string {
	name, _ := Named(image)
	if l == nil {
		return ""
	}
	return l.Packages[name].Snapshot
}

// Fetched is a digest over what the lock says of downloads and packages: nothing
// else of it decides what a build fetches once its images are known. A nil lock
// has none.
func (l *Lock) Fetched() digest.Digest {
	if l == nil {
		return ""
	}
	text, _ := json.Marshal([]any{l.Downloads, l.Packages}) // sorted maps of strings
	return digest.FromBytes(text)
}

// Base gives what is known of a base. listed tells whether the lock has a word
// on it, which may be that it must be read.
func (l *Lock) Base(base digest.Digest, platform string) (facts Facts, known, listed bool) {
	if l == nil {
		return Facts{}, false, false
	}
	id, listed := l.Bases[base][platform]
	facts, known = l.Facts[id]
	return facts, known, listed
}

// Know keeps what has been read of a base, beside what others have read of it:
// an image with a digest never changes.
func (l *Lock) Know(base digest.Digest, platform string, facts Facts) {
	if before, ok, _ := l.Base(base, platform); ok {
		files := maps.Clone(before.Files)
		maps.Copy(files, facts.Files)
		facts.Files = files
	}
	id := facts.ID()
	l.Facts[id] = facts
	l.list(base, platform, id)
}

// MustRead keeps that a base is to be read at each build.
func (l *Lock) MustRead(base digest.Digest, platform string) { l.list(base, platform, "") }

// Add takes over all that another lock has.
func (l *Lock) Add(more *Lock) {
	maps.Copy(l.Images, more.Images)
	maps.Copy(l.Downloads, more.Downloads)
	maps.Copy(l.Packages, more.Packages)
	for base, platforms := range more.Bases {
		for platform := range platforms {
			if facts, known, _ := more.Base(base, platform); known {
				l.Know(base, platform, facts)
			} else {
				l.MustRead(base, platform)
			}
		}
	}
}

func (l *Lock) list(base digest.Digest, platform string, id digest.Digest) {
	if l.Bases[base] == nil {
		l.Bases[base] = map[string]digest.Digest{}
	}
	l.Bases[base][platform] = id
}

// Problems of a lock are places in it, so keys are always taken in one order.
func sorted[K ~string, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
