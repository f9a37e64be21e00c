package frontend

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/moby/buildkit/frontend/subrequests/lint"
	digest "github.com/opencontainers/go-digest"

	"github.com/openhands/llb-frontend/frontend/lock"
)

const (
	anyBase = "base_image: ${BASE_IMAGE}\ndeps_image: deps:1\n"
	list    = "# all of them\nalpine:3.22\ndebian:trixie-slim # the default\n"
)

// withAlpine is a registry with two bases.
func withAlpine() map[string]stubImage {
	images := registry()
	images["alpine:3.22"] = stubImage{}
	return images
}

// One request locks all bases of the list; a build of each then reads nothing.
func TestLockOfList(t *testing.T) {
	images := withAlpine()
	text := written(t, &stub{spec: anyBase, list: list, images: images, opts: map[string]string{"platform": "linux/amd64,linux/arm64"}})
	l, err := lock.Parse(lock.Name, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"alpine:3.22", "debian:trixie-slim", "deps:1"}; !slices.Equal(slices.Sorted(maps.Keys(l.Images)), want) || len(l.Bases) != 2 {
		t.Errorf("the lock is\n%s", text)
	}
	for _, base := range []string{"alpine:3.22", "debian:trixie-slim"} {
		s := &stub{spec: anyBase, lock: text, list: list, images: images, opts: map[string]string{"build-arg:BASE_IMAGE": base, "platform": "linux/arm64"}}
		if _, err := run(t, s); err != nil || len(s.read) > 0 || len(s.warnings) > 0 {
			t.Errorf("%s: reads %q, warns of %q, %v", base, s.read, s.warnings, err)
		}
	}
}

// What the lock has of the list is left alone, and not even asked for.
func TestLockOfListIsIncremental(t *testing.T) {
	images := withAlpine()
	first := written(t, &stub{spec: anyBase, list: "debian:trixie-slim\n", images: images})
	known := digest.FromString("docker.io/library/debian:trixie-slim")
	moved := digest.FromString("moved")
	image := images["debian:trixie-slim"]
	image.digest = moved
	images["debian:trixie-slim"] = image
	for _, tt := range []struct {
		name string
		opts map[string]string
		want digest.Digest // of Debian
		read []string
	}{
		{"one more", nil, known, []string{"alpine:3.22"}},
		{"all anew", map[string]string{"image-resolve-mode": "pull"}, moved, []string{"alpine:3.22", "debian:trixie-slim"}},
		{"read again", map[string]string{"no-cache": ""}, known, []string{"alpine:3.22", "debian:trixie-slim"}},
		{"one by name", map[string]string{"build-arg:BASE_IMAGE": "debian:trixie-slim"}, moved, []string{"alpine:3.22", "debian:trixie-slim"}},
	} {
		s := &stub{spec: anyBase, list: list, lock: first, images: images, opts: tt.opts}
		l, err := lock.Parse(lock.Name, []byte(written(t, s)))
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(s.read)
		if got := slices.Compact(s.read); !slices.Equal(got, tt.read) || l.Images["debian:trixie-slim"] != tt.want {
			t.Errorf("%s: reads %q, Debian is %s", tt.name, got, l.Images["debian:trixie-slim"])
		}
	}
	// A digest is read once, by whatever tag it comes.
	s := &stub{spec: anyBase, list: "debian:trixie-slim\n", lock: first, images: withAlpine(), opts: map[string]string{"image-resolve-mode": "pull"}}
	if written(t, s) != first || len(s.read) > 0 {
		t.Errorf("a base with the same digest is read: %q", s.read)
	}
}

// Bases that cannot be had are all named; the others are locked.
func TestLockOfListWithFailures(t *testing.T) {
	images := withAlpine()
	images["broken:1"] = stubImage{err: errors.New("401 unauthorized")}
	s := &stub{spec: anyBase, list: list + "gone:1\nbroken:1\n", images: images}
	l, err := lock.Parse(lock.Name, []byte(written(t, s)))
	if err != nil || len(l.Bases) != 2 || len(l.Images) != 3 {
		t.Errorf("the lock is\n%s%v", l.Encode(), err)
	}
	want := []string{
		`openhands.bases.txt:4: not locked: base image "gone:1": it does not exist`,
		`openhands.bases.txt:5: not locked: base image "broken:1": it does not exist or needs a login`,
	}
	if !slices.EqualFunc(s.warnings, want, strings.HasPrefix) {
		t.Errorf("warns of %q", s.warnings)
	}
	s = &stub{spec: anyBase, list: "gone:1\n" + list, lock: string(l.Encode()), images: images}
	if text := written(t, s); text != string(l.Encode()) || len(s.warnings) != 1 {
		t.Errorf("where all but one are locked, the lock becomes\n%s%q", text, s.warnings)
	}
	s = &stub{spec: anyBase, list: "gone:1\nbroken:1\n", images: images, opts: map[string]string{"target": lockTarget}}
	if _, err := run(t, s); err == nil || !strings.Contains(err.Error(), `openhands.bases.txt:1:1: base image "gone:1"`) || !strings.Contains(err.Error(), `openhands.bases.txt:2:1: base image "broken:1"`) {
		t.Errorf("no base can be had: %v", err)
	}
}

func TestMistakesInList(t *testing.T) {
	ask := func(list string, opts map[string]string) error {
		_, err := run(t, &stub{spec: anyBase, list: list, images: withAlpine(), opts: opts})
		return err
	}
	for _, list := range []string{"alpine:3.22\nAlpine\nalpine:3.22\n", "x\nAlpine\nx:latest\n"} {
		err := ask(list, map[string]string{"target": lockTarget})
		if err == nil || !strings.Contains(err.Error(), `openhands.bases.txt:2:1: "Alpine" is no reference`) || !strings.Contains(err.Error(), "openhands.bases.txt:3:1: ") {
			t.Errorf("%q gives %v", list, err)
		}
	}
	if err := ask("Alpine\n", map[string]string{"build-arg:BASE_IMAGE": "alpine:3.22"}); err != nil {
		t.Errorf("a build looks at the list: %v", err)
	}
}

// A check says what of the list the lock lacks, in one line.
func TestCheckOfList(t *testing.T) {
	images := withAlpine()
	first := written(t, &stub{spec: anyBase, list: "debian:trixie-slim\n", images: images})
	check := map[string]string{"requestid": lint.SubrequestLintDefinition.Name, "frontend.caps": "moby.buildkit.frontend.subrequests"}
	for _, tt := range []struct{ list, want string }{
		{list, "openhands.lock.yaml lacks 1 of the 2 bases of openhands.bases.txt: alpine:3.22; refresh it: docker buildx build -f openhands.yaml --target lock -o . ."},
		{list + "a:1\nb:1\nc:1\nd:1\ne:1\n", "openhands.lock.yaml lacks 6 of the 7 bases of openhands.bases.txt: alpine:3.22, a:1, b:1, c:1, d:1 and 1 more;"},
		{"debian:trixie-slim\n", ""},
		{"debian:trixie-slim\nDebian\n", `openhands.bases.txt:2:1: \"Debian\" is no reference`},
	} {
		res, err := run(t, &stub{spec: anyBase, list: tt.list, lock: first, images: images, opts: check})
		if err != nil {
			t.Fatal(err)
		}
		got := string(res.Metadata["result.json"])
		if !strings.Contains(got, tt.want) || strings.Contains(got, "StaleLock") != strings.Contains(tt.want, "lacks") {
			t.Errorf("%q: the check says\n%s", tt.list, got)
		}
	}
}

// A lock that comes as an image wins over the one beside the spec, whatever platform
// it was written on.
func TestLockOfContext(t *testing.T) {
	images := withAlpine()
	text := written(t, &stub{spec: anyBase, list: list, images: images})
	images["lock:1"] = stubImage{only: "arm64", files: fstest.MapFS{lock.Name: {Data: []byte(text)}}}
	images["other:1"] = stubImage{}
	opts := map[string]string{"build-arg:BASE_IMAGE": "alpine:3.22", "context:openhands-lock": "docker-image://lock:1"}
	s := &stub{spec: anyBase, lock: string(lock.New().Encode()), images: images, opts: opts}
	if _, err := run(t, s); err != nil || len(s.warnings) > 0 || slices.Contains(s.read, "alpine:3.22") {
		t.Errorf("reads %q, warns of %q, %v", s.read, s.warnings, err)
	}
	// It is added to, not begun anew.
	images["new:1"] = stubImage{}
	opts["build-arg:BASE_IMAGE"] = "new:1"
	s = &stub{spec: anyBase, images: images, opts: opts}
	if more := written(t, s); !strings.Contains(more, "new:1: sha256:") || !strings.Contains(more, "alpine:3.22: sha256:") {
		t.Errorf("the lock becomes\n%s", more)
	}
	s = &stub{spec: anyBase, images: images, opts: opts}
	if _, err := run(t, s); err != nil || !strings.Contains(strings.Join(s.warnings, "\n"), "--build-context openhands-lock=... -t ... --push .") {
		t.Errorf("warns of %q, %v", s.warnings, err)
	}
	opts["context:openhands-lock"] = "docker-image://other:1"
	if _, err := run(t, &stub{spec: anyBase, images: images, opts: opts}); err == nil || !strings.Contains(err.Error(), `build context "openhands-lock" holds no openhands.lock.yaml`) {
		t.Errorf("an image without a lock gives %v", err)
	}
}
