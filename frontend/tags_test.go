package frontend

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/moby/buildkit/exporter/containerimage/exptypes"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"

	"github.com/openhands/llb-frontend/frontend/spec"
	"github.com/openhands/llb-frontend/frontend/tags"
	ohllb "github.com/openhands/llb-frontend/llb"
)

const frontendRef = "example.com/frontend:1@sha256:2222222222222222222222222222222222222222222222222222222222222222"

// project is a V0 server of which OpenHands' own functions were asked.
func project(prefix string) fstest.MapFS {
	files := fstest.MapFS{}
	for name, content := range map[string]string{
		"pyproject.toml": "[tool.poetry]\nversion = \"0.62.0\"\n", "poetry.lock": "lock\n",
		"openhands/__init__.py": "a", "openhands/empty.txt": "", "openhands/.hidden-file": "h",
		"openhands/.hidden/x/y": "x", "openhands/m.pyc": "p", "openhands/odd.pyc/inside.py": "q",
		"openhands/__pycache__/a.cpython-312.pyc": "c", "openhands/__pycache__/keep.txt": "c",
		"openhands/é/ü.py": "u", "openhands/sub/deep/z.py": "d", "openhands/sub/deep-z.py": "d",
		"openhands/sub/A.py": "A", "openhands/a.b/c": "s",
	} {
		files[prefix+name] = &fstest.MapFile{Data: []byte(content), Mode: 0o644}
	}
	return files
}

// serverRegistry has a deps image with the project's files.
func serverRegistry() map[string]stubImage {
	images := registry()
	deps := images["serverdeps:1"]
	deps.files = project("openhands/code/")
	images["serverdeps:1"] = deps
	return images
}

func askTags(t *testing.T, s *stub) (tagsResult, string) {
	t.Helper()
	s.opts = maps.Clone(s.opts)
	if s.opts == nil {
		s.opts = map[string]string{}
	}
	s.opts["requestid"] = "frontend.openhands.tags"
	if s.opts["source"] == "" {
		s.opts["source"] = frontendRef
	}
	res, err := run(t, s)
	if err != nil {
		t.Fatal(err)
	}
	var answer tagsResult
	if err := json.Unmarshal(res.Metadata["result.json"], &answer); err != nil {
		t.Fatal(err)
	}
	return answer, string(res.Metadata["result.txt"])
}

func TestTags(t *testing.T) {
	const lock, noBrowser = "oh_v0.62.0_sunb0cmrw2g96kj8", "oh_v0.62.0_ga2vge0kbjlag9yn"
	sdk := checkout("agent-server")
	sdk["openhands-sdk/pyproject.toml"].Data = []byte("[project]\nversion = \"1.60.0\"\n")
	for _, tt := range []struct {
		name, spec string
		checkout   fstest.MapFS
		want       tags.Set // but for the build tag
	}{
		{"deps image", "deps_image: serverdeps:1\n", nil, tags.Set{
			tags.KindVersioned: "oh_v0.62.0_debian_t_trixie-slim", tags.KindLock: noBrowser,
			tags.KindSource: noBrowser + "_zlkyrbl6z3gjpp6y", tags.KindWheel: noBrowser + "_d2xyk4clsoontt29",
		}},
		{"checkout", "server: {name: action-execution-server, source: .}\n", project(""), tags.Set{
			tags.KindVersioned: "oh_v0.62.0_debian_t_trixie-slim", tags.KindLock: lock, tags.KindSource: lock + "_zlkyrbl6z3gjpp6y",
		}},
		{"agent-server", "server: agent-server\n", nil, tags.Set{tags.KindVersioned: "v1.58.2_debian_tag_trixie-slim"}},
		{"checkout of the SDK", "server: {name: agent-server, source: .}\n", sdk, tags.Set{tags.KindVersioned: "v1.60.0_debian_tag_trixie-slim"}},
		{"no server", "", nil, tags.Set{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, text := askTags(t, &stub{spec: "base_image: debian:trixie-slim\n" + tt.spec, images: serverRegistry(), checkout: tt.checkout})
			if !strings.HasPrefix(got.Tags[tags.KindBuild], "build-") || len(got.Missing) > 0 {
				t.Errorf("build tag %q, missing %v", got.Tags[tags.KindBuild], got.Missing)
			}
			for k, tag := range got.Tags {
				if !strings.Contains(text, string(k)+" ") || !strings.Contains(text, tag+"\n") {
					t.Errorf("%s %s is missing in\n%s", k, tag, text)
				}
			}
			delete(got.Tags, tags.KindBuild)
			if !maps.Equal(got.Tags, tt.want) {
				t.Errorf("%v, want %v", got.Tags, tt.want)
			}
		})
	}
}

// buildTag is that of a request.
func buildTag(t *testing.T, yaml string, opts map[string]string, change func(*stub)) string {
	t.Helper()
	s := &stub{spec: yaml, opts: opts, images: serverRegistry(), checkout: project("")}
	if change != nil {
		change(s)
	}
	got, _ := askTags(t, s)
	return got.Tags[tags.KindBuild]
}

func TestBuildTagFollowsTheInputs(t *testing.T) {
	const yaml = "args: {A: '1'}\nbase_image: debian:trixie-slim\nserver: {name: action-execution-server, source: .}\nuser: root\nlabels: {a: \"${A}\"}\n"
	same := buildTag(t, yaml, nil, nil)
	for name, other := range map[string]string{
		"another way to write it": buildTag(t, "# a comment\nuser: root\nlabels:\n  a: ${A}\nserver:\n  source: .\n  name: action-execution-server\nbase_image: debian:trixie-slim\nargs: {A: 1}\n", nil, nil),
		"network, cache, proxy":   buildTag(t, yaml, map[string]string{"no-cache": "", "force-network-mode": "none", "build-arg:HTTP_PROXY": "http://proxy.example.com"}, nil),
		"platforms of the spec":   buildTag(t, yaml+"platforms: [linux/arm64]\n", map[string]string{"platform": "linux/amd64"}, nil),
		"an arg without use":      buildTag(t, strings.Replace(yaml, "A: '1'", "A: '1', B: b", 1), nil, nil),
		"repository":              buildTag(t, yaml, map[string]string{"build-arg:RUNTIME_IMAGE_REPO": "example.com/r"}, nil),
	} {
		if other != same {
			t.Errorf("%s changes the tag", name)
		}
	}
	other := buildTag(t, yaml, map[string]string{"context:debian:trixie-slim": "docker-image://debian:trixie-slim"}, nil)
	if other != same {
		t.Errorf("a build context that is the same image changes the tag")
	}
	seen := map[string]string{same: "the first"}
	for name, tag := range map[string]string{
		"spec":     buildTag(t, yaml+"working_dir: /x\n", nil, nil),
		"arg":      buildTag(t, yaml, map[string]string{"build-arg:A": "2"}, nil),
		"label":    buildTag(t, yaml, map[string]string{"label:x": "y"}, nil),
		"epoch":    buildTag(t, yaml, map[string]string{"build-arg:SOURCE_DATE_EPOCH": "7"}, nil),
		"platform": buildTag(t, yaml, map[string]string{"platform": "linux/arm64"}, nil),
		"two":      buildTag(t, yaml, map[string]string{"platform": "linux/arm64,linux/amd64"}, nil),
		"target":   buildTag(t, yaml, map[string]string{"target": "deps"}, nil),
		"frontend": buildTag(t, yaml, map[string]string{"source": strings.ReplaceAll(frontendRef, "2222", "3333")}, nil),
		"code":     buildTag(t, yaml, nil, func(s *stub) { s.checkout["openhands/__init__.py"].Data = []byte("b") }),
		"context":  buildTag(t, yaml, map[string]string{"context:debian:trixie-slim": "docker-image://deps:1"}, nil),
		"base":     buildTag(t, strings.Replace(yaml, "trixie", "bookworm", 1), nil, func(s *stub) { s.images["debian:bookworm-slim"] = s.images["debian:trixie-slim"] }),
		"lock": buildTag(t, yaml, nil, func(s *stub) {
			s.lock = "version: 1\npackages:\n  debian:trixie-slim: {snapshot: 20260131T000000Z}\n"
		}),
		"builder": buildTag(t, yaml+"deps: {builder: \"debian:sid\"}\n", nil, func(s *stub) { s.images["debian:sid"] = s.images["debian:trixie-slim"] }),
	} {
		if other, ok := seen[tag]; ok || tag == "" {
			t.Errorf("%s has the tag of %s: %q", name, other, tag)
		}
		seen[tag] = name
	}
}

func TestMissingTags(t *testing.T) {
	for _, tt := range []struct{ name, spec, frontend, want string }{
		{"base by digest", "base_image: debian:trixie-slim@sha256:" + strings.Repeat("1", 64) + "\ndeps_image: serverdeps:1\n", "",
			`no versioned tag: "oh_v0.62.0_debian_t_trixie-slim@sha256_t_`},
		{"base that is a directory", "base_image: rootfs\n", "", `no build tag: base_image "rootfs" has no digest: it is a build context`},
		{"frontend that no registry has", "base_image: debian:trixie-slim\n", "frontend", "no build tag: the engine does not say"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &stub{spec: tt.spec, images: serverRegistry(), opts: map[string]string{"context:rootfs": "local:rootfs"}, checkout: fstest.MapFS{}}
			s.images["debian:trixie-slim@sha256:"+strings.Repeat("1", 64)] = s.images["debian:trixie-slim"]
			s.opts["source"] = tt.frontend
			s.images["frontend:latest"] = stubImage{}
			if tt.frontend != "" {
				s.noDigest = "frontend:latest"
			}
			if _, text := askTags(t, s); !strings.Contains(text, tt.want) {
				t.Errorf("%q does not say %q", text, tt.want)
			}
		})
	}
	s := &stub{spec: "base_image: debian:trixie-slim\n", images: registry(), opts: map[string]string{"target": "check", "requestid": "frontend.openhands.tags"}}
	if _, err := run(t, s); err == nil || !strings.Contains(err.Error(), `target "check" gives no image`) {
		t.Errorf("tags of the check: %v", err)
	}
}

// labelsIn are the labels of the image in a result.
func labelsIn(t *testing.T, res *gwclient.Result, platform string) map[string]string {
	t.Helper()
	key := exptypes.ExporterImageConfigKey
	if platform != "" {
		key += "/" + platform
	}
	var img dockerspec.DockerOCIImage
	if err := json.Unmarshal(res.Metadata[key], &img); err != nil {
		t.Fatal(err)
	}
	return img.Config.Labels
}

// A build that does not ask for names has what costs nothing, and says what the
// request for tags says.
func TestTagsInLabels(t *testing.T) {
	const yaml = "base_image: debian:trixie-slim\ndeps_image: serverdeps:1\nuser: root\n"
	s := &stub{spec: yaml, images: serverRegistry(), opts: map[string]string{"source": frontendRef}}
	res, err := run(t, s)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.read) > 0 {
		t.Errorf("reads %q", s.read)
	}
	if names, ok := res.Metadata[exptypes.ExporterImageNameKey]; ok {
		t.Errorf("names nobody asked for: %s", names)
	}
	answer, _ := askTags(t, &stub{spec: yaml, images: serverRegistry()})
	want := tags.Set{tags.KindBuild: answer.Tags[tags.KindBuild], tags.KindVersioned: answer.Tags[tags.KindVersioned]}
	if got := tags.FromLabels(labelsIn(t, res, "")); !maps.Equal(got, want) {
		t.Errorf("labels say %v, want %v", got, want)
	}
	if got := string(res.Metadata["annotation-manifest."+ohllb.LabelBaseName]); got != "docker.io/library/debian:trixie-slim" {
		t.Errorf("annotation %q", got)
	}
	// On an engine that does not name the frontend by digest there is no build tag.
	res, err = run(t, &stub{spec: yaml, images: serverRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	delete(want, tags.KindBuild)
	if got := tags.FromLabels(labelsIn(t, res, "")); !maps.Equal(got, want) {
		t.Errorf("labels say %v, want %v", got, want)
	}
}

func TestNames(t *testing.T) {
	const yaml = "base_image: debian:trixie-slim\ndeps_image: serverdeps:1\nuser: root\n"
	opts := map[string]string{"source": frontendRef, "build-arg:RUNTIME_IMAGE_REPO": "example/Runtime", "platform": "linux/amd64,linux/arm64"}
	if _, err := run(t, &stub{spec: yaml, images: serverRegistry(), opts: opts}); err == nil || !strings.Contains(err.Error(), `invalid build arg RUNTIME_IMAGE_REPO="example/Runtime"`) {
		t.Errorf("error %v", err)
	}
	opts["build-arg:RUNTIME_IMAGE_REPO"] = "example/runtime"
	s := &stub{spec: yaml, images: serverRegistry(), opts: opts}
	res, err := run(t, s)
	if err != nil {
		t.Fatal(err)
	}
	answer, _ := askTags(t, &stub{spec: yaml, images: serverRegistry(), opts: opts})
	want := strings.Join(answer.Names, ",")
	if got := string(res.Metadata[exptypes.ExporterImageNameKey]); got != want || !strings.HasPrefix(want, "docker.io/example/runtime:build-") || len(answer.Names) != 5 {
		t.Errorf("names %q, want %q", got, want)
	}
	for id, set := range answer.Platforms {
		if got := tags.FromLabels(labelsIn(t, res, id)); !maps.Equal(got, set) {
			t.Errorf("%s: labels say %v, want %v", id, got, set)
		}
		if got := string(res.Metadata["annotation-manifest["+id+"]."+ohllb.LabelBaseDigest]); !strings.HasPrefix(got, "sha256:") {
			t.Errorf("%s: annotation %q", id, got)
		}
	}
	if len(s.warnings) > 0 {
		t.Errorf("warnings %q", s.warnings)
	}
}

func TestSchemaAndDescribe(t *testing.T) {
	for request, want := range map[string]string{
		"frontend.openhands.schema":     string(spec.Schema()),
		"frontend.subrequests.describe": "openhands.tags",
	} {
		// The schema helps who has no valid spec yet.
		res, err := run(t, &stub{spec: "bsae_image: debian\n", opts: map[string]string{"requestid": request}})
		if err != nil {
			t.Fatal(err)
		}
		if text := string(res.Metadata["result.txt"]); !strings.Contains(text, want) {
			t.Errorf("%s answers %q", request, text)
		}
		if !json.Valid(res.Metadata["result.json"]) {
			t.Errorf("%s answers no JSON: %s", request, res.Metadata["result.json"])
		}
	}
	_, err := run(t, &stub{spec: "base_image: debian\n", opts: map[string]string{"requestid": "frontend.openhands.tag"}})
	if err == nil || !strings.Contains(err.Error(), `unknown request "openhands.tag"`) || !strings.Contains(err.Error(), "did you mean openhands.tags?") {
		t.Errorf("error %v", err)
	}
}

// A file of any size is read, in messages of a size that the gateway passes on.
func TestFileReader(t *testing.T) {
	for _, size := range []int{0, 1, maxPart, maxPart + 1, 2*maxPart + 7} {
		want := bytes.Repeat([]byte("0123456789a"), size/11+1)[:size]
		ref := &stubRef{stub: &stub{}, files: fstest.MapFS{"f": {Data: want}}}
		got, err := io.ReadAll(&fileReader{ctx: t.Context(), ref: ref, name: "/f", size: int64(size)})
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes: %d are read, error %v", size, len(got), err)
		}
	}
	short := &stubRef{stub: &stub{}, files: fstest.MapFS{"f": {}}}
	if _, err := io.ReadAll(&fileReader{ctx: t.Context(), ref: short, name: "/f", size: 1}); err == nil {
		t.Error("a file that is shorter than its size gives no error")
	}
}
