package engine

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// recipeVersion is part of every cached layer's path: raise it when a recipe
// changes.
const recipeVersion = "3"

// layerRecipe makes one layer of a base image. Its key names the cached result,
// so recipes that share a layer share its bytes.
type layerRecipe struct {
	key  string
	make func(ctx context.Context, e *Engine, arch string) (tree, error)
}

// imageRecipe makes a base image. With both architectures the image is an index
// of two, else a plain image for this machine's architecture.
type imageRecipe struct {
	config     v1.Config
	layers     []layerRecipe
	bothArchs  bool
	inExamples bool // specs below examples/ name it
}

// keys name what the image is made of.
func (r imageRecipe) keys() string {
	var keys []string
	for _, l := range r.layers {
		keys = append(keys, l.key)
	}
	return strings.Join(keys, ",")
}

// BaseImages lists the base images that the engine can make.
func BaseImages() []string { return slices.Sorted(maps.Keys(recipes())) }

// ExampleImages lists the base images that the examples need.
func ExampleImages() []string {
	all := recipes()
	return slices.DeleteFunc(BaseImages(), func(image string) bool { return !all[image].inExamples })
}

// BaseImage is the full reference of a base image in the local registry:
// "alpine:3.22" gives "127.0.0.1:5000/library/alpine:3.22".
func (e *Engine) BaseImage(image string) string {
	if strings.Contains(image, "/") {
		return e.Registry() + "/" + image
	}
	return e.Registry() + "/library/" + image
}

// Images makes the named base images and pushes them to the local registry,
// where buildkitd finds them as images of docker.io. What is there already is
// not made again.
func (e *Engine) Images(ctx context.Context, images ...string) error {
	e.imagesMu.Lock()
	defer e.imagesMu.Unlock()
	unlock, err := e.lockFile("images.lock") // tests of two packages may want the same one
	if err != nil {
		return err
	}
	defer unlock()
	all := recipes()
	for _, image := range images {
		recipe, ok := all[image]
		if !ok {
			return fmt.Errorf("unknown base image %q: there are %s", image, strings.Join(BaseImages(), ", "))
		}
		if err := e.image(ctx, image, recipe); err != nil {
			return fmt.Errorf("base image %s: %w", image, err)
		}
	}
	return nil
}

func (e *Engine) image(ctx context.Context, image string, recipe imageRecipe) error {
	tag, err := name.NewTag(e.BaseImage(image), name.StrictValidation)
	if err != nil {
		return err
	}
	// What was made of these layers before, and is still what the registry has.
	record := e.path("images", recipeVersion, strings.NewReplacer(":", "_", "/", "_").Replace(image)+".digest")
	made := func(digest string) string { return digest + " " + recipe.keys() }
	if want, err := os.ReadFile(record); err == nil {
		if have, err := remote.Head(tag, remote.WithContext(ctx)); err == nil && made(have.Digest.String()) == string(want) {
			return nil
		}
	}
	e.logf("making base image %s", image)
	archs := []string{runtime.GOARCH}
	if recipe.bothArchs {
		archs = []string{"amd64", "arm64"}
	}
	var built []v1.Image
	for _, arch := range archs {
		img, err := e.assemble(ctx, recipe, arch)
		if err != nil {
			return fmt.Errorf("%s: %w", arch, err)
		}
		built = append(built, img)
	}
	digest, err := push(ctx, tag, built, archs)
	if err != nil {
		return err
	}
	return os.WriteFile(record, []byte(made(digest.String())), 0o644)
}

func push(ctx context.Context, tag name.Tag, images []v1.Image, archs []string) (v1.Hash, error) {
	if len(images) == 1 {
		if err := remote.Write(tag, images[0], remote.WithContext(ctx)); err != nil {
			return v1.Hash{}, err
		}
		return images[0].Digest()
	}
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for i, img := range images {
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add:        img,
			Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: archs[i]}},
		})
	}
	if err := remote.WriteIndex(tag, index, remote.WithContext(ctx)); err != nil {
		return v1.Hash{}, err
	}
	return index.Digest()
}

func (e *Engine) assemble(ctx context.Context, recipe imageRecipe, arch string) (v1.Image, error) {
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	img, err := mutate.ConfigFile(img, &v1.ConfigFile{
		OS: "linux", Architecture: arch, Created: v1.Time{Time: epoch},
		Config: recipe.config, RootFS: v1.RootFS{Type: "layers"},
	})
	if err != nil {
		return nil, err
	}
	for _, lr := range recipe.layers {
		file, err := e.layer(ctx, lr, arch)
		if err != nil {
			return nil, fmt.Errorf("layer %s: %w", lr.key, err)
		}
		layer, err := tarball.LayerFromFile(file, tarball.WithMediaType(types.OCILayer))
		if err != nil {
			return nil, err
		}
		img, err = mutate.Append(img, mutate.Addendum{
			Layer:   layer,
			History: v1.History{Created: v1.Time{Time: epoch}, CreatedBy: "openhands engine: " + lr.key},
		})
		if err != nil {
			return nil, err
		}
	}
	return img, nil
}

// layer is the path of a layer's tar.gz, made when it is not cached.
func (e *Engine) layer(ctx context.Context, lr layerRecipe, arch string) (string, error) {
	file := e.path("images", recipeVersion, lr.key+"-"+arch+".tar.gz")
	if _, err := os.Stat(file); err == nil {
		return file, nil
	}
	t, err := lr.make(ctx, e, arch)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return "", err
	}
	f, err := os.Create(file + ".part")
	if err != nil {
		return "", err
	}
	defer f.Close()
	if err := t.write(f); err != nil {
		return "", err
	}
	if err := f.Close(); err != nil {
		return "", err
	}
	return file, os.Rename(f.Name(), file)
}
