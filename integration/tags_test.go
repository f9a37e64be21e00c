package integration

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/openhands/llb-frontend/frontend/spec"
	"github.com/openhands/llb-frontend/integration/engine"
)

// tagsAnswer is what --call=openhands.tags,format=json prints.
type tagsAnswer struct {
	Tags      map[string]string            `json:"tags"`
	Names     []string                     `json:"names"`
	Platforms map[string]map[string]string `json:"platforms"`
	Missing   map[string]string            `json:"missing"`
}

// askTags asks for the tags of a spec, in a build context.
func askTags(t *testing.T, yaml, context string, args ...string) tagsAnswer {
	t.Helper()
	res, err := eng.Build(t.Context(), engine.BuildOptions{
		Spec: writeSpec(t, yaml), Context: context,
		Args: append([]string{"--call=openhands.tags,format=json", "--progress=quiet"}, args...),
	})
	if err != nil {
		t.Fatal(err)
	}
	var answer tagsAnswer
	if err := json.Unmarshal([]byte(res.Log[max(strings.Index(res.Log, "{"), 0):]), &answer); err != nil {
		t.Fatalf("%v in\n%s", err, res.Log)
	}
	return answer
}

// Tags as OpenHands' own functions compute them, of files that are read from a
// checkout with symlinks, from a deps image, and from the release.
func TestTags(t *testing.T) {
	project := t.TempDir()
	writeProject(t, project)
	standInDeps(t, "test/tags-deps:1", true)
	const fewer = "deps: {browser: builder, vscode: none, node: none}\n" // nothing of it is built
	for _, tt := range []struct {
		name, yaml string
		want       map[string]string // but for the build tag
	}{
		{"checkout", "server: {name: action-execution-server, source: .}\n" + fewer, map[string]string{
			"versioned": "oh_v0.62.0_debian_t_trixie-slim", "lock": "oh_v0.62.0_550uhg66wtlemi9a",
			"source": "oh_v0.62.0_550uhg66wtlemi9a_dmu3wpy08mojtyn2",
		}},
		{"deps image", "deps_image: " + eng.Registry() + "/test/tags-deps:1\n", map[string]string{
			"versioned": "oh_v0.62.0_debian_t_trixie-slim", "lock": "oh_v0.62.0_p9ygs567cyl0yfi5",
			"source": "oh_v0.62.0_p9ygs567cyl0yfi5_dmu3wpy08mojtyn2", "wheel": "oh_v0.62.0_p9ygs567cyl0yfi5_8jz785x8va6n1xyf",
		}},
		{"release", "server: action-execution-server\n" + fewer, map[string]string{
			"versioned": "oh_v0.62.0_debian_t_trixie-slim", "lock": "oh_v0.62.0_2gs2w9mn1skgp4tm",
			"source": "oh_v0.62.0_2gs2w9mn1skgp4tm_cx12nti47w2urs4x", "wheel": "oh_v0.62.0_2gs2w9mn1skgp4tm_f8fvhcb1z1y2hfj8",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := askTags(t, "base_image: debian:trixie-slim\n"+tt.yaml, project)
			if !strings.HasPrefix(got.Tags["build"], "build-") || len(got.Missing) > 0 {
				t.Errorf("build tag %q, missing %v", got.Tags["build"], got.Missing)
			}
			delete(got.Tags, "build")
			if !maps.Equal(got.Tags, tt.want) {
				t.Errorf("%v, want %v", got.Tags, tt.want)
			}
		})
	}
}

// What else --call answers of our own.
func TestOwnCalls(t *testing.T) {
	call := func(args ...string) string {
		t.Helper()
		// A spec with a mistake: who writes one may ask for the schema.
		res, err := eng.Build(t.Context(), engine.BuildOptions{Spec: writeSpec(t, "bsae_image: x\n"), Args: args})
		if err != nil {
			t.Fatal(err)
		}
		return res.Log
	}
	for _, how := range []string{"openhands.schema", "openhands.schema,format=json"} {
		contains(t, call("--call="+how), string(spec.Schema()))
	}
	contains(t, call("--call=subrequests.describe"), "openhands.tags", "openhands.schema", "lint", "outline", "targets")
}

// The bake file of docs/tags.md pushes each image of a matrix under its tags, in
// one call, and shows them in another.
func TestTagsInBake(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "docker-bake.hcl")
	page := readPage(t, "tags.md")
	if err := os.WriteFile(file, []byte(page.block["hcl"]), 0o644); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, engine.SpecFile), "# syntax="+engine.FrontendImage+"\nbase_image: ${BASE_IMAGE}\ndeps_image: "+prebuilt(t)+"\nuser: root\n")
	typed(t, dir, "docker buildx bake runtime")
	out := typed(t, dir, strings.TrimSpace(page.last("bake --call"))+" 2>/dev/null")
	var answer struct {
		Target map[string]map[string]json.RawMessage `json:"target"`
	}
	if err := json.Unmarshal([]byte(out), &answer); err != nil {
		t.Fatalf("%v in\n%s", err, out)
	}
	for target, base := range map[string]string{"runtime-alpine-3-22": "alpine", "runtime-debian-trixie-slim": "debian"} {
		var tags tagsAnswer
		if err := json.Unmarshal(answer.Target[target]["openhands.tags"], &tags); err != nil || len(tags.Names) != 1 {
			t.Fatalf("%s: %v, names %q in\n%s", target, err, tags.Names, out)
		}
		labels := configOf(t, pulled(t, tags.Names[0], "amd64")).Config.Labels
		if !strings.Contains(labels["org.opencontainers.image.base.name"], base) || labels["dev.openhands.tag.build"] != tags.Tags["build"] {
			t.Errorf("%s has the labels %v", tags.Names[0], labels)
		}
	}
}

// With provenance BuildKit needs the name before the frontend gives it. Once that
// is no longer so, docs/tags.md has a paragraph too many.
func TestNamesNeedNoProvenance(t *testing.T) {
	yaml := "base_image: alpine:3.22\ndeps_image: " + prebuilt(t) + "\nuser: root\n"
	log := buildFails(t, yaml, "--build-arg=RUNTIME_IMAGE_REPO="+eng.Registry()+"/test/names", "--output=type=image,name=*,push=true")
	contains(t, log, `failed to parse ref "*"`)
}

// The base is told by annotations and labels, whatever the exporter, and by labels
// where there is no manifest.
func TestBaseInAnnotations(t *testing.T) {
	yaml := "base_image: alpine:3.22\ndeps_image: " + prebuilt(t) + "\nuser: root\n"
	base := pulled(t, eng.BaseImage("alpine:3.22"), "amd64")
	const name = "docker.io/library/alpine:3.22"
	check := func(t *testing.T, img v1.Image, annotated bool) {
		t.Helper()
		labels := configOf(t, img).Config.Labels
		m, err := img.Manifest()
		if err != nil {
			t.Fatal(err)
		}
		if labels["org.opencontainers.image.base.name"] != name || !strings.HasPrefix(labels["org.opencontainers.image.base.digest"], "sha256:") {
			t.Errorf("labels %v", labels)
		}
		for _, key := range []string{"name", "digest"} {
			key = "org.opencontainers.image.base." + key
			if annotated && m.Annotations[key] != labels[key] {
				t.Errorf("annotation %s is %q, the label %q", key, m.Annotations[key], labels[key])
			}
		}
		if got, want := labels["dev.openhands.base.layers"], fmt.Sprint(len(layers(t, base))); got != want {
			t.Errorf("%s layers of the base, want %s", got, want)
		}
		above := strings.Split(labels["dev.openhands.layers"], ",")
		if want := []string{"lib", "tools", "init"}; !slices.Equal(above[:3], want) || len(above)+len(layers(t, base)) != len(layers(t, img)) {
			t.Errorf("layers %q of %d", above, len(layers(t, img)))
		}
	}
	image := eng.Registry() + "/" + imageName(t)
	for _, how := range []string{"oci-mediatypes=true", "oci-mediatypes=false"} {
		t.Run(how, func(t *testing.T) {
			// A build context is told by what it stands for.
			mine := strings.Replace(yaml, "alpine:3.22", "mine", 1)
			buildAs(t, "", mine, "--build-context=mine=docker-image://alpine:3.22", "--provenance=false", "--output=type=image,push=true,name="+image+","+how)
			check(t, pulled(t, image, "amd64"), true)
		})
	}
	t.Run("two platforms, provenance", func(t *testing.T) {
		buildAs(t, "", strings.ReplaceAll(yaml, "alpine:3.22", "debian:trixie-slim"), "--platform=linux/amd64,linux/arm64", "--output=type=image,push=true,name="+image)
		for _, arch := range []string{"amd64", "arm64"} {
			m, err := pulled(t, image, arch).Manifest()
			if err != nil {
				t.Fatal(err)
			}
			if got := m.Annotations["org.opencontainers.image.base.name"]; got != "docker.io/library/debian:trixie-slim" {
				t.Errorf("%s: annotation %q", arch, got)
			}
		}
	})
	t.Run("docker", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "image.tar")
		buildAs(t, "", yaml, "--output=type=docker,dest="+file)
		img, err := tarball.ImageFromPath(file, nil)
		if err != nil {
			t.Fatal(err)
		}
		check(t, img, false)
	})
}
