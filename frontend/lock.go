package frontend

import (
	"context"
	"fmt"
	"time"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/openhands/llb-frontend/frontend/lock"
	"github.com/openhands/llb-frontend/frontend/spec"
	ohllb "github.com/openhands/llb-frontend/llb"
	"github.com/openhands/llb-frontend/llb/deps"
	"github.com/openhands/llb-frontend/llb/imageconfig"
)

// lockTarget is the target that writes a lock.
const lockTarget = "lock"

// lockOnce makes the request one for a single file, whatever its platforms are:
// results for several platforms go to a directory each.
func (r *request) lockOnce() {
	if r.target.name != lockTarget {
		return
	}
	r.lockPlatforms = r.TargetPlatforms
	r.TargetPlatforms = r.TargetPlatforms[:1]
	r.MultiPlatformRequested = false
}

// lockOnly is the target lock. What the lock beside the spec says of others stays;
// what this request takes is looked up anew.
func (r *request) lockOnly(ctx context.Context, in ohllb.Input) (*ohllb.Output, error) {
	l := r.locked.lock
	if l == nil {
		l = lock.New()
	}
	fresh := *r
	fresh.locked, fresh.former = lockFile{}, l
	for _, p := range r.lockPlatforms {
		one, err := fresh.on(p)
		if err != nil {
			return nil, err
		}
		if err := one.record(ctx, l, p); err != nil {
			return nil, err
		}
	}
	if err := fresh.recordListed(ctx, l, r.locked); err != nil {
		return nil, err
	}
	file := llb.Mkfile("/"+lock.Name, 0o644, l.Encode(), in.Created)
	return &ohllb.Output{
		State: llb.Scratch().File(file, in.Step("lock", "", "write "+lock.Name)...),
		Image: imageconfig.Empty(in.Platform),
	}, nil
}

// record looks up what a build for a platform takes.
func (r *request) record(ctx context.Context, l *lock.Lock, p ocispecs.Platform) error {
	if !r.ownIsListed() {
		if err := r.recordBase(ctx, l, p); err != nil {
			return err
		}
	}
	in := r.input(p)
	if ref := r.doc.Spec.DepsImage; ref != "" {
		img, err := r.image(ctx, depsKey, ref, p)
		if err != nil {
			return err
		}
		recordImage(l, img)
		return nil
	}
	return r.recordStages(ctx, l, in)
}

// recordBase looks up what a build takes of its base.
func (r *request) recordBase(ctx context.Context, l *lock.Lock, p ocispecs.Platform) error {
	in := r.input(p)
	var err error
	if in.Base, err = r.base(ctx, p); err != nil {
		return err
	}
	recordImage(l, in.Base)
	switch {
	case len(r.doc.Spec.ExtraDeps.Packages) > 0:
		return placed(in, baseKey.path, r.recordPackages(ctx, l, in))
	case ohllb.NeedsFacts(&r.doc.Spec):
		return placed(in, baseKey.path, r.recordFacts(ctx, l, in))
	}
	return nil
}

// recordImage keeps the digest of a tag. What has a digest in the spec, and a
// context of the request, is not the lock's business.
func recordImage(l *lock.Lock, img ohllb.Image) {
	if ref, ok := lock.Ref(img.Ref); ok && img.Registry {
		l.Images[ref] = img.Digest
	}
}

// recordStages looks up what the stages of /openhands take.
func (r *request) recordStages(ctx context.Context, l *lock.Lock, in ohllb.Input) error {
	builder, err := r.builder(ctx)
	if err != nil {
		return err
	}
	recordImage(l, builder)
	stages, err := r.stages(builder)
	if err != nil {
		return err
	}
	if in.Source, err = r.source(ctx, in); err != nil {
		return err
	}
	downloads, err := ohllb.Downloads(in, stages)
	if err != nil {
		return err
	}
	for _, d := range downloads {
		if l.Downloads[d.Name], err = r.measured(ctx, in, stages, d); err != nil {
			return placed(in, d.Key, err)
		}
	}
	return placed(in, builderKey.path, r.recordSnapshot(ctx, l, in, stages, builder))
}

// measured is the digest of a download: known, or looked up.
func (r *request) measured(ctx context.Context, in ohllb.Input, stages ohllb.Stages, d deps.Download) (digest.Digest, error) {
	if d.Digest != "" {
		return d.Digest, nil
	}
	st, err := ohllb.Measure(in, stages, d)
	if err != nil {
		return "", err
	}
	text, err := r.answer(ctx, st, deps.DigestFile)
	if err != nil {
		return "", err
	}
	return digest.Parse(text)
}

// recordPackages looks up from when the packages are that extra_deps installs.
func (r *request) recordPackages(ctx context.Context, l *lock.Lock, in ohllb.Input) error {
	if !in.Base.Registry {
		return nil
	}
	rd, err := r.reader(ctx, in.Base.State, in.Platform)
	if err != nil {
		return err
	}
	if _, apt, err := rd.walk(ctx, "/usr/bin/apt-get"); err != nil {
		return err
	} else if !apt {
		name, _ := lock.Named(in.Base.Ref)
		l.Packages[name] = lock.Packages{Unpinned: "its package manager takes no packages of a time"}
		return nil
	}
	stages, err := r.stages(in.Base)
	if err != nil {
		return err
	}
	return r.recordSnapshot(ctx, l, in, stages, in.Base)
}

// recordSnapshot tries whether apt in an image gets packages of this day, and
// keeps from when they are, or why that cannot be said.
func (r *request) recordSnapshot(ctx context.Context, l *lock.Lock, in ohllb.Input, stages ohllb.Stages, img ohllb.Image) error {
	name, ok := lock.Named(img.Ref)
	if !ok || !img.Registry {
		return nil
	}
	if !deps.HasSnapshots(r.doc.Spec.Mirrors) {
		l.Packages[name] = lock.Packages{Unpinned: "mirrors.apt has today's packages alone: mirrors.apt_snapshot can name others"}
		return nil
	}
	stages.Snapshot = today()
	why, err := r.answer(ctx, ohllb.TrySnapshot(in, stages, img), deps.SnapshotFile)
	if err != nil {
		return err
	}
	if why != "" {
		l.Packages[name] = lock.Packages{Unpinned: why}
		r.warn(ctx, []spec.Problem{{Message: fmt.Sprintf("packages that apt fetches in %q are not locked, they are those of the day: %s", img.Ref, why)}})
		return nil
	}
	l.Packages[name] = lock.Packages{Snapshot: stages.Snapshot}
	return nil
}

// today is the beginning of the day, in the form of snapshot services: what they
// have for it no longer changes, and locks of one day have one time.
func today() string {
	now := time.Now() //nolint:forbidigo // a lock is about the time at which it is written
	return now.UTC().Format("20060102") + "T000000Z"
}

// recordFacts reads a base, unless people should not share what is in it. What was
// read of a digest before still holds, so it is kept, and nothing is pulled.
func (r *request) recordFacts(ctx context.Context, l *lock.Lock, in ohllb.Input) error {
	if !in.Base.Registry || !r.IsNoCache(baseKey.step) && r.knowsFacts(in) {
		return nil
	}
	facts, err := r.lockFacts(ctx, in)
	if err != nil {
		return err
	}
	platform := platformName(in.Platform)
	if why := facts.Unfit(); why != "" {
		l.MustRead(in.Base.Digest, platform)
		r.warn(ctx, in.Problem(baseKey.path, fmt.Errorf("the lock leaves out what is in %q, so that each build reads it: %s", in.Base.Ref, why)).Problems)
		return nil
	}
	l.Know(in.Base.Digest, platform, facts)
	return nil
}

// knowsFacts tells whether the former lock answers all that the spec asks of a base,
// or says that each build has to ask.
func (r *request) knowsFacts(in ohllb.Input) bool {
	known, ok, listed := r.former.Base(in.Base.Digest, platformName(in.Platform))
	return listed && (!ok || r.covers(known, in.Platform))
}

// answer runs a stage that looks something up.
func (r *request) answer(ctx context.Context, st llb.State, file string) (string, error) {
	ref, err := r.solve(ctx, st, r.BuildPlatforms[0])
	if err != nil {
		return "", err
	}
	data, err := dockerui.ReadFile(ctx, ref, "/"+file)
	return string(data), err
}
