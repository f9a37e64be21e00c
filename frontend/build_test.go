package frontend

import (
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/moby/buildkit/exporter/containerimage/exptypes"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/apicaps"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"

	"github.com/openhands/llb-frontend/frontend/spec"
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
		"deps:1": {config: labelled(ohllb.LabelDepsVersion, ohllb.DepsVersion)},
		"serverdeps:1": {config: config("", map[string]string{
			ohllb.LabelDepsVersion: ohllb.DepsVersion, ohllb.LabelDepsServer: "action-execution-server@0.62.0",
			ohllb.LabelDepsTools: "bash,tmux,git", ohllb.LabelDepsComponents: "lib,tools,init,python,python-deps,code",
		})},
		"olddeps:1":    {config: labelled(ohllb.LabelDepsVersion, "0")},
		"unlabelled:1": {files: fstest.MapFS{"openhands/x": {}}},
		"fat:1":        {files: fstest.MapFS{"openhands/x": {}, "etc/x": {}}},
		"nodeps:1":     {files: fstest.MapFS{"etc/x": {}}},
		"linkdeps:1":   {files: fstest.MapFS{"openhands": {Data: []byte("/etc"), Mode: fs.ModeSymlink}, "etc/x": {}}},
		"fifo:1":       {files: fstest.MapFS{"etc/passwd": {Mode: fs.ModeNamedPipe | 0o644}}},
		"device:1":     {files: fstest.MapFS{"etc/os-release": {Mode: fs.ModeDevice | 0o644}, "usr/bin/apt-get": {Mode: 0o755}}},
		"config:1":     {config: labelled("long", strings.Repeat("x", maxConfig))},
		"large:1":      {files: fstest.MapFS{"etc/group": {Data: make([]byte, maxFile+1), Mode: 0o644}}},
		"amd64only:1":  {config: config("amd64", nil)},
		"locked:1":     {err: errors.New("pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed")},
		"damaged:1":    {err: errors.New(`failed commit on ref "config-sha256:401404": unexpected commit digest sha256:aa, expected sha256:401404: failed precondition`)},
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
		{"base_image: debian:trixie-slim\ndeps_image: serverdeps:1\nuser: root\n", nil},
		{"base_image: debian:trixie-slim\ndeps_image: serverdeps:1\nserver: action-execution-server\nuser: 1001:0\n", nil},
		{"base_image: debian:trixie-slim\nserver: action-execution-server\nuser: root\n", nil},
		{"base_image: debian:trixie-slim\nserver: {name: action-execution-server, source: .}\nuser: root\n", nil},
		{"base_image: debian:trixie-slim\nserver: {name: agent-server, source: .}\nuser: root\n", nil},
		{"base_image: debian:trixie-slim\ndeps_image: deps:1\nuser: {create: start}\n", nil},
		{"base_image: debian:trixie-slim\ndeps_image: deps:1\n", []string{"debian:trixie-slim"}},
		{"base_image: debian:trixie-slim\ndeps_image: serverdeps:1\n", []string{"debian:trixie-slim"}},
		{"base_image: debian:trixie-slim\ndeps_image: unlabelled:1\nuser: root\n", []string{"unlabelled:1"}},
	} {
		s := &stub{spec: tt.spec, images: registry(), checkout: checkout("action-execution-server", "agent-server")}
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
		{"neither image", "deps_image: nothere:2\nuser: root\nlabels:\n  a: b\nbase_image: nosuch:1\n", nil,
			[]string{"1:13: deps image \"nothere:2\"", "5:13: base image \"nosuch:1\""}, []int32{1, 5}},
		{"needs a login", "user: root\nbase_image: locked:1\n", nil, []string{"docker login"}, []int32{2}},
		{"other bytes than the digest says", "user: root\nbase_image: damaged:1\n", nil, []string{`base image "damaged:1"`, "docker buildx prune"}, []int32{2}},
		{"no such platform", "base_image: noplatform:1\n", nil, []string{"linux/amd64"}, []int32{1}},
		{"other platform", "base_image: amd64only:1\n", map[string]string{"platform": "linux/arm64"}, []string{"linux/arm64", "linux/amd64"}, []int32{1}},
		{"deps image without /openhands", "base_image: debian:trixie-slim\ndeps_image: nodeps:1\n", nil, []string{"/openhands", "--target deps"}, []int32{2}},
		{"deps image with a symlink", "base_image: debian:trixie-slim\ndeps_image: linkdeps:1\n", nil, []string{"/openhands is a symlink, not a directory", "--target deps"}, []int32{2}},
		{"FIFO in a base", "base_image: fifo:1\ndeps_image: deps:1\n", nil, []string{`"/etc/passwd" is a FIFO in the base image, not a file`, "name the user by number"}, []int32{1}},
		{"device in a base", "base_image: device:1\ndeps_image: deps:1\nextra_deps: {packages: [less]}\n", nil, []string{`"/etc/os-release" is a device in the base image, not a file: give the base a proper one`}, []int32{1}},
		{"large config of a base", "base_image: config:1\ndeps_image: deps:1\n", nil, []string{"its config is too large: shorten labels and environment"}, []int32{1}},
		{"large file in a base", "base_image: large:1\ndeps_image: deps:1\n", nil, []string{`"/etc/group" has 1048577 bytes or more in the base image, and at most 1048576 are read`}, []int32{1}},
		{"deps image of another layout", "base_image: debian:trixie-slim\ndeps_image: olddeps:1\n", nil, []string{`"0"`}, []int32{2}},
		{"builder that does not exist", "base_image: debian:trixie-slim\ndeps:\n  builder: nosuch:1\n", nil, []string{"builder image"}, []int32{3}},
		{"deps image without the server", "base_image: debian:trixie-slim\ndeps_image: deps:1\nuser: root\nserver: action-execution-server\n", nil,
			[]string{`"deps:1" is not built for server "action-execution-server"`, "--target deps"}, []int32{4}},
		{"deps image of another version", "base_image: debian:trixie-slim\ndeps_image: serverdeps:1\nuser: root\nserver:\n  name: action-execution-server\n  version: \"0.61.0\"\n", nil,
			[]string{`has version "0.62.0" of the server, not "0.61.0"`}, []int32{6}},
		{"deps image whose server needs an account", "base_image: debian:trixie-slim\ndeps_image: serverdeps:1\nuser:\n  create: start\n", nil,
			[]string{"would run as root"}, []int32{4}},
		{"release without a digest", "base_image: debian:trixie-slim\ndeps:\n  uv: true\n  node: \"1.2.3\"\n", nil,
			[]string{"node-v1.2.3-linux-x64.tar.gz is not known to this frontend", "deps.node.digests"}, []int32{4}},
		{"no such build context", "base_image: debian:trixie-slim\nserver:\n  name: action-execution-server\n  source: checkout\n", nil,
			[]string{`there is no build context "checkout": pass --build-context checkout=DIRECTORY, or write "." for the build context`}, []int32{4}},
		{"no checkout", "base_image: debian:trixie-slim\nserver:\n  name: agent-server\n  source: .\n", nil,
			[]string{`server.source "." has no pyproject.toml, no uv.lock, no openhands-sdk/pyproject.toml, `, "name a checkout of OpenHands' software-agent-sdk"}, []int32{4}},
		{"bad name of a build context", "base_image: debian:trixie-slim\nserver:\n  name: action-execution-server\n  source: Check_Out\n", nil,
			[]string{"Check_Out"}, []int32{4}},
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

// TestTwoSolves: one of the spec and what lies beside it, one of the image.
func TestTwoSolves(t *testing.T) {
	s := &stub{spec: "base_image: debian:trixie-slim\ndeps_image: deps:1\nuser: root\n", lock: "version: 1\n", images: registry()}
	if _, err := run(t, s); err != nil {
		t.Fatal(err)
	}
	if len(s.all) != 2 {
		t.Errorf("%d requests to solve, want 2", len(s.all))
	}
}

// The base and the deps image are asked for at the same time: each answer waits for
// the other question.
func TestImagesAreResolvedSideBySide(t *testing.T) {
	s := &stub{spec: "base_image: debian:trixie-slim\ndeps_image: deps:1\nuser: root\n", images: registry()}
	asked := make(chan string, 2)
	both := make(chan struct{})
	s.resolving = func(ref string) {
		asked <- ref
		if len(asked) == 2 {
			close(both)
		}
		select {
		case <-both:
		case <-time.After(10 * time.Second):
			t.Errorf("%s waits for nobody", ref)
		}
	}
	if _, err := run(t, s); err != nil {
		t.Fatal(err)
	}
}

// A spec that uses the platform args is another one for each platform.
func TestPlatformArgs(t *testing.T) {
	s := &stub{
		spec:   "base_image: debian:trixie-slim\ndeps_image: deps-${TARGETARCH}:1\nuser: root\nlabels: {on: $BUILDPLATFORM, for: $TARGETPLATFORM}\nextra_deps: make $TARGETARCH\n",
		opts:   map[string]string{"platform": "linux/amd64,linux/arm64"},
		images: registry(),
	}
	s.images["deps-amd64:1"], s.images["deps-arm64:1"] = s.images["deps:1"], s.images["deps:1"]
	res, err := run(t, s)
	if err != nil {
		t.Fatal(err)
	}
	var sources []string
	for _, def := range s.solved {
		for _, dt := range def.Def {
			op := new(pb.Op)
			if err := op.Unmarshal(dt); err != nil {
				t.Fatal(err)
			}
			if id := op.GetSource().GetIdentifier(); strings.Contains(id, "deps-") {
				name, _, _ := strings.Cut(path.Base(id), "@")
				sources = append(sources, name+" on "+op.Platform.Architecture)
			}
			if args := op.GetExec().GetMeta().GetEnv(); args != nil && !slices.Contains(args, "TARGETARCH="+op.Platform.Architecture) {
				t.Errorf("the command for %s has the variables %q", op.Platform.Architecture, args)
			}
		}
	}
	slices.Sort(sources)
	if want := []string{"deps-amd64:1 on amd64", "deps-arm64:1 on arm64"}; !slices.Equal(sources, want) {
		t.Errorf("deps images are %q, want %q", sources, want)
	}
	for _, p := range []string{"linux/amd64", "linux/arm64"} {
		var img dockerspec.DockerOCIImage
		if err := json.Unmarshal(res.Metadata[exptypes.ExporterImageConfigKey+"/"+p], &img); err != nil {
			t.Fatal(err)
		}
		if got := img.Config.Labels; got["for"] != p || got["on"] != "linux/amd64" {
			t.Errorf("labels for %s are %q", p, got)
		}
	}
}

// With --pull every image of the spec is looked up again.
func TestPull(t *testing.T) {
	for opt, want := range map[string]string{"": "", "pull": pb.AttrImageResolveModeForcePull, "local": pb.AttrImageResolveModePreferLocal} {
		s := &stub{spec: "base_image: debian:trixie-slim\ndeps: {builder: 'builder:1'}\nuser: root\n", opts: map[string]string{"image-resolve-mode": opt}, images: registry()}
		s.images["builder:1"] = s.images["debian:trixie-slim"]
		if _, err := run(t, s); err != nil {
			t.Fatal(err)
		}
		seen := 0
		for _, op := range solvedOps(t, s) {
			if src := op.GetSource(); strings.Contains(src.GetIdentifier(), "library/") {
				seen++
				if got := src.Attrs[pb.AttrImageResolveMode]; got != want {
					t.Errorf("with %q, %s has the mode %q", opt, src.Identifier, got)
				}
			}
		}
		if seen != 2 {
			t.Errorf("%d images are in the graph, want base and builder", seen)
		}
	}
}

func TestManyProblemsAreCut(t *testing.T) {
	_, err := run(t, &stub{spec: "base_image: debian:trixie-slim\n" + strings.Repeat("a: b\n", 4000)})
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
		{"fat deps image", "base_image: debian:trixie-slim\ndeps_image: fat:1\nuser: root\n", nil, "its /openhands is copied"},
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

// TestServerSource looks at how the checkout gets into the graph: its parts
// alone, from the client or from another context.
func TestServerSource(t *testing.T) {
	for _, tt := range []struct {
		name, server, source string
		opts                 map[string]string
		want                 string // the source's identifier
	}{
		{"build context", "action-execution-server", ".", nil, "local://context"},
		{"checkout of the SDK", "agent-server", ".", nil, "local://context"},
		{"named checkout of the SDK", "agent-server", "checkout", map[string]string{"context:checkout": "local:checkout"}, "local://checkout"},
		{"named directory", "action-execution-server", "checkout", map[string]string{"context:checkout": "local:checkout"}, "local://checkout"},
		{"named image", "action-execution-server", "checkout", map[string]string{"context:checkout": "docker-image://debian:trixie-slim"}, "docker-image://docker.io/library/debian:trixie-slim"},
	} {
		for _, target := range []string{"runtime", "deps", "check"} {
			t.Run(tt.name+" "+target, func(t *testing.T) {
				opts := map[string]string{"target": target}
				maps.Copy(opts, tt.opts)
				images := registry()
				holds := images["debian:trixie-slim"]
				holds.files = maps.Clone(holds.files)
				maps.Copy(holds.files, checkout(tt.server))
				images["debian:trixie-slim"] = holds
				s := &stub{
					spec: "base_image: debian:trixie-slim\nuser: root\nserver: {name: " + tt.server + ", source: " + tt.source + "}\n",
					opts: opts, images: images, checkout: checkout(tt.server),
				}
				if _, err := run(t, s); err != nil {
					t.Fatal(err)
				}
				found := false
				for _, op := range solvedOps(t, s) {
					src := op.GetSource()
					if !strings.HasPrefix(src.GetIdentifier(), tt.want) {
						continue
					}
					found = true
					if !strings.HasPrefix(tt.want, "local://") {
						continue
					}
					var include, exclude []string
					if err := errors.Join(json.Unmarshal([]byte(src.Attrs[pb.AttrIncludePatterns]), &include),
						json.Unmarshal([]byte(src.Attrs[pb.AttrExcludePatterns]), &exclude)); err != nil {
						t.Fatal(err)
					}
					if !slices.Equal(include, ohllb.SourcePatterns(spec.Server{Name: tt.server})) || !slices.Equal(exclude, []string{"**/__pycache__"}) {
						t.Errorf("takes %q but %q", include, exclude)
					}
				}
				if !found {
					t.Errorf("the graph has no source %s", tt.want)
				}
			})
		}
	}
}

// checkout holds what servers need of a source.
func checkout(servers ...string) fstest.MapFS {
	files := fstest.MapFS{}
	for _, name := range servers {
		for _, file := range ohllb.SourceNeeds(spec.Server{Name: name}) {
			files[file] = &fstest.MapFile{Mode: 0o644}
		}
	}
	return files
}

// solvedOps are the vertices of the last graph that was solved.
func solvedOps(t *testing.T, s *stub) []*pb.Op {
	t.Helper()
	return opsOf(t, s.solved[len(s.solved)-1])
}

func opsOf(t *testing.T, def *pb.Definition) []*pb.Op {
	t.Helper()
	var ops []*pb.Op
	for _, dt := range def.Def {
		op := new(pb.Op)
		if err := op.Unmarshal(dt); err != nil {
			t.Fatal(err)
		}
		ops = append(ops, op)
	}
	return ops
}

func TestCheckRunsInTheImage(t *testing.T) {
	s := &stub{spec: "base_image: debian:trixie-slim\ndeps_image: serverdeps:1\nuser: root\n", opts: map[string]string{"target": "check"}, images: registry()}
	res, err := run(t, s)
	if err != nil {
		t.Fatal(err)
	}
	var checks [][]string
	for _, op := range solvedOps(t, s) {
		if args := op.GetExec().GetMeta().GetArgs(); args != nil {
			checks = append(checks, args)
		}
	}
	if len(checks) != 1 || checks[0][0] != "/openhands/bin/oh-check" || !strings.Contains(checks[0][2], "server") {
		t.Errorf("the check runs %q", checks)
	}
	var img dockerspec.DockerOCIImage
	if err := json.Unmarshal(res.Metadata[exptypes.ExporterImageConfigKey], &img); err != nil {
		t.Fatal(err)
	}
	if len(img.History) > 0 || img.Config.User != "" {
		t.Errorf("the result of the check is an image: %+v", img)
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
		{"frontend.targets", "base_image: debian", "check"},
		{"frontend.targets", "base_image: debian", "deps"},
		{"frontend.outline", "args: {BASE_IMAGE: debian}\nbase_image: ${BASE_IMAGE}", "BASE_IMAGE"},
		{"frontend.lint", "args: {UNUSED: x}\nbase_image: debian", "UNUSED"},
		{"frontend.lint", "bsae_image: debian", "base_image"},
		{"frontend.convertllb", "base_image: debian:trixie-slim\ndeps_image: deps:1\nuser: root", "docker-image://docker.io/library/deps:1"},
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
