package frontend

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/frontend/subrequests/lint"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/openhands/llb-frontend/frontend/lock"
	"github.com/openhands/llb-frontend/frontend/spec"
)

// baseList is the list of bases beside the spec, for requests about all of them.
type baseList struct {
	source *llb.SourceMap
	bases  []lock.Listed
	err    error
}

// first is a base of the list, for a spec that cannot be read without one.
func (l *baseList) first() string {
	if len(l.bases) == 0 { // the list has mistakes
		return dockerui.EmptyImageName
	}
	return l.bases[0].Ref
}

// readList reads the list where the request writes a lock or checks one: a build is
// about one base alone.
func (r *request) readList(ctx context.Context, ref client.Reference) error {
	if r.Target != lockTarget && r.BuildOpts().Opts["requestid"] != lint.SubrequestLintDefinition.Name {
		return nil
	}
	name := listPath(r.src.Filename)
	data, err := readIfThere(ctx, ref, name)
	if data == nil || err != nil {
		return err
	}
	r.listed.source = llb.NewSourceMap(r.src.State, name, "", data)
	r.listed.source.Definition = r.src.Definition
	r.listed.bases, r.listed.err = lock.ParseList(name, data)
	return nil
}

// ownIsListed tells whether the spec's base is looked up with the list: it is one
// of it, and the request does not ask for it by name.
func (r *request) ownIsListed() bool {
	own, _ := lock.Named(r.doc.Spec.BaseImage)
	return r.BuildArgs[spec.BaseImageArg] == "" && slices.ContainsFunc(r.listed.bases, func(l lock.Listed) bool {
		name, _ := lock.Named(l.Ref)
		return name == own
	})
}

// ofBase is the request for a platform with another base.
func (r *request) ofBase(ref string, p ocispecs.Platform) (*request, error) {
	one, err := r.on(p)
	if err != nil {
		return nil, err
	}
	other, doc := *one, *one.doc
	doc.Spec.BaseImage = ref
	other.doc = &doc
	return &other, nil
}

// lookup is a base of the list on a platform, and what was found.
type lookup struct {
	base     lock.Listed
	platform ocispecs.Platform
	request  *request
	found    *lock.Lock
	err      error
}

// recordListed looks up the bases of the list that the lock lacks; with --pull all
// of them. Those that cannot be had are warnings, unless there are no others: a lock
// of the rest is worth having, and the next request only asks for what is missing.
func (r *request) recordListed(ctx context.Context, l *lock.Lock, before lockFile) error {
	lookups, err := r.lookups(before)
	if err != nil {
		return err
	}
	if err := sideBySide(ctx, lookups); err != nil {
		return err
	}
	var problems []spec.Problem
	for _, u := range lookups {
		if u.err != nil {
			problems = append(problems, spec.Problem{Range: u.base.Range, Message: u.reason()})
			continue
		}
		l.Add(u.found)
	}
	if all := len(r.listed.bases) * len(r.lockPlatforms); len(problems) > 0 && len(problems) == all {
		return &spec.Error{Filename: r.listed.source.Filename, Problems: problems}
	}
	for i := range problems {
		problems[i].Message = fmt.Sprintf("%s:%d: not locked: %s", r.listed.source.Filename, problems[i].Range.Start.Line, problems[i].Message)
	}
	r.warnOf(ctx, r.listed.source, problems)
	return nil
}

// lookups are those to be made. What the lock has of a tag holds until --pull asks
// for what it means now.
func (r *request) lookups(before lockFile) ([]*lookup, error) {
	anew := r.ImageResolveMode == llb.ResolveModeForcePull
	var list []*lookup
	for _, base := range r.listed.bases {
		for _, p := range r.lockPlatforms {
			one, err := r.ofBase(base.Ref, p)
			if err != nil {
				return nil, err
			}
			if !anew {
				one.locked = before
			}
			if anew || r.IsNoCache(baseKey.step) || one.lacksBase(p) {
				list = append(list, &lookup{base: base, platform: p, request: one})
			}
		}
	}
	return list, nil
}

// lacksBase tells whether a build would miss something of its base in the lock.
func (r *request) lacksBase(p ocispecs.Platform) bool {
	s := &staleness{request: r, platform: p}
	if s.locked.lock == nil {
		return true
	}
	s.base()
	return len(s.problems) > 0
}

// atOnce is how many bases are looked up side by side: registries answer slowly,
// and bases are pulled while others are unpacked.
const atOnce = 16

func sideBySide(ctx context.Context, lookups []*lookup) error {
	next := make(chan *lookup)
	var workers sync.WaitGroup
	for range min(atOnce, len(lookups)) {
		workers.Go(func() {
			for u := range next {
				u.found = lock.New()
				u.err = u.request.recordBase(ctx, u.found, u.platform)
			}
		})
	}
	for _, u := range lookups {
		next <- u
	}
	close(next)
	workers.Wait()
	return context.Cause(ctx)
}

// reason is why a base could not be looked up, without a place in the spec.
func (u *lookup) reason() string {
	if problems := problemsOf(u.err); len(problems) > 0 {
		return problems[0].Message
	}
	return fmt.Sprintf("base image %q: %v", u.base.Ref, u.err)
}
