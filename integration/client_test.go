package integration

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/exporter/containerimage/exptypes"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"
	"github.com/tonistiigi/fsutil"

	"github.com/openhands/llb-frontend/frontend"
	"github.com/openhands/llb-frontend/integration/engine"
)

// The frontend gives the same image whether the daemon starts it from its
// image (gateway.v0) or a Go program calls it in its own process: nothing of
// the machine or the process it runs in reaches the result.
func TestClientAndGatewayGiveTheSameImage(t *testing.T) {
	for _, yaml := range []string{
		"base_image: alpine:3.22\n",
		"base_image: debian:trixie-slim\ndeps_image: " + prebuilt(t) + "\nenvironment: {A: b, C: d}\n",
	} {
		gateway := solve(t, yaml, nil)
		inProcess := solve(t, yaml, frontend.Build)
		if gateway != inProcess {
			t.Errorf("%s\nby gateway.v0: %s, in process: %s", yaml, gateway, inProcess)
		}
	}
}

// withoutMergeOp is a client of an engine that lacks MergeOp.
type withoutMergeOp struct{ gwclient.Client }

func (c withoutMergeOp) BuildOpts() gwclient.BuildOpts {
	opts := c.Client.BuildOpts()
	list := pb.Caps.All()
	for _, c := range list {
		if c.ID == string(pb.CapMergeOp) {
			c.Enabled = false
		}
	}
	opts.LLBCaps = pb.Caps.CapSet(list)
	return opts
}

// Without MergeOp the image has the same files, in layers of its own.
func TestCopyFallbackGivesTheSameFiles(t *testing.T) {
	for _, base := range []string{"debian:trixie-slim", "distroless", "symlinks"} {
		yaml := "base_image: " + base + "\ndeps_image: " + prebuilt(t) + "\n"
		solve(t, yaml, frontend.Build)
		merged := flat(t, eng.Registry()+"/"+imageName(t))
		solve(t, yaml, func(ctx context.Context, c gwclient.Client) (*gwclient.Result, error) {
			return frontend.Build(ctx, withoutMergeOp{c})
		})
		copied := flat(t, eng.Registry()+"/"+imageName(t))
		for name, want := range merged {
			if got := copied[name]; got != want {
				t.Errorf("%s: %s is %q when copied, %q when merged", base, name, got, want)
			}
			delete(copied, name)
		}
		for name := range copied {
			t.Errorf("%s: %s is there only when copied", base, name)
		}
	}
}

// flat describes every file of an image, all layers applied.
func flat(t *testing.T, ref string) map[string]string {
	t.Helper()
	rc := mutate.Extract(pulled(t, ref, "amd64"))
	defer rc.Close()
	files := map[string]string{}
	for tr := tar.NewReader(rc); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		kind := h.FileInfo().Mode().Type()
		if h.Typeflag == tar.TypeLink {
			h.Linkname = "" // a copy may link the same files in another order
		}
		files["/"+strings.Trim(h.Name, "/")] = fmt.Sprintf("%s %o %d:%d %s", kind, h.Mode, h.Uid, h.Gid, h.Linkname)
	}
}

// solve builds a spec and pushes the image: by a function in this process, or
// for nil by the frontend image. It returns the image's digest.
func solve(t *testing.T, yaml string, build gwclient.BuildFunc) string {
	t.Helper()
	c, err := client.New(t.Context(), eng.BuildkitHost())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	dir, err := fsutil.NewFS(filepath.Dir(writeSpec(t, yaml)))
	if err != nil {
		t.Fatal(err)
	}
	// By digest: what the daemon tells a frontend that it starts, a program must
	// say itself.
	attrs := map[string]string{"filename": engine.SpecFile, "source": engine.FrontendImage + "@" + frontendDigest(t)}
	opt := client.SolveOpt{
		LocalMounts:   map[string]fsutil.FS{"dockerfile": dir, "context": dir},
		FrontendAttrs: maps.Clone(attrs),
		Exports: []client.ExportEntry{{
			Type:  client.ExporterImage,
			Attrs: map[string]string{"name": eng.Registry() + "/" + imageName(t), "push": "true"},
		}},
	}
	if build != nil {
		res, err := c.Build(t.Context(), opt, "", build, nil)
		if err != nil {
			t.Fatal(err)
		}
		return res.ExporterResponse[exptypes.ExporterImageDigestKey]
	}
	opt.Frontend = "gateway.v0"
	res, err := c.Solve(t.Context(), nil, opt, nil)
	if err != nil {
		t.Fatal(err)
	}
	return res.ExporterResponse[exptypes.ExporterImageDigestKey]
}

func frontendDigest(t *testing.T) string {
	t.Helper()
	ref, err := name.ParseReference(eng.FrontendRef(), name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	desc, err := remote.Head(ref)
	if err != nil {
		t.Fatal(err)
	}
	return desc.Digest.String()
}
