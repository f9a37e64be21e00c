package integration

import (
	"maps"
	"path/filepath"
	"testing"

	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/exporter/containerimage/exptypes"
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
		gateway := solve(t, yaml, false)
		inProcess := solve(t, yaml, true)
		if gateway != inProcess {
			t.Errorf("%s\nby gateway.v0: %s, in process: %s", yaml, gateway, inProcess)
		}
	}
}

func solve(t *testing.T, yaml string, inProcess bool) string {
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
	attrs := map[string]string{"filename": engine.SpecFile, "source": engine.FrontendImage}
	opt := client.SolveOpt{
		LocalMounts:   map[string]fsutil.FS{"dockerfile": dir, "context": dir},
		FrontendAttrs: maps.Clone(attrs),
		Exports: []client.ExportEntry{{
			Type:  client.ExporterImage,
			Attrs: map[string]string{"name": eng.Registry() + "/" + imageName(t), "push": "true"},
		}},
	}
	if inProcess {
		res, err := c.Build(t.Context(), opt, "", frontend.Build, nil)
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
