package frontend

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/containerd/platforms"
	"github.com/distribution/reference"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerui"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/openhands/llb-frontend/frontend/lock"
	ohllb "github.com/openhands/llb-frontend/llb"
	"github.com/openhands/llb-frontend/llb/imageconfig"
)

// imageKey says which key of the spec names an image, for names of vertices and
// for errors.
type imageKey struct {
	path string // in the spec
	step string // in names of vertices
}

func (k imageKey) what() string { return k.step + " image" }

var (
	baseKey    = imageKey{"base_image", "base"}
	depsKey    = imageKey{"deps_image", "deps"}
	builderKey = imageKey{"deps.builder", "builder"}
)

func (r *request) base(ctx context.Context, p ocispecs.Platform) (ohllb.Image, error) {
	return r.image(ctx, baseKey, r.doc.Spec.BaseImage, p)
}

// image resolves a reference to a state and a config: a named context of the
// request (--build-context) where there is one, else the registry. No layer is
// pulled by it.
func (r *request) image(ctx context.Context, key imageKey, ref string, p ocispecs.Platform) (ohllb.Image, error) {
	img := ohllb.Image{Ref: ref, Config: imageconfig.Empty(p)}
	named, err := r.NamedContext(ref, dockerui.ContextOpt{Platform: &p, ResolveMode: r.ImageResolveMode.String(), CaptureDigest: &img.Digest})
	if err != nil {
		return img, r.imageError(key, ref, p, err)
	}
	switch {
	case named != nil:
		st, config, err := named.Load(ctx)
		if err != nil {
			return img, r.imageError(key, ref, p, err)
		}
		img.State = *st
		if config != nil {
			img.Config = *config
		}
	case ref == dockerui.EmptyImageName:
		img.State = llb.Scratch()
		return img, nil
	default:
		if img.State, err = r.registryImage(ctx, key, ref, p, &img); err != nil {
			return img, r.imageError(key, ref, p, err)
		}
	}
	return img, r.checkPlatform(key, img, p)
}

// maxConfig is what an image's config may have: it goes into the result, once as
// it is and once patched, and more than 16 MB BuildKit does not hand over at all.
const maxConfig = 1 << 20

type largeConfigError struct{ size int }

func (e *largeConfigError) Error() string {
	return fmt.Sprintf("the config has %d bytes, and at most %d are taken", e.size, maxConfig)
}

// registryImage pins the reference to the digest that it has now, so that the
// graph of one request means one image.
func (r *request) registryImage(ctx context.Context, key imageKey, ref string, p ocispecs.Platform, img *ohllb.Image) (llb.State, error) {
	ref, err := r.pinnedByLock(ref)
	if err != nil {
		return llb.State{}, err
	}
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return llb.State{}, err
	}
	name := reference.TagNameOnly(named).String()
	resolved, dgst, config, err := r.GatewayClient().ResolveImageConfig(ctx, name, sourceresolver.Opt{
		LogName: fmt.Sprintf("[internal] load metadata for %s", name),
		ImageOpt: &sourceresolver.ResolveImageOpt{
			Platform:    &p,
			ResolveMode: r.ImageResolveMode.String(),
		},
	})
	if err != nil {
		return llb.State{}, err
	}
	if len(config) > maxConfig {
		return llb.State{}, &largeConfigError{len(config)}
	}
	if err := json.Unmarshal(config, &img.Config); err != nil {
		return llb.State{}, fmt.Errorf("read the config of %s: %w", resolved, err)
	}
	img.Digest, img.Registry = dgst, true
	pinned, err := pin(resolved, dgst)
	if err != nil {
		return llb.State{}, err
	}
	in := r.input(p)
	opts := []llb.ImageOption{llb.Platform(p), r.ImageResolveMode}
	for _, o := range in.Step(key.step, key.path, pinned) {
		opts = append(opts, o)
	}
	return llb.Image(pinned, opts...).WithImageConfig(config)
}

// checkPlatform refuses an image that was made for another platform: a
// registry gives a single-platform image to everyone who asks. What a config does
// not say is as the request has it.
func (r *request) checkPlatform(key imageKey, img ohllb.Image, p ocispecs.Platform) error {
	got := img.Config.Platform
	if got.OS == "" {
		got.OS = p.OS
	}
	if got.Architecture == "" {
		got.Architecture, got.Variant = p.Architecture, p.Variant
	}
	if platforms.Only(p).Match(platforms.Normalize(got)) {
		return nil
	}
	return r.input(p).Problem(key.path, fmt.Errorf("%s %q is for %s, not for %s: name an image that has this platform, or build with --platform %s",
		key.what(), img.Ref, platforms.Format(platforms.Normalize(got)), platforms.Format(p), platforms.Format(platforms.Normalize(got))))
}

// wrongBytes says whether a registry, or what is between, sent something else than the
// digest that was asked for. BuildKit passes on text of containerd's content store.
func wrongBytes(err error) bool { return strings.Contains(err.Error(), "unexpected commit digest") }

// wrongBytesRemedy is for a builder that takes the bytes it has got for the beginning
// of the right ones, until it cleans up.
const wrongBytesRemedy = "what came has another digest, and the builder keeps it: when the registry sends the right bytes again, run docker buildx prune"

// imageError says what to do about an image that cannot be had. Registries
// differ in their words and BuildKit passes on text, so text is what is looked
// at; the original is kept.
func (r *request) imageError(key imageKey, ref string, p ocispecs.Platform, err error) error {
	text := err.Error()
	contains := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(text, w) {
				return true
			}
		}
		return false
	}
	remedy := "check the reference and the builder's access to the registry"
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case errors.As(err, new(*largeConfigError)), contains("message larger than max"):
		remedy = "its config is too large: shorten labels and environment"
	case wrongBytes(err): // first: digests hold any number
		remedy = wrongBytesRemedy
	case isNoMatch(err):
		remedy = fmt.Sprintf("it has no variant for %s: name an image that has one, or build for another --platform", platforms.Format(p))
	case contains("401", "403", "unauthorized", "authorization failed", "insufficient_scope", "denied"):
		remedy = "it does not exist or needs a login: check the name, or run docker login for its registry"
	case contains("not found", "404"):
		remedy = "it does not exist: check name and tag"
		if dgst, ok := r.locked.lock.Image(ref); ok {
			remedy = fmt.Sprintf("%s has it as %s, which the registry does not have: refresh the lock by %s", lock.Name, dgst, r.lockCommand())
		}
	}
	return r.input(p).Problem(key.path, fmt.Errorf("%s %q: %s: %w", key.what(), ref, remedy, err))
}

// isNoMatch knows an image that lacks a platform.
func isNoMatch(err error) bool { return strings.Contains(err.Error(), "no match for platform") }

// pin adds a digest to a reference that has none.
func pin(ref string, dgst digest.Digest) (string, error) {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil || dgst == "" {
		return ref, err
	}
	if _, ok := named.(reference.Digested); ok {
		return named.String(), nil
	}
	pinned, err := reference.WithDigest(named, dgst)
	if err != nil {
		return "", err
	}
	return pinned.String(), nil
}
