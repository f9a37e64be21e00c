package integration

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A build tells what it does: each step has its component, what it is and the
// version, and the platform where there are several.
func TestStory(t *testing.T) {
	yaml := "base_image: debian:bookworm-slim\ndeps_image: " + prebuilt(t) + "\nuser: root\n"
	t.Run("one platform", func(t *testing.T) {
		res := build(t, yaml+"extra_deps: {run: [\"echo a file > /file\"]}\n", "--no-cache-filter=compose,run")
		got := story(res.Log)
		// The base is pulled when the command needs it: before composition or behind it.
		inOrder(t, got, "[internal] load build definition from openhands.yaml",
			"[compose] put /openhands on debian:bookworm-slim", "[run] echo a file > /file")
		want := []string{
			"[base] docker.io/library/debian:bookworm-slim@DIGEST",
			"[compose] put /openhands on debian:bookworm-slim",
			"[deps] " + prebuilt(t) + "@DIGEST",
			"[identity] add /workspace",
			"[internal] load build definition from openhands.yaml",
			"[internal] load metadata for " + prebuilt(t),
			"[internal] load metadata for docker.io/library/debian:bookworm-slim",
			"[internal] script of run",
			"[run] echo a file > /file",
		}
		slices.Sort(got)
		if got = slices.Compact(got); !slices.Equal(got, want) {
			t.Errorf("the steps are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
	t.Run("two platforms", func(t *testing.T) {
		got := story(build(t, yaml, "--platform=linux/amd64,linux/arm64").Log)
		for _, arch := range []string{"amd64", "arm64"} {
			inOrder(t, got, "[linux/"+arch+" compose] put /openhands on debian:bookworm-slim")
		}
		for _, name := range got {
			if !strings.HasPrefix(name, "[linux/") && !strings.HasPrefix(name, "[internal] ") {
				t.Errorf("%q does not say for which platform", name)
			}
		}
	})
}

var (
	stepLine = regexp.MustCompile(`(?m)^#(\d+) (.+)$`)
	// notOurs are the steps that BuildKit and buildx add to every build.
	notOurs = regexp.MustCompile(`^(building with|resolve image config for|docker-image://ghcr\.io/openhands/llb-frontend|exporting|resolving provenance|pushing|auth)\b`)
	aDigest = regexp.MustCompile(`sha256:[0-9a-f]{64}`)
)

// story gives the names of the steps of a plain log that are ours, in the order in
// which they began.
func story(log string) []string {
	var names []string
	seen := map[string]bool{}
	for _, m := range stepLine.FindAllStringSubmatch(log, -1) {
		if number, name := m[1], m[2]; !seen[number] {
			seen[number] = true
			if !notOurs.MatchString(name) {
				names = append(names, aDigest.ReplaceAllString(name, "DIGEST"))
			}
		}
	}
	return names
}

// inOrder fails where a story lacks one of the names, or has them in another order.
func inOrder(t *testing.T, story []string, names ...string) {
	t.Helper()
	at := 0
	for _, name := range names {
		i := slices.Index(story[at:], name)
		if i < 0 {
			t.Errorf("%q is missing, or not in its place, in\n%s", name, strings.Join(story, "\n"))
			return
		}
		at += i + 1
	}
}
