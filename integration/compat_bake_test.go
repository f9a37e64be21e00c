package integration

import (
	"cmp"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/openhands/llb-frontend/integration/engine"
)

// TestCompatBake builds examples/bake as it stands: bases times platforms, with
// one build of /openhands, whose layers all images have.
func TestCompatBake(t *testing.T) {
	repository := eng.Registry() + "/test/bake"
	t.Setenv("REPOSITORY", repository)
	// One cheap component is never taken from the cache: it shows how often the
	// deps are built. The others may have been built by another test.
	args := []string{"bake", "--push", "--progress=rawjson", "--set=deps.no-cache-filter=init"}
	if ca := cmp.Or(os.Getenv("SSL_CERT_FILE"), "/etc/ssl/certs/ca-certificates.crt"); exists(ca) {
		args = append(args, "--set=*.secrets=id=ca,src="+ca) // as builds of one spec get it
	}
	log := buildx(t, filepath.Join(eng.Repo(), "examples", "bake"), nil, args...)
	runs := executions(t, log)
	for _, component := range []string{"lib", "tools", "init"} {
		for _, arch := range []string{"amd64", "arm64"} {
			if n := runs["linux/"+arch+" "+component]; n > 1 || component == "init" && n == 0 {
				t.Errorf("%s for %s has run %d times, want once\n%v", component, arch, n, runs)
			}
		}
	}
	for _, arch := range []string{"amd64", "arm64"} {
		var shared []string
		for _, base := range []string{"debian:trixie-slim", "alpine:3.22"} {
			below := layers(t, pulled(t, eng.BaseImage(base), arch))
			all := layers(t, pulled(t, repository+":1-"+strings.NewReplacer(":", "-", ".", "-").Replace(base), arch))
			if !slices.Equal(all[:len(below)], below) {
				t.Errorf("%s for %s has not the layers of its base", base, arch)
			}
			deps := all[len(below) : len(below)+3] // lib, tools, init
			if shared != nil && !slices.Equal(deps, shared) {
				t.Errorf("/openhands for %s is %q on %s, %q on the other", arch, deps, base, shared)
			}
			shared = deps
		}
	}
	contains(t, run(t, engine.RunOptions{Image: "test/bake:1-alpine-3-22", Args: []string{"tmux", "-V"}}), "tmux 3")
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// executions counts how often each "platform step" of a bake has run. Every
// target tells of a step that it shares, so runs of one step that overlap are
// one run.
func executions(t *testing.T, log string) map[string]int {
	t.Helper()
	step := regexp.MustCompile(`^\[\S+ (\S+ \S+)\] `)
	type run struct{ started, completed time.Time }
	runs := map[string][]run{}
	for text := range strings.Lines(log) {
		var line struct {
			Vertexes []struct {
				Name               string
				Started, Completed *time.Time
				Cached             bool
			}
		}
		if json.Unmarshal([]byte(text), &line) != nil {
			continue // what buildx says beside the progress
		}
		for _, v := range line.Vertexes {
			if m := step.FindStringSubmatch(v.Name); m != nil && v.Started != nil && v.Completed != nil && !v.Cached {
				runs[m[1]] = append(runs[m[1]], run{*v.Started, *v.Completed})
			}
		}
	}
	counts := map[string]int{}
	for name, all := range runs {
		slices.SortFunc(all, func(a, b run) int { return a.started.Compare(b.started) })
		var end time.Time
		for _, r := range all {
			if r.started.After(end) {
				counts[name]++
			}
			if r.completed.After(end) {
				end = r.completed
			}
		}
	}
	return counts
}
