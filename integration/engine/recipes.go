package engine

import (
	"runtime"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

const defaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// recipes are the base images by the name under which docker.io has, or could
// have, them.
func recipes() map[string]imageRecipe {
	trixie := debianLayer("trixie")
	bash := v1.Config{Env: []string{defaultPath}, Cmd: []string{"bash"}}
	alpine := v1.Config{Env: []string{defaultPath}, Cmd: []string{"/bin/sh"}}
	return map[string]imageRecipe{
		"debian:bullseye-slim": {config: bash, layers: []layerRecipe{debianLayer("bullseye")}},
		"debian:bookworm-slim": {config: bash, layers: []layerRecipe{debianLayer("bookworm")}, bothArchs: true},
		"debian:trixie-slim":   {config: bash, layers: []layerRecipe{trixie}, bothArchs: true, inExamples: true},

		// Alpine-like: see alpineLayer.
		"alpine:3.22": {
			config:    alpine,
			layers:    []layerRecipe{alpineLayer},
			bothArchs: true, inExamples: true,
		},

		// Distroless-like: one static program; no shell, no libc, no accounts.
		"distroless:latest": {
			config:    v1.Config{Env: []string{"PATH=/bin"}, Entrypoint: []string{"/bin/base-program"}, User: "65532"},
			layers:    []layerRecipe{distrolessLayer},
			bothArchs: true, inExamples: true,
		},

		// The user id 1000 is taken, as in the images of node, and the base has
		// an entrypoint of its own.
		"node:22-slim": {
			config: v1.Config{Env: []string{defaultPath, "NODE_VERSION=22.0.0"}, Cmd: []string{"node"}, Entrypoint: []string{"docker-entrypoint.sh"}},
			layers: []layerRecipe{trixie, nodeLayer}, inExamples: true,
		},

		// /home and /bin are symlinks.
		"symlinks:latest": {config: bash, layers: []layerRecipe{trixie, symlinksLayer}},

		"debian:sid-slim": {config: bash, layers: []layerRecipe{debianLayer("sid")}, bothArchs: true},

		// The base's environment and files stand in the way of foreign programs.
		"cuda-like:latest": {
			config: withEnv(bash, "LD_LIBRARY_PATH=/usr/local/nvidia/lib:/usr/local/cuda/lib64"),
			layers: []layerRecipe{debianLayer("bookworm"), cudaLayer}, bothArchs: true,
		},
		"jemalloc:latest":     {config: withEnv(bash, "LD_PRELOAD=/"+jemalloc), layers: []layerRecipe{debianLayer("bookworm"), jemallocLayer}, bothArchs: true},
		"musl-preload:latest": {config: withEnv(alpine, "LD_PRELOAD=/"+muslPreloadPath), layers: []layerRecipe{alpineLayer, muslPreloadLayer}},
		"lib64:latest":        {config: alpine, layers: []layerRecipe{alpineLayer, lib64Layer}, bothArchs: true},
		"nsswitch:latest":     {config: bash, layers: []layerRecipe{debianLayer("bookworm"), nsswitchLayer}, bothArchs: true},

		// A builder that runs under emulation: the foreign trixie is only what
		// its essential packages hold.
		"builder:trixie": {config: bash, layers: []layerRecipe{trixie, aptLayer}, bothArchs: true},

		Scanner: {config: v1.Config{Entrypoint: []string{"/bin/scanner"}}, layers: []layerRecipe{scannerLayer}},

		// What our Dockerfile is built with, from this machine's Go.
		goImage(): {
			config: v1.Config{
				Env:        []string{strings.Replace(defaultPath, "=", "=/go/bin:/usr/local/go/bin:", 1), "GOTOOLCHAIN=local", "GOPATH=/go", "GOLANG_VERSION=" + goVersion()},
				Cmd:        []string{"bash"},
				WorkingDir: "/go",
			},
			layers: []layerRecipe{trixie, goLayer()},
		},
	}
}

func withEnv(config v1.Config, kv ...string) v1.Config {
	config.Env = append(slices.Clip(config.Env), kv...)
	return config
}

// goImage is the name of the golang image that the Dockerfile starts from:
// golang:1.26 for every patch release of Go 1.26.
func goImage() string {
	parts := strings.SplitN(goVersion(), ".", 3)
	return "golang:" + strings.Join(parts[:min(2, len(parts))], ".")
}

func goVersion() string { return strings.TrimPrefix(runtime.Version(), "go") }

// goLayer holds the Go distribution that runs this program, without what a
// build does not read.
func goLayer() layerRecipe {
	return layerRecipe{key: "go-" + goVersion(), make: makeGoLayer}
}

// skipOfGo reports whether a path of GOROOT is of no use to a build.
func skipOfGo(rel string) bool {
	top, _, _ := strings.Cut(rel, "/")
	return slices.Contains([]string{"test", "api", "doc", "misc"}, top) ||
		strings.HasSuffix(rel, "_test.go") || strings.HasSuffix(rel, "/testdata")
}
