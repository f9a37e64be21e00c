package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/openhands/llb-frontend/integration/engine"
)

// BenchmarkFurtherBase is the time of one more base image on a daemon that has
// built others: the same /openhands, pushed to the registry that holds base and
// deps. All ways run side by side in one call, because machines are noisy.
//
//	make bench
func BenchmarkFurtherBase(b *testing.B) {
	deps, err := depsImage()
	if err != nil {
		b.Fatal(err)
	}
	spec := "# syntax=" + engine.FrontendImage + "\nbase_image: %s\ndeps_image: " + deps + "\n"
	for _, way := range []struct{ name, file string }{
		{"frontend/nothing-read", spec + "user: root\n"},
		{"frontend/base-read", spec},
		{"dockerfile/copy-link", "FROM " + deps + " AS deps\nFROM %s\nCOPY --link --from=deps /openhands /openhands\n"},
		{"dockerfile/useradd-chown", "FROM " + deps + " AS deps\nFROM %s\nCOPY --from=deps /openhands /openhands\n" +
			"RUN groupadd -g 1000 openhands && useradd -u 1000 -g 1000 -m -s /bin/bash openhands && mkdir -p /workspace && chown -R openhands:openhands /workspace /openhands\n"},
	} {
		b.Run(way.name, func(b *testing.B) {
			dir := b.TempDir()
			known := depsLayers(b)
			benchmarkBuild(b, dir, way.file, known) // the first one pays for what all share
			b.ResetTimer()
			var bytes int64
			for range b.N {
				bytes += benchmarkBuild(b, dir, way.file, known)
			}
			b.ReportMetric(float64(bytes)/float64(b.N), "new-bytes/op")
		})
	}
}

// benchmarkBuild builds for a base that nobody has seen, and returns how many
// bytes of layers the registry did not have before. known are those that it
// has; the image's are added.
func benchmarkBuild(b *testing.B, dir, file string, known map[string]bool) int64 {
	b.StopTimer()
	base := freshBase(b, known)
	spec := filepath.Join(dir, engine.SpecFile)
	if err := os.WriteFile(spec, fmt.Appendf(nil, file, base), 0o644); err != nil {
		b.Fatal(err)
	}
	image := "bench/result:latest"
	b.StartTimer()
	res, err := eng.Build(b.Context(), engine.BuildOptions{Spec: spec, Image: image, Args: []string{"--provenance=false"}})
	b.StopTimer()
	defer b.StartTimer()
	if err != nil {
		b.Fatal(err)
	}
	m, err := pulled(b, res.Ref, "amd64").Manifest()
	if err != nil {
		b.Fatal(err)
	}
	var added int64
	for _, l := range m.Layers {
		if !known[l.Digest.String()] {
			added += l.Size
		}
		known[l.Digest.String()] = true
	}
	return added
}

var benchmarkBases int

// freshBase pushes a Debian base with a config, and so a digest, of its own.
func freshBase(b *testing.B, known map[string]bool) string {
	benchmarkBases++
	img := pulled(b, eng.BaseImage("debian:trixie-slim"), "amd64")
	for _, digest := range layers(b, img) {
		known[digest] = true
	}
	config := configOf(b, img).DeepCopy()
	config.Config.Env = append(config.Config.Env, fmt.Sprintf("BENCHMARK=%d-%d", os.Getpid(), benchmarkBases))
	img, err := mutate.ConfigFile(img, config)
	if err != nil {
		b.Fatal(err)
	}
	to, err := name.ParseReference(fmt.Sprintf("%s/bench/base:%d", eng.Registry(), benchmarkBases), name.Insecure)
	if err != nil {
		b.Fatal(err)
	}
	if err := remote.Write(to, img); err != nil {
		b.Fatal(err)
	}
	return to.String()
}

func depsLayers(b *testing.B) map[string]bool {
	deps, err := depsImage()
	if err != nil {
		b.Fatal(err)
	}
	known := map[string]bool{}
	for _, digest := range layers(b, pulled(b, deps, "amd64")) {
		known[digest] = true
	}
	return known
}
