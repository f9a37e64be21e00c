package integration

import (
	"strings"
	"testing"

	"github.com/openhands/llb-frontend/integration/engine"
)

// TestCompatCache: what is built again, and where results are kept.
func TestCompatCache(t *testing.T) {
	t.Run("--no-cache-filter", noCacheFilter)
	t.Run("--cache-to", cacheTo)
	t.Run("BUILDKIT_CACHE_MOUNT_NS", cacheNamespace)
	t.Run("--pull", pull)
}

// noCacheFilter names a component, or another step.
func noCacheFilter(t *testing.T) {
	prebuilt(t) // has built the same components
	log := build(t, "base_image: scratch\n", "--target=deps", "--no-cache-filter=init").Log
	if !fromCache(log, "tools") || fromCache(log, "init") {
		t.Errorf("tools from the cache: %t, init: %t\n%s", fromCache(log, "tools"), fromCache(log, "init"), log)
	}
	yaml := plain(t, "extra_deps: echo "+random(t)+"\n")
	build(t, yaml)
	for filter, want := range map[string]bool{"--no-cache-filter=lib,tools": true, "--no-cache-filter=run": false, "--no-cache": false} {
		log := build(t, yaml, filter).Log
		if got := cached(t, log, "[run] echo"); got != want {
			t.Errorf("%s: the command is cached: %t\n%s", filter, got, log)
		}
	}
}

// cacheTo: a daemon that has never run a command takes its result from the
// cache of one that has.
func cacheTo(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct{ to, from string }{
		{"--cache-to=type=inline", "type=registry,ref=" + eng.Registry() + "/" + imageName(t)},
		{"--build-arg=BUILDKIT_INLINE_CACHE=1", "type=registry,ref=" + eng.Registry() + "/" + imageName(t)},
		{"--cache-to=type=registry,mode=max,ref=" + eng.Registry() + "/test/compat-cache", "type=registry,ref=" + eng.Registry() + "/test/compat-cache"},
		{"--cache-to=type=local,mode=max,dest=" + dir, "type=local,src=" + dir},
	} {
		token := random(t)
		yaml := plain(t, "extra_deps: echo "+token+" >/made\n")
		build(t, yaml, tt.to)
		buildctl(t, "prune", "--all", "--filter", "description~="+token)
		res := build(t, yaml, "--cache-from="+tt.from)
		contains(t, res.Log, "importing cache manifest")
		if !cached(t, res.Log, "[run] echo") {
			t.Errorf("%s: the command runs again\n%s", tt.to, res.Log)
		}
		contains(t, run(t, engine.RunOptions{Image: imageName(t), Args: []string{"cat", "/made"}}), token)
	}
}

// cacheNamespace: cache directories are those of the namespace. The archive
// cannot be reached, so the build ends when the directory is there.
func cacheNamespace(t *testing.T) {
	space := "ns" + random(t)
	log := buildFails(t, "base_image: debian:trixie-slim\ndeps_image: "+prebuilt(t)+
		"\nmirrors: {apt: \"http://127.0.0.1:9\"}\nextra_deps: {packages: [less]}\n", "--build-arg=BUILDKIT_CACHE_MOUNT_NS="+space)
	contains(t, log, "127.0.0.1:9")
	if du := buildctl(t, "du", "--verbose", "--filter", "type==exec.cachemount"); !strings.Contains(du, space+"/openhands-apt-debian-13-amd64") {
		t.Errorf("no cache directory of the namespace %s is in\n%s", space, du)
	}
}

// pull: a tag that has moved is looked up again.
func pull(t *testing.T) {
	for _, want := range []string{"first", "second"} {
		base := relabelled(t, eng.BaseImage("alpine:3.22"), "which", want)
		res := build(t, "base_image: "+base+"\ndeps_image: "+prebuilt(t)+"\nuser: root\n", "--pull")
		if got := label(t, res.Ref, "which"); got != want {
			t.Errorf("the base is the %s, want the %s", got, want)
		}
	}
}
