package main

import (
	"archive/tar"
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/stream"
	"github.com/google/go-containerregistry/pkg/v1/types"

	ohllb "github.com/openhands/llb-frontend/llb"
)

const (
	depsRepository = "scale/deps"
	// payloadVersion is part of every deps image's name: raise it when what is below
	// makes other bytes.
	payloadVersion = 1
)

// payload is a deps image that holds files of no meaning: its labels are those
// that the deps target writes.
type payload struct {
	size   int64 // unpacked, in bytes
	layers int
	// other makes different bytes of the same size.
	other bool
	// code leaves the server's code to server.source.
	code bool
}

func (p payload) tag() string {
	tag := fmt.Sprintf("v%d-%d-%d", payloadVersion, p.size, p.layers)
	if p.other {
		tag += "-other"
	}
	return tag
}

// deps is the digest of a deps image in the registry, which is made at its first
// use and never held in memory.
func (w *world) deps(ctx context.Context, p payload) (v1.Hash, error) {
	ref, err := name.ParseReference(w.Registry()+"/"+depsRepository+":"+p.tag(), name.Insecure)
	if err != nil {
		return v1.Hash{}, err
	}
	img, err := remote.Image(ref, remote.WithContext(ctx))
	if err != nil {
		fmt.Fprintf(os.Stderr, "scale: making /openhands of %s in %d layers\n", formatBytes(p.size), p.layers)
		if img, err = p.image(); err != nil {
			return v1.Hash{}, err
		}
		if err := remote.Write(ref, img, remote.WithContext(ctx), remote.WithJobs(runtime.NumCPU())); err != nil {
			return v1.Hash{}, err
		}
	}
	if p.code {
		if img, err = withLabels(img, labels("action-execution-server", "lib,tools,init,python,python-deps")); err != nil {
			return v1.Hash{}, err
		}
		if err := w.push(ctx, depsRepository+":"+p.tag()+"-source", img); err != nil {
			return v1.Hash{}, err
		}
	}
	return img.Digest()
}

func (p payload) image() (v1.Image, error) {
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	img, err := mutate.ConfigFile(img, &v1.ConfigFile{
		OS: "linux", Architecture: runtime.GOARCH, RootFS: v1.RootFS{Type: "layers"},
		Config: v1.Config{Labels: labels("", "lib,tools,init")},
	})
	if err != nil {
		return nil, err
	}
	for i := range p.layers {
		r, w := io.Pipe()
		go func() { w.CloseWithError(p.writeLayer(w, i)) }()
		img, err = mutate.Append(img, mutate.Addendum{
			Layer:   stream.NewLayer(r, stream.WithMediaType(types.OCILayer)),
			History: v1.History{CreatedBy: fmt.Sprintf("layer %d of /openhands", i)},
		})
		if err != nil {
			return nil, err
		}
	}
	return img, nil
}

func labels(server, components string) map[string]string {
	l := map[string]string{
		ohllb.LabelDepsVersion:    ohllb.DepsVersion,
		ohllb.LabelDepsTools:      "bash,tmux",
		ohllb.LabelDepsComponents: components,
	}
	if server != "" {
		l[ohllb.LabelDepsServer] = server
	}
	return l
}

func withLabels(img v1.Image, labels map[string]string) (v1.Image, error) {
	config, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.Config.Labels = labels
	return mutate.ConfigFile(img, config)
}

// fileSizes are what files have in turn: 57 kB on average, as in the real
// /openhands of 2.4 GB in 52,000 files, most of them small.
var fileSizes = []int64{1 << 10, 1 << 14, 1 << 11, 1 << 18, 1 << 12, 1 << 15, 1 << 13, 1 << 17, 1 << 16}

// writeLayer writes one layer's share of the files, as a tar.
func (p payload) writeLayer(w io.Writer, layer int) error {
	buffered := bufio.NewWriterSize(w, 1<<20)
	tw := tar.NewWriter(buffered)
	content := newContent(p, layer)
	dir := func(path string) error {
		return tw.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: path, Mode: 0o755, Format: tar.FormatPAX})
	}
	root := fmt.Sprintf("openhands/part%d/", layer)
	for _, d := range []string{"openhands/", root} {
		if err := dir(d); err != nil {
			return err
		}
	}
	left := p.size / int64(p.layers)
	for i := 0; left > 0; i++ {
		parent := fmt.Sprintf("%sd%d/", root, i/100)
		if i%100 == 0 {
			if err := dir(parent); err != nil {
				return err
			}
		}
		size := min(left, fileSizes[i%len(fileSizes)])
		left -= size
		if err := tw.WriteHeader(&tar.Header{Name: fmt.Sprintf("%sf%d", parent, i), Size: size, Mode: 0o644, Format: tar.FormatPAX}); err != nil {
			return err
		}
		if _, err := io.CopyN(tw, content, size); err != nil {
			return err
		}
	}
	if err := tw.Close(); err != nil {
		return err
	}
	return buffered.Flush()
}

// content is endless bytes that compress to about half: random ones and text in
// turn, the same for the same layer of the same payload.
type content struct{ random *rand.ChaCha8 }

func newContent(p payload, layer int) *content {
	var seed [32]byte
	copy(seed[:], fmt.Sprintf("%s/%d", strings.TrimSuffix(p.tag(), "-source"), layer))
	return &content{rand.NewChaCha8(seed)}
}

func (c *content) Read(b []byte) (int, error) {
	const block = 1 << 12
	for rest := b; len(rest) > 0; rest = rest[min(block, len(rest)):] {
		part := rest[:min(block, len(rest))]
		half := part[:len(part)/2]
		_, _ = c.random.Read(half) // never fails
		for i := range part[len(half):] {
			part[len(half)+i] = "openhands "[i%10]
		}
	}
	return len(b), nil
}
