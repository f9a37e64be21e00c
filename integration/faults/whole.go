package faults

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// Checker says whether tags lead to whole images. Blobs that it has read once it
// looks for, and does not read again.
type Checker struct {
	mu   sync.Mutex
	read map[v1.Hash]bool
}

// Whole fails where a tag leads to an image of which something is missing or has
// another digest than its name says: an index, a manifest, a config, a layer, an
// attestation. It returns the digests of the platforms' manifests, none where there is
// no such tag.
func (c *Checker) Whole(ctx context.Context, ref string) ([]v1.Hash, error) {
	r, err := name.ParseReference(ref, name.Insecure)
	if err != nil {
		return nil, err
	}
	desc, err := remote.Get(r, remote.WithContext(ctx)) // checks the manifest's digest
	var gone *transport.Error
	if errors.As(err, &gone) && gone.StatusCode == http.StatusNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ref, err)
	}
	if !desc.MediaType.IsIndex() {
		img, err := desc.Image()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", ref, err)
		}
		return []v1.Hash{desc.Digest}, c.image(ref, img)
	}
	index, err := desc.ImageIndex()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ref, err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ref, err)
	}
	var platforms []v1.Hash
	for _, m := range manifest.Manifests {
		img, err := index.Image(m.Digest)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", ref, m.Digest, err)
		}
		if err := c.image(ref, img); err != nil {
			return nil, err
		}
		if m.Platform != nil && m.Platform.OS != "unknown" { // an attestation
			platforms = append(platforms, m.Digest)
		}
	}
	return platforms, nil
}

// image reads config and layers; the readers compare digests.
func (c *Checker) image(ref string, img v1.Image) error {
	if _, err := img.RawConfigFile(); err != nil {
		return fmt.Errorf("%s: the config: %w", ref, err)
	}
	layers, err := img.Layers()
	if err != nil {
		return fmt.Errorf("%s: %w", ref, err)
	}
	for _, l := range layers {
		if err := c.layer(l); err != nil {
			return fmt.Errorf("%s: a layer: %w", ref, err)
		}
	}
	return nil
}

func (c *Checker) layer(l v1.Layer) error {
	digest, err := l.Digest()
	if err != nil {
		return err
	}
	c.mu.Lock()
	known := c.read[digest]
	c.mu.Unlock()
	rc, err := l.Compressed()
	if err != nil {
		return err
	}
	defer rc.Close()
	if known {
		return nil
	}
	if _, err := io.Copy(io.Discard, rc); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.read == nil {
		c.read = map[v1.Hash]bool{}
	}
	c.read[digest] = true
	return nil
}
