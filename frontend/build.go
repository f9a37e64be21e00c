// Package frontend answers BuildKit: one request in, one result out. It reads
// the spec, resolves images, asks a base for facts, lets package llb compose
// the graph, and solves it. [Build] tells the story.
package frontend

import (
	"context"
	"sync"
	"time"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/frontend/gateway/client"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/openhands/llb-frontend/frontend/lock"
	"github.com/openhands/llb-frontend/frontend/spec"
	ohllb "github.com/openhands/llb-frontend/llb"
	"github.com/openhands/llb-frontend/llb/imageconfig"
)

// request is one build request: what all its platforms share.
type request struct {
	*dockerui.Client
	doc    *spec.Document
	src    *dockerui.Source
	locked lockFile
	listed baseList
	epoch  *time.Time
	target target
	// lockPlatforms are those that the target lock is for, former is what the lock
	// says before they are looked up.
	lockPlatforms []ocispecs.Platform
	former        *lock.Lock
	// noMerge says that the engine lacks MergeOp.
	noMerge bool
	// repository is where the image's names are wanted; empty where they are not.
	repository string
}

// Build is the frontend: a client.BuildFunc for BuildKit's gateway.
func Build(ctx context.Context, c client.Client) (*client.Result, error) {
	r, err := newRequest(ctx, c)
	if err != nil {
		return nil, err
	}
	res, err := r.build(ctx)
	if err != nil {
		return nil, r.located(err)
	}
	return res, nil
}

func newRequest(ctx context.Context, c client.Client) (*request, error) {
	recorder := &recorder{Client: c}
	bc, err := dockerui.NewClient(recorder)
	if err != nil {
		return nil, err
	}
	src, err := bc.ReadEntrypoint(ctx, "YAML", besideSpec(c.BuildOpts().Opts["filename"]))
	if err != nil {
		return nil, err
	}
	source := recorder.last.Load() // before anything else is solved
	r := &request{Client: bc, src: src}
	if r.epoch, err = r.sourceDateEpoch(ctx); err != nil {
		return nil, err
	}
	return r, r.readBeside(ctx, source)
}

func (r *request) build(ctx context.Context) (*client.Result, error) {
	doc, err := r.load(r.firstPlatform())
	if res, ok, err := r.subrequest(ctx, doc, err); ok || err != nil {
		return res, err
	}
	if err != nil {
		return nil, err
	}
	if err := r.prepare(doc); err != nil {
		return nil, err
	}
	if err := r.lintBuild(ctx); err != nil {
		return nil, err
	}
	r.warn(ctx, r.lacks())
	rb, err := r.Client.Build(ctx, r.buildFor)
	if err != nil {
		return nil, err
	}
	if err := r.addMeta(rb); err != nil {
		return nil, err
	}
	return rb.Finalize()
}

// prepare settles what the spec, the lock beside it and the request ask for
// together.
func (r *request) prepare(doc *spec.Document) error {
	r.doc = doc
	if r.locked.err != nil {
		return r.locked.err
	}
	if r.listed.err != nil {
		return r.listed.err
	}
	return r.options()
}

// buildFor builds for one of the request's platforms.
func (r *request) buildFor(ctx context.Context, p *ocispecs.Platform, _ int) (*dockerui.BuildResult, error) {
	r, err := r.on(*p)
	if err != nil {
		return nil, err
	}
	out, err := r.target.build(r, ctx, r.input(*p))
	if err != nil {
		return nil, err
	}
	r.warn(ctx, out.Warnings)
	ref, err := r.solve(ctx, out.State, *p)
	if err != nil {
		return nil, err
	}
	return &dockerui.BuildResult{Reference: ref, Image: &out.Image, BaseImage: &out.BaseImage, Epoch: r.epoch}, nil
}

// runtime is the default target: /openhands on a base.
func (r *request) runtime(ctx context.Context, in ohllb.Input) (*ohllb.Output, error) {
	in, err := r.collect(ctx, in)
	if err != nil {
		return nil, err
	}
	if in, err = r.labelled(ctx, in); err != nil {
		return nil, err
	}
	return ohllb.Compose(in)
}

// check is the target that starts the server of the composed image.
func (r *request) check(ctx context.Context, in ohllb.Input) (*ohllb.Output, error) {
	in, err := r.collect(ctx, in)
	if err != nil {
		return nil, err
	}
	return ohllb.ComposeCheck(in)
}

// collect gathers all that composition needs.
func (r *request) collect(ctx context.Context, in ohllb.Input) (ohllb.Input, error) {
	in, err := r.sides(ctx, in)
	if err != nil {
		return in, err
	}
	if len(r.doc.Spec.ExtraDeps.Packages) > 0 {
		in.Snapshot = r.snapshot(in.Base)
		if in.Packages, err = r.packages(ctx, in); err != nil {
			return in, placed(in, baseKey.path, err)
		}
	}
	if ohllb.NeedsFacts(&r.doc.Spec) {
		if in.Facts, err = r.facts(ctx, in); err != nil {
			return in, placed(in, baseKey.path, err)
		}
		if in.Links, err = r.links(); err != nil {
			return in, err
		}
	}
	return in, nil
}

// sides adds the base and /openhands, which know nothing of each other: their
// registries are asked at the same time.
func (r *request) sides(ctx context.Context, in ohllb.Input) (ohllb.Input, error) {
	var (
		base    ohllb.Image
		baseErr error
		work    sync.WaitGroup
	)
	platform := in.Platform
	work.Go(func() { base, baseErr = r.base(ctx, platform) })
	in, err := r.openhands(ctx, in)
	work.Wait()
	in.Base = base
	return in, together(baseErr, err)
}

// openhands adds the layers of /openhands and the server's source.
func (r *request) openhands(ctx context.Context, in ohllb.Input) (ohllb.Input, error) {
	var err error
	if in.Source, err = r.source(ctx, in); err != nil {
		return in, err
	}
	in.Deps, err = r.deps(ctx, in)
	return in, err
}

// depsOnly is the target deps: the image that holds only /openhands.
func (r *request) depsOnly(ctx context.Context, in ohllb.Input) (*ohllb.Output, error) {
	in, err := r.openhands(ctx, in)
	if err != nil {
		return nil, err
	}
	if in, err = r.labelled(ctx, in); err != nil {
		return nil, err
	}
	return ohllb.ComposeDeps(in), nil
}

// input is what every target of a platform starts from.
func (r *request) input(p ocispecs.Platform) ohllb.Input {
	created := time.Unix(0, 0)
	if r.epoch != nil {
		created = *r.epoch
	}
	return ohllb.Input{
		Document:    r.doc,
		SourceMap:   r.src.SourceMap,
		Platform:    p,
		Prefixed:    len(r.TargetPlatforms) > 1,
		Created:     llb.WithCreatedTime(created),
		Config:      imageconfig.Patch{RequestLabels: r.Labels, Created: r.epoch},
		NoMerge:     r.noMerge,
		Run:         r.runOptions(),
		Proxied:     r.proxy() != nil,
		IgnoreCache: r.IsNoCache,

		CacheNamespace: r.CacheIDNamespace,
	}
}

// solve asks BuildKit for a state. Nothing is evaluated by it: a composed
// image stays lazy until somebody needs its files.
func (r *request) solve(ctx context.Context, st llb.State, p ocispecs.Platform) (client.Reference, error) {
	def, err := st.Marshal(ctx, llb.Platform(p), llb.WithCaps(r.BuildOpts().LLBCaps))
	if err != nil {
		return nil, err
	}
	res, err := r.GatewayClient().Solve(ctx, client.SolveRequest{Definition: def.ToPB(), CacheImports: r.CacheImports})
	if err != nil {
		return nil, err
	}
	return res.SingleRef()
}
