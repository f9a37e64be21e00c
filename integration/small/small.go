// Package small makes images of some kB, of no use but to be composed.
package small

import (
	"archive/tar"
	"bytes"
	"io"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"

	ohllb "github.com/openhands/llb-frontend/llb"
)

// Deps is a deps image of a name, with labels as the deps target writes them.
func Deps(name string, size int) (v1.Image, error) {
	img, err := Image(map[string]string{
		ohllb.LabelDepsVersion: ohllb.DepsVersion, ohllb.LabelDepsTools: "bash,tmux", ohllb.LabelDepsComponents: "lib,tools,init",
	})
	if err != nil {
		return nil, err
	}
	return OnTop(img, "deps "+name, map[string]string{"openhands/name": name, "openhands/noise": Noise(name, size)})
}

// Image is one of this machine's architecture without a layer.
func Image(labels map[string]string) (v1.Image, error) {
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	return mutate.ConfigFile(img, &v1.ConfigFile{
		OS: "linux", Architecture: runtime.GOARCH, RootFS: v1.RootFS{Type: "layers"}, Config: v1.Config{Labels: labels},
	})
}

// OnTop adds a layer of files to an image. The text is what its history says of it.
func OnTop(img v1.Image, text string, files map[string]string) (v1.Image, error) {
	var b bytes.Buffer
	tw := tar.NewWriter(&b)
	for _, file := range slices.Sorted(maps.Keys(files)) {
		if err := tw.WriteHeader(&tar.Header{Name: file, Size: int64(len(files[file])), Mode: 0o644}); err != nil {
			return nil, err
		}
		if _, err := io.WriteString(tw, files[file]); err != nil {
			return nil, err
		}
	}
	if err := tw.Close(); err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil },
		tarball.WithMediaType(types.OCILayer))
	if err != nil {
		return nil, err
	}
	return mutate.Append(img, mutate.Addendum{Layer: layer, History: v1.History{CreatedBy: text}})
}

// Noise is bytes that do not compress, the same for the same name.
func Noise(name string, size int) string {
	var seed [32]byte
	copy(seed[:], name)
	b := make([]byte, size)
	_, _ = rand.NewChaCha8(seed).Read(b) // never fails
	return string(b)
}

// Push puts an image into a registry that needs no TLS.
func Push(to string, img v1.Image) error {
	ref, err := name.ParseReference(to, name.Insecure)
	if err != nil {
		return err
	}
	return remote.Write(ref, img)
}
