package frontend

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/distribution/reference"
	"github.com/moby/buildkit/client/llb"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/openhands/llb-frontend/frontend/lock"
	"github.com/openhands/llb-frontend/frontend/spec"
	ohllb "github.com/openhands/llb-frontend/llb"
	"github.com/openhands/llb-frontend/llb/deps"
)

// stale lists what a build takes and the lock does not have. The build goes on
// with what the spec says.
func (r *request) stale() []spec.Problem {
	if r.locked.lock == nil || r.target.name == lockTarget {
		return nil
	}
	s := &staleness{remedy: "refresh it: " + r.lockCommand()}
	if err := r.staleList(s); err != nil {
		return nil
	}
	for _, p := range r.TargetPlatforms {
		one, err := r.on(p)
		if err != nil { // the build says so itself
			return nil
		}
		s.request, s.platform = one, p
		s.look()
	}
	return s.problems
}

// lockCommand is what writes the lock of this request.
func (r *request) lockCommand() string {
	command := "docker buildx build -f " + r.src.Filename + " --target " + lockTarget
	for _, name := range slices.Sorted(maps.Keys(r.BuildArgs)) {
		if _, ok := r.doc.Args[name]; ok {
			command += " --build-arg " + name + "=..."
		}
	}
	if len(r.TargetPlatforms) > 1 {
		var names []string
		for _, p := range r.TargetPlatforms {
			names = append(names, platformName(p))
		}
		command += " --platform " + strings.Join(names, ",")
	}
	if r.locked.fromContext {
		return command + " --build-context " + lockContext + "=... -t ... --push ."
	}
	return command + " -o . ."
}

// staleList reports bases of the list that the lock lacks, all of them in one line.
func (r *request) staleList(s *staleness) error {
	var missing []string
	for _, base := range r.listed.bases {
		for _, p := range r.TargetPlatforms {
			one, err := r.ofBase(base.Ref, p)
			if err != nil {
				return err
			}
			if one.lacksBase(p) && !slices.Contains(missing, base.Ref) {
				missing = append(missing, base.Ref)
			}
		}
	}
	if n := len(missing); n > 0 {
		const most = 5
		names := strings.Join(missing[:min(n, most)], ", ")
		if n > most {
			names += fmt.Sprintf(" and %d more", n-most)
		}
		s.problems = append(s.problems, spec.Problem{Path: baseKey.path, Range: r.doc.Range(baseKey.path), Message: fmt.Sprintf(
			"%s lacks %d of the %d bases of %s: %s; %s", lock.Name, n, len(r.listed.bases), lock.ListName, names, s.remedy)})
	}
	return nil
}

// staleness collects problems, a platform after the other.
type staleness struct {
	*request
	platform ocispecs.Platform
	remedy   string
	problems []spec.Problem
}

func (s *staleness) look() {
	if s.target.name != targetDeps && !s.ownIsListed() {
		s.base()
	}
	if ref := s.doc.Spec.DepsImage; ref != "" {
		s.image(depsKey, ref)
	} else {
		s.stages()
	}
}

// lacks reports something at a key of the spec that the lock has no word on.
func (s *staleness) lacks(key, format string, args ...any) {
	s.report(key, "%s has no %s; %s", lock.Name, fmt.Sprintf(format, args...), s.remedy)
}

// report adds what no other platform has reported.
func (s *staleness) report(key, format string, args ...any) {
	p := spec.Problem{Path: key, Range: s.doc.Range(key), Message: spec.Printable(fmt.Sprintf(format, args...))}
	if !slices.Contains(s.problems, p) {
		s.problems = append(s.problems, p)
	}
}

// image gives the digest by which an image is taken; "" for one of today, and
// for what is no image of a registry.
func (s *staleness) image(key imageKey, text string) digest.Digest {
	if text == "" || text == "scratch" || s.isContext(text) {
		return ""
	}
	if _, wanted := lock.Ref(text); !wanted {
		return digestIn(text)
	}
	dgst, ok := s.locked.lock.Image(text)
	if !ok {
		s.lacks(key.path, "digest of %s %q", key.what(), text)
	}
	return dgst
}

// digestIn is the digest of a reference that has one.
func digestIn(text string) digest.Digest {
	if named, err := reference.ParseNormalizedNamed(text); err == nil {
		if digested, ok := named.(reference.Digested); ok {
			return digested.Digest()
		}
	}
	return ""
}

func (s *staleness) base() {
	text := s.doc.Spec.BaseImage
	dgst := s.image(baseKey, text)
	switch {
	case dgst == "":
	case len(s.doc.Spec.ExtraDeps.Packages) > 0:
		s.packages("extra_deps.packages", text)
	case ohllb.NeedsFacts(&s.doc.Spec):
		s.facts(dgst)
	}
}

// facts reports a base that must be read, unless the lock says so itself.
func (s *staleness) facts(base digest.Digest) {
	platform := platformName(s.platform)
	known, ok, listed := s.locked.lock.Base(base, platform)
	switch {
	case !listed:
		s.lacks(baseKey.path, "facts of base image %q for %s, which is read now", s.doc.Spec.BaseImage, platform)
	case ok && !s.covers(known, s.platform):
		s.lacks(baseKey.path, "answer to all that the spec asks of base image %q for %s, which is read now", s.doc.Spec.BaseImage, platform)
	}
}

func (s *staleness) stages() {
	builder := s.doc.Spec.Deps.Builder
	if s.image(builderKey, builder) != "" {
		s.packages(builderKey.path, builder)
	}
	for _, d := range s.downloads() {
		if _, ok := s.locked.lock.Download(d.Name); !ok && !d.Own {
			s.lacks(d.Key, "digest of the download %s", d.Name)
		}
	}
}

// packages reports an image of which the lock does not say from when its
// packages are, or says so in vain.
func (s *staleness) packages(key, image string) {
	name, _ := lock.Named(image)
	p, ok := s.locked.lock.Packages[name]
	switch {
	case !ok:
		s.lacks(key, "snapshot for the packages of %q", image)
	case p.Snapshot != "" && !deps.HasSnapshots(s.doc.Spec.Mirrors):
		s.report("mirrors.apt", "%s wants packages of %s for %q, and mirrors.apt has today's alone: name a mirror that has snapshots as mirrors.apt_snapshot", lock.Name, p.Snapshot, image)
	}
}

// downloads are those of the stages. None has to be built for
// that, so images and helpers stay out.
func (s *staleness) downloads() []deps.Download {
	in := s.input(s.platform)
	empty := llb.Scratch()
	if s.doc.Spec.Server.Source != "" {
		in.Source = &empty
	}
	list, err := ohllb.Downloads(in, ohllb.Stages{
		Builder: ohllb.Image{State: empty}, Helpers: empty, BuildArchitecture: s.BuildPlatforms[0].Architecture, Times: llb.WithCreatedTime(time.Unix(0, 0)),
	})
	if err != nil { // the build says so itself
		return nil
	}
	return list
}
