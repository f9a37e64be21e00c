package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/client/llb"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/openhands/llb-frontend/integration/engine"
)

// measure builds one way at one point: the first image on a daemon that knows
// nothing, then the further ones.
func (w *world) measure(ctx context.Context, way way, p point) (*result, error) {
	if err := w.clean(ctx); err != nil {
		return nil, err
	}
	from := bases{layers: p.BaseLayers, hasUser: way.hasUser}
	if err := w.bases(ctx, from, p.Bases+1); err != nil {
		return nil, err
	}
	content := payload{size: p.Size, layers: p.Layers, code: way.code}
	deps, err := w.deps(ctx, content)
	if err != nil {
		return nil, err
	}
	dir, err := w.context(way, deps)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	var jobs []job
	for i := range p.Bases + 1 {
		jobs = append(jobs, job{target: fmt.Sprintf("%s%d", targetPrefix, i), base: w.ref(from.image(i))})
	}
	r := &result{Way: way.name, Point: p}
	if way.lock {
		if r.Lock, err = w.writeLock(ctx, dir, jobs, deps); err != nil {
			return nil, err
		}
	}
	first := batch{dir: dir, jobs: jobs[:1], point: p}
	first.Bake, first.AtOnce = false, 1
	if r.First, err = w.run(ctx, first, deps); err != nil {
		return nil, err
	}
	further := batch{dir: dir, jobs: jobs[1:], point: p}
	if p.Known || p.Again != "" {
		if deps, err = w.prepare(ctx, further, content, way, deps); err != nil {
			return nil, err
		}
	}
	r.Further, err = w.run(ctx, further, deps)
	return r, err
}

// prepare brings about what a point wants to be there before its further images. It
// returns the deps image that these are made of.
func (w *world) prepare(ctx context.Context, b batch, content payload, way way, deps v1.Hash) (v1.Hash, error) {
	if b.Known {
		if err := w.learn(ctx, b.jobs); err != nil {
			return deps, err
		}
	}
	if b.Again != "" {
		if o, err := w.build(ctx, b); err != nil || len(o.failed) > 0 {
			return deps, errors.Join(err, fmt.Errorf("%d images of before failed: %q", len(o.failed), o.failed))
		}
	}
	switch b.Again {
	case otherDeps:
		content.other = true
		var err error
		if deps, err = w.deps(ctx, content); err != nil {
			return deps, err
		}
		if err := way.write(b.dir, w.ref(w.frontend), w.ref(depsRepository+"@"+deps.String())); err != nil {
			return deps, err
		}
	case otherCode:
		if err := writeCheckout(b.dir+"/"+checkout, 2); err != nil {
			return deps, err
		}
	}
	if b.Forgotten {
		if err := w.prune(ctx); err != nil {
			return deps, err
		}
	}
	_, err := w.settle(ctx)
	return deps, err
}

// learn has the daemon pull and unpack bases.
func (w *world) learn(ctx context.Context, jobs []job) error {
	c, err := client.New(ctx, w.BuildkitHost())
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = c.Build(ctx, client.SolveOpt{}, "", func(ctx context.Context, g gwclient.Client) (*gwclient.Result, error) {
		for _, j := range jobs {
			def, err := llb.Image(j.base).Marshal(ctx)
			if err != nil {
				return nil, err
			}
			res, err := g.Solve(ctx, gwclient.SolveRequest{Definition: def.ToPB()})
			if err != nil {
				return nil, err
			}
			ref, err := res.SingleRef()
			if err != nil {
				return nil, err
			}
			if _, err := ref.ReadFile(ctx, gwclient.ReadRequest{Filename: "/etc/passwd"}); err != nil {
				return nil, err
			}
		}
		return gwclient.NewResult(), nil
	}, nil)
	return err
}

// run builds a batch and looks at everything around it.
func (w *world) run(ctx context.Context, b batch, deps v1.Hash) (cost, error) {
	before, err := w.look(ctx)
	if err != nil {
		return cost{}, err
	}
	interval := watchInterval
	if b.Bake {
		interval = bakeWatchInterval
	}
	stopWatch := w.WatchFrontends(interval)
	began := time.Now()
	o, err := w.build(ctx, b)
	took := time.Since(began)
	peak := stopWatch()
	if err != nil {
		return cost{}, err
	}
	rest, err := w.settle(ctx)
	if err != nil {
		return cost{}, err
	}
	after, err := w.look(ctx)
	if err != nil {
		return cost{}, err
	}
	r := cost{
		Images: len(b.jobs), Wall: round(took.Seconds()), Settle: round(rest.Seconds()),
		Seconds: rounded(o.seconds), Phases: means(o.phases), FrontendPeak: peak,
	}
	cpu := after.cpu.Sub(before.cpu)
	r.CPU = processors{
		Daemon: round(cpu.Daemon.Seconds()), Containers: round(cpu.Containers.Seconds()),
		Runtime: round(cpu.Runtime().Seconds()), Client: round(o.clientCPU.Seconds()),
	}
	slices.Sort(o.failed)
	r.Errors = slices.Compact(o.failed)
	if r.Failures, err = w.missing(ctx, b, len(o.failed)); err != nil {
		return r, err
	}
	if r.Store, err = after.store.grown(before.store, began); err != nil {
		return r, err
	}
	if r.Read, err = w.sort(ctx, after.read, deps); err != nil {
		return r, err
	}
	r.New, err = w.added(before.blobs, after.blobs)
	return r, err
}

// moment is what can be seen from outside at one time.
type moment struct {
	cpu   engine.CPUTime
	store stored
	blobs map[string]int64
	read  map[string]int64 // since the last moment
}

func (w *world) look(ctx context.Context) (moment, error) {
	if err := ctx.Err(); err != nil {
		return moment{}, err
	}
	var m moment
	var err error
	if m.store, err = w.daemon.look(); err != nil {
		return m, err
	}
	if m.blobs, err = w.registry.blobs(); err != nil {
		return m, err
	}
	m.read = w.proxy.taken()
	m.cpu, err = w.CPUTime()
	return m, err
}

// missing is how many images of a batch have not come. One failed target fails a
// whole bake call; those that it took with it have failed too.
func (w *world) missing(ctx context.Context, b batch, failedCalls int) (int, error) {
	if failedCalls == 0 {
		return 0, nil
	}
	have, err := w.tags(ctx, outputs)
	if err != nil {
		return 0, err
	}
	missing := 0
	for _, j := range b.jobs {
		if !have[j.target] {
			missing++
		}
	}
	return max(missing, failedCalls), nil
}

// sort says what the bytes that were read belong to.
func (w *world) sort(ctx context.Context, read map[string]int64, deps v1.Hash) (reads, error) {
	var r reads
	ofDeps, err := w.layersOf(ctx, depsRepository+"@"+deps.String())
	if err != nil {
		return r, err
	}
	ofFrontend, err := w.layersOf(ctx, w.frontend)
	if err != nil {
		return r, err
	}
	for digest, n := range read {
		switch {
		case digest == "":
			r.Documents += n
		case ofDeps[digest]:
			r.Deps += n
		case ofFrontend[digest]:
			r.Frontend += n
		default:
			layer, err := w.registry.isLayer(digest)
			if err != nil {
				return r, err
			}
			if layer {
				r.Bases += n
			} else {
				r.Documents += n
			}
		}
	}
	return r, nil
}

func (w *world) layersOf(ctx context.Context, image string) (map[string]bool, error) {
	img, err := pull(ctx, w.Registry()+"/"+image)
	if err != nil {
		return nil, err
	}
	manifest, err := img.Manifest()
	if err != nil {
		return nil, err
	}
	digests := map[string]bool{}
	for _, l := range manifest.Layers {
		digests[l.Digest.String()] = true
	}
	return digests, nil
}

// added is what the registry has got.
func (w *world) added(before, after map[string]int64) (additions, error) {
	var a additions
	for digest, size := range after {
		if _, known := before[digest]; known {
			continue
		}
		layer, err := w.registry.isLayer(digest)
		if err != nil {
			return a, err
		}
		if layer {
			a.Layers++
			a.LayerBytes += size
		} else {
			a.Documents += size
		}
	}
	return a, nil
}
