package frontend

import (
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	gwpb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/apicaps"
)

// docker2010 is what Docker Engine 20.10 lacks of what the frontend could use
// (its BuildKit is 0.8; solver/pb/caps.go and frontend/gateway/pb/caps.go there).
func docker2010() []apicaps.CapID {
	return []apicaps.CapID{
		pb.CapMergeOp, pb.CapDiffOp, pb.CapSourcePolicy, pb.CapPassthroughOp,
		pb.CapExecMetaCgroupParent, pb.CapExecMetaLinuxResources, pb.CapExecMetaUlimit, pb.CapExecMountTmpfsSize,
		pb.CapExecSecretEnv, pb.CapExecValidExitCode,
		pb.CapFileCopyIncludeExcludePatterns, pb.CapFileCopyAlwaysReplaceExistingDestPaths, pb.CapFileCopyModeStringFormat,
		pb.CapFileRmNoFollowSymlink, pb.CapFileSymlinkCreate,
		pb.CapSourceHTTPAuth, pb.CapSourceHTTPHeader, pb.CapSourceImageLayerLimit, pb.CapSourceLocalDiffer,
		pb.CapSourceOCILayout, gwpb.CapGatewayWarnings, gwpb.CapSourceMetaResolver, gwpb.CapGatewayEvaluateSolve,
	}
}

// No graph asks an engine for more than it has: it would refuse it with the
// name of a capability, which tells people nothing.
func TestGraphsForDocker2010(t *testing.T) {
	for name, yaml := range map[string]string{
		"tools":        "base_image: debian:trixie-slim\n",
		"fill-ins":     "base_image: empty:1\ndeps_image: deps:1\n",
		"setgid home":  "base_image: setgid:1\ndeps_image: deps:1\n",
		"xattrs":       "base_image: xattrs:1\ndeps_image: deps:1\n",
		"reduced deps": "base_image: debian:trixie-slim\ndeps_image: fat:1\n",
		"server":       "base_image: debian:trixie-slim\nserver: action-execution-server\nextra_deps: {packages: [make], run: [make]}\n",
		"agent-server": "base_image: debian:trixie-slim\nserver: agent-server\ndeps: {python: uv, acp: codex}\n",
	} {
		t.Run(name, func(t *testing.T) {
			s := &stub{spec: yaml, images: registry(), opts: requestOptions(), without: docker2010()}
			s.images["empty:1"] = stubImage{}
			s.images["setgid:1"] = homeBase(fs.ModeSetgid, nil)
			s.images["xattrs:1"] = homeBase(0, map[string][]byte{"user.x": nil})
			if _, err := run(t, s); err != nil {
				t.Fatal(err)
			}
			if len(s.solved) == 0 {
				t.Fatal("nothing is solved")
			}
			for _, def := range s.solved {
				for _, c := range needs(t, def) {
					if slices.Contains(s.without, c) {
						t.Errorf("the graph needs %s", c)
					}
				}
			}
		})
	}
}

// needs lists the capabilities that a graph uses. Those of copies and symlinks
// are not declared by package llb: an engine without them would silently do
// something else.
func needs(t *testing.T, def *pb.Definition) []apicaps.CapID {
	t.Helper()
	var caps []apicaps.CapID
	for _, m := range def.Metadata {
		for c := range m.Caps {
			caps = append(caps, apicaps.CapID(c))
		}
	}
	for _, dt := range def.Def {
		var op pb.Op
		if err := op.Unmarshal(dt); err != nil {
			t.Fatal(err)
		}
		for _, a := range op.GetFile().GetActions() {
			if a.GetSymlink() != nil {
				caps = append(caps, pb.CapFileSymlinkCreate)
			}
			if c := a.GetCopy(); len(c.GetIncludePatterns())+len(c.GetExcludePatterns()) > 0 {
				caps = append(caps, pb.CapFileCopyIncludeExcludePatterns)
			}
		}
	}
	return caps
}

// homeBase has a /home with a mode and extended attributes of its own.
func homeBase(mode fs.FileMode, xattrs map[string][]byte) stubImage {
	return stubImage{files: fstest.MapFS{
		"etc/passwd": {Data: []byte("root:x:0:0::/root:/bin/sh\n"), Mode: 0o644},
		"home":       {Mode: fs.ModeDir | mode | 0o775, Sys: xattrs},
	}}
}

// An engine that shows warnings gets each once, and no step for it; one that
// does not gets a step for each.
func TestWarningsOfOldEngines(t *testing.T) {
	const yaml = "base_image: debian:trixie-slim\ndeps_image: deps:1\nplatforms: [linux/amd64, linux/arm64]\n"
	for name, tt := range map[string]struct {
		without         []apicaps.CapID
		opts            map[string]string
		warnings, steps []string // what they begin with
	}{
		"nothing is lacking":      {},
		"no MergeOp":              {without: []apicaps.CapID{pb.CapMergeOp}, warnings: []string{"no MergeOp in this engine: "}},
		"neither it nor warnings": {without: docker2010(), steps: []string{"no MergeOp in this engine: "}},
		"older than an option": {
			without: []apicaps.CapID{pb.CapExecMetaLinuxResources}, opts: map[string]string{"memory": "1073741824"},
			warnings: []string{"this engine does not know --resource: "},
		},
		"older than all options": {
			without: docker2010(), opts: requestOptions(),
			steps: []string{"no MergeOp in this engine: ", "this engine does not know --cgroup-parent, --resource, --shm-size, --ulimit: "},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := &stub{spec: yaml, images: registry(), opts: tt.opts, without: tt.without}
			if _, err := run(t, s); err != nil {
				t.Fatal(err)
			}
			begin(t, "warning", s.warnings, tt.warnings)
			begin(t, "step", s.warningSteps, tt.steps)
		})
	}
}

func begin(t *testing.T, what string, got, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%ss are %q, want one for each of %q", what, got, want)
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("%s %q, want it to begin with %q", what, got[i], want[i])
		}
	}
}

func TestLayoutsOfOldEngines(t *testing.T) {
	s := &stub{spec: "base_image: base\n", images: registry(), without: docker2010(), opts: map[string]string{"context:base": "oci-layout://base@sha256:1"}}
	if _, err := run(t, s); err == nil || !strings.Contains(err.Error(), `build context "base" is an OCI layout`) {
		t.Errorf("%v", err)
	}
}
