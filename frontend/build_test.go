package frontend

import (
	"encoding/json"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/moby/buildkit/exporter/containerimage/exptypes"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/apicaps"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"

	ohllb "github.com/openhands/llb-frontend/llb"
)

// images of a small registry.
func registry() map[string]stubImage {
	return map[string]stubImage{
		"debian:trixie-slim": {files: fstest.MapFS{
			"etc/passwd":       {Data: []byte("root:x:0:0::/root:/bin/sh\n"), Mode: 0o644},
			"etc/group":        {Data: []byte("root:x:0:\n"), Mode: 0o644},
			"etc/os-release":   {Data: []byte("ID=debian\nVERSION_ID=\"13\"\n"), Mode: 0o644},
			"usr/bin/apt-get":  {Mode: 0o755},
			"usr/bin/bash":     {Mode: 0o755},
			"bin":              {Data: []byte("usr/bin"), Mode: fs.ModeSymlink},
			"lib64/ld-linux-x": {Mode: 0o755},
		}},
		"deps:1":       {config: labelled(ohllb.LabelDepsVersion, ohllb.DepsVersion)},
		"olddeps:1":    {config: labelled(ohllb.LabelDepsVersion, "0")},
		"unlabelled:1": {files: fstest.MapFS{"openhands/x": {}}},
		"fat:1":        {files: fstest.MapFS{"openhands/x": {}, "etc/x": {}}},
		"nodeps:1":     {files: fstest.MapFS{"etc/x": {}}},
		"amd64only:1":  {config: config("amd64", nil)},
		"locked:1":     {err: errors.New("pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed")},
		"noplatform:1": {err: errors.New("no match for platform in manifest: not found")},
	}
}

func labelled(k, v string) dockerspec.DockerOCIImage {
	img := config("", nil)
	img.Config.Labels = map[string]string{k: v}
	return img
}

func TestNothingIsReadWhenNothingMustBe(t *testing.T) {
	for _, tt := range []struct {
		spec string
		want []string
	}{
		{"base_image: debian:trixie-slim\ndeps_image: deps:1\nuser: root\n", nil},
		{"base_image: debian:trixie-slim\ndeps_image: deps:1\nuser: 1001\n", nil},
		{"base_image: debian:trixie-slim\ndeps_image: deps:1\n", []string{"debian:trixie-slim"}},
		{"base_image: debian:trixie-slim\ndeps_image: unlabelled:1\nuser: root\n", []string{"unlabelled:1"}},
	} {
		s := &stub{spec: tt.spec, images: registry()}
		if _, err := run(t, s); err != nil {
			t.Fatal(err)
		}
		slices.Sort(s.read)
		if got := slices.Compact(s.read); !slices.Equal(got, tt.want) {
			t.Errorf("%s\nreads %q, want %q", tt.spec, got, tt.want)
		}
	}
}

func TestErrorsPointIntoTheSpec(t *testing.T) {
	for _, tt := range []struct {
		name, spec string
		opts       map[string]string
		want       []string
		lines      []int32
	}{
		{"three mistakes", "base_image: debian:trixie-slim\nplatfroms: []\nuser: a:b\nworking_dir: x\n", nil,
			[]string{"platfroms", "platforms", "working_dir"}, []int32{2, 3, 4}},
		{"no such image", "# comment\nbase_image: nosuch:1\n", nil, []string{"nosuch:1", "does not exist: check name and tag"}, []int32{2}},
		{"needs a login", "user: root\nbase_image: locked:1\n", nil, []string{"docker login"}, []int32{2}},
		{"no such platform", "base_image: noplatform:1\n", nil, []string{"linux/amd64"}, []int32{1}},
		{"other platform", "base_image: amd64only:1\n", map[string]string{"platform": "linux/arm64"}, []string{"linux/arm64", "linux/amd64"}, []int32{1}},
		{"deps image without /openhands", "base_image: debian:trixie-slim\ndeps_image: nodeps:1\n", nil, []string{"/openhands", "--target deps"}, []int32{2}},
		{"deps image of another layout", "base_image: debian:trixie-slim\ndeps_image: olddeps:1\n", nil, []string{`"0"`}, []int32{2}},
		{"builder that does not exist", "base_image: debian:trixie-slim\ndeps:\n  builder: nosuch:1\n", nil, []string{"builder image"}, []int32{3}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := run(t, &stub{spec: tt.spec, opts: tt.opts, images: registry()})
			if err == nil {
				t.Fatal("no error")
			}
			for _, w := range tt.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%q does not say %q", err, w)
				}
			}
			var lines []int32
			for _, src := range errdefs.Sources(err) {
				for _, r := range src.Ranges {
					lines = append(lines, r.Start.Line)
				}
			}
			if !slices.Equal(lines, tt.lines) {
				t.Errorf("marks lines %d, want %d", lines, tt.lines)
			}
		})
	}
}

func TestManyProblemsAreCut(t *testing.T) {
	_, err := run(t, &stub{spec: "base_image: debian:trixie-slim\n" + strings.Repeat("a: b\n", 10000)})
	if err == nil || !strings.Contains(err.Error(), "more problems") || len(err.Error()) > 20000 {
		t.Errorf("got %.2000s", err)
	}
}

func TestRequestErrors(t *testing.T) {
	const ok = "base_image: debian:trixie-slim\ndeps_image: deps:1\n"
	for _, tt := range []struct {
		opts map[string]string
		want []string
	}{
		{map[string]string{"target": "runtme"}, []string{`"runtme"`, "did you mean runtime?", "deps"}},
		{map[string]string{"platform": "linux/s390x"}, []string{"linux/s390x", "linux/arm64"}},
		{map[string]string{"build-arg:SOURCE_DATE_EPOCH": "yesterday"}, []string{"yesterday", "seconds since 1970"}},
	} {
		_, err := run(t, &stub{spec: ok, opts: tt.opts, images: registry()})
		if err == nil {
			t.Fatalf("%v: no error", tt.opts)
		}
		for _, w := range tt.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%q does not say %q", err, w)
			}
		}
	}
}

func TestWarnings(t *testing.T) {
	for _, tt := range []struct {
		name, spec string
		without    []apicaps.CapID
		want       string
	}{
		{"fat deps image", "base_image: debian:trixie-slim\ndeps_image: fat:1\nuser: root\n", nil, "more than /openhands"},
		{"unused arg", "base_image: debian:trixie-slim\nargs: {X: y}\ndeps_image: deps:1\nuser: root\n", nil, "(line 2)"},
		{"no MergeOp", "base_image: debian:trixie-slim\ndeps_image: deps:1\nuser: root\n", []apicaps.CapID{pb.CapMergeOp}, "MergeOp"},
		{"no sudo", "base_image: debian:trixie-slim\ndeps_image: deps:1\nuser: {name: dev, sudo: true}\n", nil, "no sudo"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &stub{spec: tt.spec, images: registry(), without: tt.without}
			if _, err := run(t, s); err != nil {
				t.Fatal(err)
			}
			if len(s.warnings) != 1 || !strings.Contains(s.warnings[0], tt.want) {
				t.Errorf("warnings %q, want one that says %q", s.warnings, tt.want)
			}
		})
	}
}

func TestWithoutMergeOpNothingIsMerged(t *testing.T) {
	s := &stub{spec: "base_image: debian:trixie-slim\ndeps_image: deps:1\n", images: registry(), without: []apicaps.CapID{pb.CapMergeOp}}
	if _, err := run(t, s); err != nil {
		t.Fatal(err)
	}
	for _, def := range s.solved {
		for _, dt := range def.Def {
			var op pb.Op
			if err := op.Unmarshal(dt); err != nil {
				t.Fatal(err)
			}
			if op.GetMerge() != nil {
				t.Fatal("the graph holds a merge")
			}
		}
	}
}

func TestPlatforms(t *testing.T) {
	for _, tt := range []struct {
		name, platforms string
		opts            map[string]string
		want            []string
	}{
		{"builder's own", "", nil, []string{"linux/amd64"}},
		{"from the spec", "platforms: [linux/arm64, linux/amd64]\n", nil, []string{"linux/arm64", "linux/amd64"}},
		{"flag wins", "platforms: [linux/arm64, linux/amd64]\n", map[string]string{"platform": "linux/amd64"}, []string{"linux/amd64"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &stub{spec: "base_image: debian:trixie-slim\ndeps_image: deps:1\n" + tt.platforms, opts: tt.opts, images: registry()}
			res, err := run(t, s)
			if err != nil {
				t.Fatal(err)
			}
			var ps exptypes.Platforms
			if err := json.Unmarshal(res.Metadata[exptypes.ExporterPlatformsKey], &ps); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, p := range ps.Platforms {
				got = append(got, p.ID)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("builds for %q, want %q", got, tt.want)
			}
		})
	}
}

func TestSubrequests(t *testing.T) {
	for _, tt := range []struct{ request, spec, want string }{
		{"frontend.targets", "base_image: debian", "runtime (default)"},
		{"frontend.outline", "args: {BASE_IMAGE: debian}\nbase_image: ${BASE_IMAGE}", "BASE_IMAGE"},
		{"frontend.lint", "args: {UNUSED: x}\nbase_image: debian", "UNUSED"},
		{"frontend.lint", "bsae_image: debian", "base_image"},
		{"frontend.subrequests.describe", "base_image: debian", "frontend.outline"},
	} {
		s := &stub{spec: tt.spec, images: registry(), opts: map[string]string{"requestid": tt.request}}
		res, err := run(t, s)
		if err != nil {
			t.Errorf("%s: %v", tt.request, err)
			continue
		}
		if got := string(res.Metadata["result.json"]) + string(res.Metadata["result.txt"]); !strings.Contains(got, tt.want) {
			t.Errorf("%s answers %q, want %q in it", tt.request, got, tt.want)
		}
	}
}
