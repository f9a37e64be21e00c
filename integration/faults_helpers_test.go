package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/openhands/llb-frontend/integration/engine"
	"github.com/openhands/llb-frontend/integration/faults"
	"github.com/openhands/llb-frontend/integration/small"
)

// faultBuild is a build whose images nobody else has: frontend, base and deps image.
// It talks to the registry through a proxy of its own.
type faultBuild struct {
	proxy *faults.Proxy
	host  string // the proxy's
	repo  string // what its repositories begin with
	spec  string
	plan  []faults.Fault
}

// newFaultBuild makes the images of a build: some kB, the deps image some hundreds.
// Its tag leads to an older image.
func newFaultBuild(t *testing.T, name string, withTokens bool, plan ...faults.Fault) *faultBuild {
	t.Helper()
	name += "-" + random(t) // what an earlier run has pushed is not pushed again
	b := &faultBuild{proxy: faults.New(eng.Registry(), withTokens), repo: "faults/" + name, plan: plan}
	server := httptest.NewServer(b.proxy)
	t.Cleanup(server.Close)
	b.host = strings.TrimPrefix(server.URL, "http://")
	b.push(t, "frontend", onTop(t, pulled(t, eng.FrontendRef(), runtime.GOARCH), map[string]string{"etc/case": name}))
	b.push(t, "base", onTop(t, nil, map[string]string{
		"etc/passwd": "root:x:0:0:" + name + ":/root:/bin/sh\n", "etc/group": "root:x:0:\n", "tmp/noise": small.Noise(name, 5_000),
	}))
	b.push(t, "deps", noiseDeps(t, name))
	b.push(t, "out", onTop(t, nil, map[string]string{"older": name}))
	b.spec = filepath.Join(t.TempDir(), engine.SpecFile)
	text := fmt.Sprintf("# syntax=%[1]s/frontend\nbase_image: %[1]s/base\ndeps_image: %[1]s/deps\nuser: openhands\n", b.host+"/"+b.repo)
	if err := os.WriteFile(b.spec, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *faultBuild) push(t *testing.T, image string, img v1.Image) {
	t.Helper()
	pushImage(t, b.repo+"/"+image, img)
}

// pushImage puts an image into the local registry, and returns its reference.
func pushImage(t *testing.T, image string, img v1.Image) string {
	t.Helper()
	ref := eng.Registry() + "/" + image
	if err := small.Push(ref, img); err != nil {
		t.Fatal(err)
	}
	return ref
}

// onRegistry is the name of one of the build's images past the proxy.
func (b *faultBuild) onRegistry(image string) string {
	return eng.Registry() + "/" + b.repo + "/" + image + ":latest"
}

// out is the tag that the build pushes, as the registry itself has it.
func (b *faultBuild) out() string { return b.onRegistry("out") }

// tag is the digest of the image that the tag leads to. It fails where the image is
// not whole.
func (b *faultBuild) tag(ctx context.Context, checker *faults.Checker) (string, error) {
	got, err := checker.Whole(ctx, b.out())
	if err != nil || len(got) != 1 {
		return "", fmt.Errorf("the tag leads to %q, %w", got, err)
	}
	return got[0].String(), nil
}

// command is what its user types.
func (b *faultBuild) command(ctx context.Context, e *engine.Engine) *exec.Cmd {
	return e.Buildx(ctx, "build", "--progress=plain", "-f", b.spec, "--push", "-t", b.host+"/"+b.repo+"/out", filepath.Dir(b.spec))
}

// noiseDeps is a deps image of some hundred kB.
func noiseDeps(t *testing.T, name string) v1.Image {
	t.Helper()
	img, err := small.Deps(name, 200_000)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// onTop adds a layer of files to an image, or to one that has none.
func onTop(t *testing.T, img v1.Image, files map[string]string) v1.Image {
	t.Helper()
	var err error
	if img == nil {
		if img, err = small.Image(nil); err != nil {
			t.Fatal(err)
		}
	}
	if img, err = small.OnTop(img, "files of a test", files); err != nil {
		t.Fatal(err)
	}
	return img
}

// reference is the digest of the build's image, built without faults by another
// daemon and not pushed to the build's tag.
func (b *faultBuild) reference(t *testing.T) string {
	t.Helper()
	return references(t, b)[0]
}

// references are those of many builds, some in one call of bake.
func references(t *testing.T, builds ...*faultBuild) []string {
	t.Helper()
	var digests []string
	for some := range slices.Chunk(builds, faultsAtOnce) {
		digests = append(digests, bake(t, eng, "ref", some...)...)
	}
	return digests
}

// bake builds without faults and pushes images of a name. It gives their digests.
func bake(t *testing.T, e *engine.Engine, image string, builds ...*faultBuild) []string {
	t.Helper()
	type target struct {
		Context    string   `json:"context"`
		Dockerfile string   `json:"dockerfile"`
		Tags       []string `json:"tags"`
	}
	file := struct {
		Group  map[string]map[string][]string `json:"group"`
		Target map[string]target              `json:"target"`
	}{map[string]map[string][]string{"default": {}}, map[string]target{}}
	for i, b := range builds {
		b.proxy.Plan()
		name := fmt.Sprintf("t%d", i)
		file.Group["default"]["targets"] = append(file.Group["default"]["targets"], name)
		file.Target[name] = target{filepath.Dir(b.spec), b.spec, []string{b.host + "/" + b.repo + "/" + image}}
	}
	text, err := json.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "bake.json")
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := e.Buildx(t.Context(), "bake", "--progress=plain", "--push", "-f", path)
	cmd.Env = append(cmd.Env, "BUILDX_BAKE_ENTITLEMENTS_FS=0") // specs lie outside of the checkout
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var checker faults.Checker
	var digests []string
	for _, b := range builds {
		got, err := checker.Whole(t.Context(), eng.Registry()+"/"+b.repo+"/"+image)
		if err != nil || len(got) != 1 {
			t.Fatalf("%s: %q, %v", b.repo, got, err)
		}
		digests = append(digests, got[0].String())
	}
	return digests
}
