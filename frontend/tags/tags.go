// Package tags computes the tags of runtime images: those of OpenHands, exactly
// as its own runtime builder does, and one of this frontend's own that stands for
// all that an image is made of. It is a leaf: files and digests are its
// parameters.
package tags

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Kind names a tag.
type Kind string

// The kinds of tags.
const (
	// KindBuild is this frontend's own, see [Build].
	KindBuild Kind = "build"
	// KindSource, KindLock and KindVersioned are those of OpenHands, see [V0];
	// the agent-server has a versioned one alone, see [AgentVersioned].
	KindSource    Kind = "source"
	KindLock      Kind = "lock"
	KindVersioned Kind = "versioned"
	// KindWheel is the source tag as an OpenHands computes it that was installed
	// by pip, see [Tree.WheelHash].
	KindWheel Kind = "wheel"
)

// Kinds lists all kinds, the most exact first.
func Kinds() []Kind {
	return []Kind{KindBuild, KindSource, KindWheel, KindLock, KindVersioned}
}

// Set holds the tags of an image by their kind.
type Set map[Kind]string

// Label is the label of an image that holds its tag of a kind.
func (k Kind) Label() string { return labelPrefix + string(k) }

const labelPrefix = "dev.openhands.tag."

// Labels gives the tags as labels of an image.
func (s Set) Labels() map[string]string {
	labels := map[string]string{}
	for k, tag := range s {
		labels[k.Label()] = tag
	}
	return labels
}

// FromLabels reads the tags that an image has as labels.
func FromLabels(labels map[string]string) Set {
	s := Set{}
	for _, k := range Kinds() {
		if tag := labels[k.Label()]; Valid(tag) {
			s[k] = tag
		}
	}
	return s
}

// Names puts the tags behind a repository, in the order of [Kinds].
func (s Set) Names(repo string) []string {
	var names []string
	for _, k := range Kinds() {
		if tag, ok := s[k]; ok {
			names = append(names, repo+":"+tag)
		}
	}
	return names
}

// Join gives the tags of an index out of those of its platforms: the build tag
// stands for all of them, and of the others it has those that all have.
func Join(platforms map[string]Set) Set {
	joined := Set{}
	for _, k := range Kinds() {
		byPlatform, different := map[string]string{}, map[string]bool{}
		for p, set := range platforms {
			if tag, ok := set[k]; ok {
				byPlatform[p], different[tag] = tag, true
			}
		}
		switch {
		case len(byPlatform) < len(platforms):
		case len(different) == 1 && (k != KindBuild || len(platforms) == 1):
			joined[k] = slices.Collect(maps.Keys(different))[0]
		case k == KindBuild:
			joined[k] = joinBuilds(byPlatform)
		}
	}
	return joined
}

var tagRegexp = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`)

// longestTag is not a part of tagRegexp, for a count is slow to compile.
const longestTag = 128

// Valid reports whether a registry takes a tag
// (https://github.com/opencontainers/distribution-spec, "Pulling manifests").
func Valid(tag string) bool { return len(tag) <= longestTag && tagRegexp.MatchString(tag) }

// replaced is strings.NewReplacer for the parts of a reference that no tag may
// hold.
func replaced(base, slash, colon string) string {
	return strings.NewReplacer("/", slash, ":", colon).Replace(base)
}
