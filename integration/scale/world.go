package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/openhands/llb-frontend/integration/engine"
)

const (
	// baseImage is what all bases are made of: it has what the Dockerfiles run.
	baseImage = "debian:trixie-slim"
	outputs   = "scale/out" // the repository of the images that builds push
)

// world is a daemon and a registry that nobody else uses, and what they hold.
type world struct {
	*engine.Engine
	proxy    *proxy // between the daemon and the registry
	registry registryStore
	daemon   daemonStore
	lower    v1.Image // the Debian image
	frontend string   // our image, pinned by digest as in a spec that is kept
	made     map[string]v1.Hash
	contexts string // directories of build contexts
	builds   int    // contexts so far
	hasty    bool   // see options
}

// newWorld starts daemon and registry, and gives the registry the frontend's image
// and the Debian that bases are made of.
func newWorld(ctx context.Context, outer *engine.Engine) (*world, error) {
	if err := outer.Up(ctx); err != nil {
		return nil, err
	}
	if err := outer.Images(ctx, baseImage); err != nil {
		return nil, err
	}
	if err := outer.PublishFrontend(ctx); err != nil {
		return nil, err
	}
	inner, err := outer.Scale(ctx)
	if err != nil {
		return nil, err
	}
	w := &world{Engine: inner, made: map[string]v1.Hash{}}
	w.registry, w.daemon = registryStore(filepath.Join(inner.Dir(), "registry")), daemonStore(filepath.Join(inner.Dir(), "buildkit"))
	if err := w.fill(ctx, outer); err != nil {
		return nil, errors.Join(err, w.close(context.WithoutCancel(ctx)))
	}
	return w, nil
}

func (w *world) fill(ctx context.Context, outer *engine.Engine) error {
	var err error
	if w.contexts, err = os.MkdirTemp("", "scale"); err != nil {
		return err
	}
	if w.proxy, err = newProxy(ctx, w.Registry()); err != nil {
		return err
	}
	frontend, err := pull(ctx, outer.FrontendRef())
	if err != nil {
		return err
	}
	dgst, err := frontend.Digest()
	if err != nil {
		return err
	}
	w.frontend = frontendRepository + "@" + dgst.String()
	if err := w.push(ctx, w.frontend, frontend); err != nil {
		return err
	}
	if w.lower, err = pull(ctx, outer.BaseImage(baseImage)); err != nil {
		return err
	}
	return w.clean(ctx)
}

const frontendRepository = "openhands/llb-frontend"

// close ends daemon and registry. The registry keeps deps images and bases for the
// next run.
func (w *world) close(ctx context.Context) error {
	err := errors.Join(w.clean(ctx), w.Down(ctx))
	if w.proxy != nil {
		err = errors.Join(err, w.proxy.close())
	}
	return errors.Join(err, os.RemoveAll(w.contexts))
}

// clean empties the daemon's cache, and takes what builds have pushed out of the
// registry.
func (w *world) clean(ctx context.Context) error {
	if err := w.prune(ctx); err != nil {
		return err
	}
	return w.registry.remove(outputs)
}

// prune empties the daemon's cache and its history.
func (w *world) prune(ctx context.Context) error {
	for _, args := range [][]string{{"prune", "--all"}, {"prune-histories"}} {
		if out, err := w.Buildctl(ctx, args...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", args[0], err, out)
		}
	}
	return nil
}

// ref is what the daemon calls an image of the registry: it goes through the proxy.
func (w *world) ref(image string) string { return w.proxy.addr + "/" + image }

// context makes the build context of a way.
func (w *world) context(way way, deps v1.Hash) (string, error) {
	w.builds++
	dir := filepath.Join(w.contexts, fmt.Sprint(w.builds))
	if err := os.Mkdir(dir, 0o755); err != nil {
		return "", err
	}
	if way.code {
		if err := writeCheckout(filepath.Join(dir, checkout), 1); err != nil {
			return "", err
		}
	}
	return dir, way.write(dir, w.ref(w.frontend), w.ref(depsRepository+"@"+deps.String()))
}

// checkout is the directory of the server's code in a build context.
const checkout = "checkout"

// writeCheckout makes the server's code, of which a version differs in one line.
func writeCheckout(dir string, version int) error {
	for file, text := range map[string]string{
		"openhands/__init__.py": fmt.Sprintf("version = %d\n", version),
		"pyproject.toml":        "[project]\nname = \"openhands-ai\"\n",
		"poetry.lock":           "",
	} {
		path := filepath.Join(dir, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// push writes an image to the registry, past the proxy.
func (w *world) push(ctx context.Context, image string, img v1.Image) error {
	to, err := name.ParseReference(w.Registry()+"/"+image, name.Insecure)
	if err != nil {
		return err
	}
	return remote.Write(to, img, remote.WithContext(ctx))
}

func pull(ctx context.Context, ref string) (v1.Image, error) {
	r, err := name.ParseReference(ref, name.Insecure)
	if err != nil {
		return nil, err
	}
	return remote.Image(r, remote.WithContext(ctx))
}
