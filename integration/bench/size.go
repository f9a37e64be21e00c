package main

import (
	"context"
	"io"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// size is what the layers of an image weigh, without those of its base.
type size struct{ compressed, unpacked int64 }

func (b *bench) sizeOf(ctx context.Context, image string) (size, error) {
	below, err := pull(ctx, b.BaseImage(base))
	if err != nil {
		return size{}, err
	}
	lower, err := below.Layers()
	if err != nil {
		return size{}, err
	}
	img, err := pull(ctx, b.Registry()+"/"+image)
	if err != nil {
		return size{}, err
	}
	layers, err := img.Layers()
	if err != nil {
		return size{}, err
	}
	var total size
	for _, l := range layers[len(lower):] {
		n, err := l.Size()
		if err != nil {
			return size{}, err
		}
		total.compressed += n
		if n, err = unpackedSize(l); err != nil {
			return size{}, err
		}
		total.unpacked += n
	}
	return total, nil
}

func unpackedSize(l v1.Layer) (int64, error) {
	r, err := l.Uncompressed()
	if err != nil {
		return 0, err
	}
	defer r.Close()
	return io.Copy(io.Discard, r)
}

func pull(ctx context.Context, ref string) (v1.Image, error) {
	r, err := name.ParseReference(ref, name.Insecure)
	if err != nil {
		return nil, err
	}
	return remote.Image(r, remote.WithContext(ctx), remote.WithPlatform(v1.Platform{OS: "linux", Architecture: "amd64"}))
}
