package integration

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	lockfile "github.com/openhands/llb-frontend/frontend/lock"
	"github.com/openhands/llb-frontend/integration/engine"
)

// ownLayer pushes an image that differs from another in a layer of one file.
func ownLayer(t *testing.T, from, to string) {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: "srv/name", Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(to))}); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, to); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil },
		tarball.WithMediaType("application/vnd.oci.image.layer.v1.tar+gzip"))
	if err != nil {
		t.Fatal(err)
	}
	img, err := mutate.Append(pulled(t, from, "amd64"), mutate.Addendum{Layer: layer, History: v1.History{CreatedBy: to}})
	if err != nil {
		t.Fatal(err)
	}
	tag, err := name.NewTag(to, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(tag, img); err != nil {
		t.Fatal(err)
	}
}

// One command locks a list of bases, of which one cannot be had. With the lock, or
// with a user that is made at the start, a bake of all of them on a daemon that holds
// nothing reads no byte of a layer.
func TestLockOfManyBases(t *testing.T) {
	here := countPulls(t, true)
	var list, layersOfAll []string
	for i := range 5 {
		image := fmt.Sprintf("test/lock-many:%d", i)
		ownLayer(t, eng.BaseImage("debian:trixie-slim"), eng.Registry()+"/"+image)
		list = append(list, here.name(image))
		layersOfAll = append(layersOfAll, layerBlobs(t, eng.Registry()+"/"+image)...)
	}
	deps := prebuilt(t)
	layersOfAll = append(layersOfAll, layerBlobs(t, deps)...)
	fresh := freshDaemon(t, "lock-many")
	spec := writeSpec(t, "base_image: ${BASE_IMAGE}\ndeps_image: "+here.named(deps)+"\n")
	dir := filepath.Dir(spec)
	write := func(args ...string) string {
		res, err := fresh.Build(t.Context(), engine.BuildOptions{Spec: spec, Args: append([]string{"--target=lock"}, args...)})
		if err != nil {
			t.Fatal(err)
		}
		return res.Log
	}
	gone := here.name("test/lock-many:gone")
	put(t, filepath.Join(dir, lockfile.ListName), strings.Join(append(list, gone), "\n")+"\n")
	contains(t, write("--output="+dir), fmt.Sprintf("openhands.bases.txt:6: not locked: base image %q: it does not exist", gone))
	l, err := lockfile.Parse(lockfile.Name, get(t, filepath.Join(dir, lockfile.Name)))
	if err != nil || len(l.Bases) != 5 || len(l.Images) != 6 || len(l.Facts) != 1 {
		t.Fatalf("the lock is\n%s%v", get(t, filepath.Join(dir, lockfile.Name)), err)
	}
	if !here.got(layersOfAll) {
		t.Error("the lock was written without a look at the bases")
	}
	shared := here.name(fmt.Sprintf("test/lock-many-lock:%d", time.Now().UnixNano()))
	here.reset()
	write("--push", "--tag="+shared)
	if here.got(layersOfAll) {
		t.Error("bases that the lock knows are read again")
	}

	bake := func(dir, how, user string, contexts map[string]string) {
		t.Helper()
		targets := map[string]any{}
		for i, base := range list {
			targets[fmt.Sprintf("image-%d", i)] = map[string]any{
				"context": dir, "dockerfile": engine.SpecFile, "contexts": contexts,
				"args": map[string]string{"BASE_IMAGE": base}, "tags": []string{here.name(fmt.Sprintf("test/lock-many-%s-%d:1", how, i))},
			}
		}
		text, err := json.Marshal(map[string]any{"group": map[string]any{"default": map[string]any{"targets": slices.Sorted(maps.Keys(targets))}}, "target": targets})
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "docker-bake.json")
		put(t, file, string(text))
		if out, err := fresh.Buildctl(t.Context(), "prune", "--all", "--filter", "type!=exec.cachemount").CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		here.reset()
		cmd := fresh.Buildx(t.Context(), "bake", "--push", "--progress=plain", "--allow=fs=*", "-f", file)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if here.got(layersOfAll) || strings.Contains(string(out), "StaleLock") {
			t.Errorf("%s: layers are read: %t\n%s", how, here.got(layersOfAll), out)
		}
		for i := range list {
			img := pulled(t, fmt.Sprintf("%s/test/lock-many-%s-%d:1", eng.Registry(), how, i), "amd64")
			if got := configOf(t, img).Config.User; got != user {
				t.Errorf("%s: the user is %q, want %q", how, got, user)
			}
		}
	}
	bake(dir, "file", "openhands", nil)
	elsewhere := func(yaml string) string {
		return filepath.Dir(writeSpec(t, "base_image: ${BASE_IMAGE}\ndeps_image: "+here.named(deps)+"\n"+yaml))
	}
	bake(elsewhere(""), "image", "openhands", map[string]string{"openhands-lock": "docker-image://" + shared})
	bake(elsewhere("user: {name: openhands, create: start}\n"), "start", "0", nil) // the start makes the user
}

func put(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
