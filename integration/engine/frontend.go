package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// maxFrontendSize is what a frontend image may weigh, compressed, for one
// platform: every user of a syntax line downloads it. The Dockerfile says what
// keeps it small.
const maxFrontendSize = 10_000_000

// FrontendRef is the frontend image's reference in the local registry. A syntax
// line with [FrontendImage] finds the same image through buildkitd's mirror.
func (e *Engine) FrontendRef() string {
	_, path, _ := strings.Cut(FrontendImage, "/")
	return e.Registry() + "/" + path
}

// PublishFrontend builds the frontend image from the checkout with the
// repository's own Dockerfile and bake file, and pushes it to the local
// registry. The same source gives the same digest. With no platform it is
// built for the daemon's own.
func (e *Engine) PublishFrontend(ctx context.Context, platforms ...string) error {
	ref, err := name.ParseReference(e.FrontendRef())
	if err != nil {
		return err
	}
	args := []string{"frontend", "--provenance=false"}
	if len(platforms) > 0 {
		args = append(args, "--set", "*.platform="+strings.Join(platforms, ","))
	}
	e.logf("building the frontend image")
	if err := e.BakeFrontend(ctx, e.repo, ref.Context().Name(), args...); err != nil {
		return err
	}
	return e.reportFrontend(ctx)
}

// BakeFrontend calls bake in a checkout, with the targets and options of args, and
// pushes what it builds as image, under the tags of the bake file.
func (e *Engine) BakeFrontend(ctx context.Context, checkout, image string, args ...string) error {
	if err := e.Images(ctx, goImage()); err != nil {
		return err
	}
	modules, err := e.goModules(ctx)
	if err != nil {
		return err
	}
	commit := head(ctx, checkout)
	cmd := e.Buildx(ctx, append([]string{
		"bake", "--progress=plain",
		"--set", "*.contexts.gomod=" + modules,
		"--set", "*.args.SOURCE_DATE_EPOCH=" + commit.time,
		"--set", "*.output=type=registry,rewrite-timestamp=true,compression-level=9",
	}, args...)...)
	cmd.Dir = checkout
	cmd.Env = append(cmd.Env,
		"IMAGE="+image, "REVISION="+commit.revision,
		"BUILDX_BAKE_ENTITLEMENTS_FS=0", // the module cache lies outside the checkout
	)
	return e.run(cmd)
}

// reportFrontend prints the size of the image in the registry and holds it to
// its limit.
func (e *Engine) reportFrontend(ctx context.Context) error {
	ref, err := name.ParseReference(e.FrontendRef())
	if err != nil {
		return err
	}
	images, err := imagesOf(ctx, ref)
	if err != nil {
		return err
	}
	for _, img := range images {
		config, err := img.ConfigFile()
		if err != nil {
			return err
		}
		size, err := compressedSize(img)
		if err != nil {
			return err
		}
		e.logf("%s %s/%s: %.1f MB compressed", e.FrontendRef(), config.OS, config.Architecture, float64(size)/1e6)
		if size > maxFrontendSize {
			return fmt.Errorf("frontend image has %d bytes, the limit is %d", size, maxFrontendSize)
		}
	}
	return nil
}

// imagesOf returns the image, or all images of the index, behind ref.
func imagesOf(ctx context.Context, ref name.Reference) ([]v1.Image, error) {
	desc, err := remote.Get(ref, remote.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	if !desc.MediaType.IsIndex() {
		img, err := desc.Image()
		return []v1.Image{img}, err
	}
	index, err := desc.ImageIndex()
	if err != nil {
		return nil, err
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	var images []v1.Image
	for _, m := range manifest.Manifests {
		if m.Platform != nil && m.Platform.OS == "unknown" {
			continue // an attestation
		}
		img, err := index.Image(m.Digest)
		if err != nil {
			return nil, err
		}
		images = append(images, img)
	}
	return images, nil
}

func compressedSize(img v1.Image) (int64, error) {
	manifest, err := img.Manifest()
	if err != nil {
		return 0, err
	}
	size := manifest.Config.Size
	for _, layer := range manifest.Layers {
		size += layer.Size
	}
	return size, nil
}

type commit struct{ revision, time string }

// head describes a checkout. A copy of the source without git is fine.
func head(ctx context.Context, checkout string) commit {
	git := func(args ...string) (string, error) {
		out, err := exec.CommandContext(ctx, "git", append([]string{"-C", checkout}, args...)...).Output()
		return strings.TrimSpace(string(out)), err
	}
	revision, err1 := git("rev-parse", "HEAD")
	seconds, err2 := git("log", "-1", "--format=%ct")
	dirty, err3 := git("status", "--porcelain", "--", "frontend", "llb", "go.mod", "go.sum")
	if errors.Join(err1, err2, err3) != nil {
		return commit{revision: "unknown", time: "0"}
	}
	if dirty != "" {
		revision += "-dirty"
	}
	return commit{revision: revision, time: seconds}
}

// goModules fills a module download cache with what the root module needs, and
// nothing of the tools, so that it can be handed to the build as a context. The
// machine's own cache is asked first.
func (e *Engine) goModules(ctx context.Context) (string, error) {
	cache := e.path("gomod")
	download := filepath.Join(cache, "cache", "download")
	sum, err := os.ReadFile(filepath.Join(e.repo, "go.sum"))
	if err != nil {
		return "", err
	}
	stamp := filepath.Join(cache, "go.sum")
	if have, err := os.ReadFile(stamp); err == nil && string(have) == string(sum) {
		return download, nil
	}
	goEnv, err := exec.CommandContext(ctx, "go", "env", "GOMODCACHE", "GOPROXY").Output()
	if err != nil {
		return "", fmt.Errorf("go env: %w", err)
	}
	host, proxy, _ := strings.Cut(strings.TrimSpace(string(goEnv)), "\n")
	cmd := exec.CommandContext(ctx, "go", "list", "-deps", "-test", "./...")
	cmd.Dir = e.repo
	cmd.Env = append(os.Environ(), "GOMODCACHE="+cache, "GOFLAGS=-mod=readonly -modcacherw",
		"GOPROXY=file://"+filepath.Join(host, "cache", "download")+","+proxy)
	if err := e.run(cmd); err != nil {
		return "", err
	}
	return download, os.WriteFile(stamp, sum, 0o644)
}
