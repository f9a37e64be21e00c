package integration

import (
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/openhands/llb-frontend/integration/engine"
)

func TestDepsLayersAreTheSameEverywhere(t *testing.T) {
	deps := prebuilt(t)
	want := layers(t, pulled(t, deps, "amd64"))
	for _, base := range []string{"debian:trixie-slim", "alpine:3.22", "distroless:latest"} {
		for how, yaml := range map[string]string{
			"prebuilt":     "deps_image: " + deps + "\n",
			"in the graph": "",
		} {
			t.Run(base+" "+how, func(t *testing.T) {
				image := "test/same-" + strings.ReplaceAll(base, ":", "-") + "-" + strings.ReplaceAll(how, " ", "-") + ":latest"
				res := buildAs(t, image, "base_image: "+base+"\n"+yaml)
				img := pulled(t, res.Ref, "amd64")
				got := layers(t, img)
				below := layers(t, pulled(t, eng.BaseImage(base), "amd64"))
				if n := len(below); !slices.Equal(got[:n], below) {
					t.Errorf("base layers changed: %q, want %q", got[:n], below)
				}
				if rest := got[len(below):]; !slices.Equal(rest[:len(want)], want) {
					t.Errorf("/openhands layers are %q, want those of the deps image, %q", rest[:len(want)], want)
				}
				for i := range got[len(below)+len(want):] {
					for name := range files(t, img, len(below)+len(want)+i) {
						if strings.HasPrefix(name, "/openhands") {
							t.Errorf("a layer above holds %s a second time", name)
						}
					}
				}
				if history := configOf(t, img).History; len(history) < len(got) {
					t.Errorf("%d history entries for %d layers", len(history), len(got))
				}
			})
		}
	}
}

func TestDepsImageHoldsOnlyOpenhands(t *testing.T) {
	for _, arch := range []string{"amd64", "arm64"} {
		img := pulled(t, prebuilt(t), arch)
		for i := range layers(t, img) {
			for name, h := range files(t, img, i) {
				switch {
				case name != "/openhands" && !strings.HasPrefix(name, "/openhands/"):
					t.Errorf("%s: layer %d holds %s", arch, i, name)
				case h.Uid != 0 || h.Gid != 0:
					t.Errorf("%s: %s belongs to %d:%d", arch, name, h.Uid, h.Gid)
				case h.Mode&0o6022 != 0 && h.Typeflag != '2':
					t.Errorf("%s: %s has mode %o: somebody else can write it, or it is setuid", arch, name, h.Mode)
				case h.ModTime.Unix() != 0:
					t.Errorf("%s: %s has the time %v", arch, name, h.ModTime)
				}
			}
		}
	}
}

// With nothing to read, no layer of base or deps is pulled: what the daemon
// keeps beside the frontend's own image is less than a megabyte.
func TestNothingIsPulled(t *testing.T) {
	deps := prebuilt(t)
	prune(t)
	yaml := fmt.Sprintf("base_image: %s\ndeps_image: %s\nuser: root\n", eng.BaseImage("debian:trixie-slim"), deps)
	res := build(t, yaml)
	if got := usage(t); got >= 1e6 {
		t.Errorf("the build leaves %d bytes in the daemon, want less than 1 MB\n%s", got, diskUsage(t))
	}
	// And it is a whole image all the same.
	contains(t, run(t, engine.RunOptions{Image: imageName(t), Args: []string{"tmux", "-V"}}), "tmux 3")
	if user := configOf(t, pulled(t, res.Ref, "amd64")).Config.User; user != "0" {
		t.Errorf("USER is %q", user)
	}
}

// prune empties the daemon but for cache mounts, which hold the frontend's
// compiled packages and are no part of any image.
func prune(t *testing.T) {
	t.Helper()
	buildctl(t, "prune", "--all", "--filter", "type!=exec.cachemount")
}

func diskUsage(t *testing.T) string {
	t.Helper()
	return buildctl(t, "du", "--verbose", "--filter", "type!=exec.cachemount")
}

func buildctl(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command(eng.Bin("buildctl"), args...)
	cmd.Env = eng.Env()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("buildctl %q: %v\n%s", args, err, out)
	}
	return string(out)
}

// usage adds up what the daemon holds, without the frontend's own image.
func usage(t *testing.T) int64 {
	t.Helper()
	sizes := regexp.MustCompile(`(?m)^Size:\s+([0-9.]+)(B|kB|MB|GB)`)
	units := map[string]float64{"B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9}
	var total float64
	for _, record := range strings.Split(diskUsage(t), "\n\n") {
		m := sizes.FindStringSubmatch(record)
		if m == nil || strings.Contains(record, "pulled from "+engine.FrontendImage[:strings.LastIndex(engine.FrontendImage, ":")]) {
			continue
		}
		n, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			t.Fatal(err)
		}
		total += n * units[m[2]]
	}
	return int64(total)
}

func TestTwoPlatformsWithEmulationOff(t *testing.T) {
	deps := prebuilt(t)
	yaml := fmt.Sprintf("base_image: debian:trixie-slim\nplatforms: [linux/amd64, linux/arm64]\ndeps_image: %s\n", deps)
	t.Setenv("SOURCE_DATE_EPOCH", "1700000000")
	image := eng.Registry() + "/" + imageName(t)
	res, err := eng.Build(t.Context(), engine.BuildOptions{
		Spec: writeSpec(t, yaml),
		Args: []string{"--output", "type=image,name=" + image + ",push=true,rewrite-timestamp=true"},
	})
	if err != nil {
		t.Fatal(err)
	}
	contains(t, res.Log, "[linux/arm64 identity]", "[linux/amd64 compose]")
	for _, arch := range []string{"amd64", "arm64"} {
		img := pulled(t, image, arch)
		want := append(layers(t, pulled(t, eng.BaseImage("debian:trixie-slim"), arch)), layers(t, pulled(t, deps, arch))...)
		if got := layers(t, img); !slices.Equal(got[:len(want)], want) {
			t.Errorf("%s: rewrite-timestamp changed base or /openhands: %q, want %q", arch, got[:len(want)], want)
		}
		config := configOf(t, img)
		if config.Architecture != arch || config.Created.Unix() != 1700000000 {
			t.Errorf("config says %s, created %v", config.Architecture, config.Created)
		}
	}
}

func TestRebuildGivesTheSameDigest(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "1700000000")
	const yaml = "base_image: alpine:3.22\n"
	first := build(t, yaml, "--provenance=false")
	for _, how := range [][]string{nil, {"--no-cache"}} {
		again := build(t, yaml, append(how, "--provenance=false")...)
		if again.Digest != first.Digest {
			t.Errorf("built again with %q: %s, want %s", how, again.Digest, first.Digest)
		}
		for _, step := range []string{"lib", "tools"} {
			if cached := fromCache(again.Log, step); cached == (how != nil) {
				t.Errorf("with %q, step %s from the cache: %t\n%s", how, step, cached, again.Log)
			}
		}
	}
	prune(t)
	if again := build(t, yaml, "--provenance=false"); again.Digest != first.Digest {
		t.Errorf("built again after prune: %s, want %s", again.Digest, first.Digest)
	}
}

// fromCache tells whether buildx's plain log says that a step was cached.
func fromCache(log, step string) bool {
	number := regexp.MustCompile(`(?m)^(#\d+) \[` + step + `\]`).FindStringSubmatch(log)
	return number != nil && strings.Contains(log, "\n"+number[1]+" CACHED")
}
