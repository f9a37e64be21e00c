package integration

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/openhands/llb-frontend/integration/engine"
)

// EnvFresh makes the second build of [TestRelease] compile everything anew: without
// it Go's own cache of compiled packages is shared, which takes a minute less.
const EnvFresh = "OPENHANDS_FRESH"

// TestRelease builds the frontend as a release does, twice, from clones in two
// directories, once without a cache: the images are the same to the bit. The release
// comes with an SBOM and its whole provenance; signing needs a person's or a
// workflow's identity, and is not tried.
func TestRelease(t *testing.T) {
	if err := eng.Images(t.Context(), engine.Scanner); err != nil {
		t.Fatal(err)
	}
	release := bakeClone(t, "a/release", "release", "--set=release.platform=linux/amd64")
	options := []string{"frontend", "--no-cache", "--provenance=false", "--set=*.platform=linux/amd64"}
	if os.Getenv(EnvFresh) != "" {
		options = append(options, "--set=*.args.BUILDKIT_CACHE_MOUNT_NS="+filepath.Base(t.TempDir())+"-fresh")
	}
	again := bakeClone(t, "in/another/directory/again", options...)

	one, err := pulled(t, release, "amd64").Digest()
	if err != nil {
		t.Fatal(err)
	}
	two, err := pulled(t, again, "amd64").Digest()
	if err != nil {
		t.Fatal(err)
	}
	if one != two {
		t.Errorf("two builds of one commit are %s and %s", one, two)
	}
	contains(t, statements(t, release),
		`"predicateType":"https://spdx.dev/Document"`, "https://slsa.dev/provenance/", "golang", `"llbDefinition"`)
}

// bakeClone builds a target of a fresh clone of the checkout, in a directory of its
// own, and returns the reference of what it has pushed.
func bakeClone(t *testing.T, dir string, args ...string) string {
	t.Helper()
	clone := filepath.Join(t.TempDir(), dir)
	if out, err := exec.CommandContext(t.Context(), "git", "clone", "--quiet", "--no-hardlinks", "..", clone).CombinedOutput(); err != nil {
		t.Skipf("the source is no git checkout: %v\n%s", err, out)
	}
	image := eng.Registry() + "/" + strings.TrimSuffix(imageName(t), ":latest") + "-" + filepath.Base(dir)
	if err := eng.BakeFrontend(t.Context(), clone, image, args...); err != nil {
		t.Fatal(err)
	}
	return image + ":1"
}

// TestReleaseTags asks bake what a release would build and tag.
func TestReleaseTags(t *testing.T) {
	cmd := eng.Buildx(t.Context(), "bake", "release", "--print")
	cmd.Env = append(cmd.Env, "IMAGE=example.com/frontend", "VERSION=1.2.3")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var plan struct {
		Target map[string]struct {
			Tags, Platforms []string
			Attest          []map[string]string
		}
	}
	if err := json.Unmarshal(out, &plan); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	r := plan.Target["release"]
	if got, want := strings.Join(r.Tags, " "), "example.com/frontend:1.2.3 example.com/frontend:1.2 example.com/frontend:1"; got != want {
		t.Errorf("the tags are %s, want %s", got, want)
	}
	if got, want := strings.Join(r.Platforms, " "), "linux/amd64 linux/arm64"; got != want {
		t.Errorf("the platforms are %s, want %s", got, want)
	}
	if len(r.Attest) != 2 {
		t.Errorf("the attestations are %v", r.Attest)
	}
}
