package integration

import (
	"os"
	"strings"
	"testing"

	"github.com/openhands/llb-frontend/integration/engine"
)

// A daemon without root, which grants no entitlement to anybody, gives the same
// images as one of root: it makes the stages of /openhands, reads a base, merges,
// and runs a command on the result.
func TestRootlessBuildKit(t *testing.T) {
	rootless, stop, err := eng.Rootless(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	minimal, err := os.ReadFile("../examples/minimal/openhands.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(minimal), "\n") // behind the syntax line
	deps := "deps_image: " + prebuilt(t) + "\n"
	for name, yaml := range map[string]string{
		"examples/minimal": example,
		"another user":     "base_image: alpine:3.22\nuser: {name: dev, uid: 4242}\n" + deps,
		"a command":        "base_image: debian:trixie-slim\nextra_deps: {run: ['id -u >/made && chown 1000:0 /made && chmod 0640 /made && touch -d @0 /made']}\n" + deps,
	} {
		t.Run(name, func(t *testing.T) {
			if got, want := digestBy(t, rootless, yaml), digestBy(t, eng, yaml); got != want {
				t.Errorf("without root the image is %s, with root %s", got, want)
			}
		})
	}
	t.Run("no entitlement", func(t *testing.T) {
		res, err := rootless.Build(t.Context(), engine.BuildOptions{
			Spec: writeSpec(t, "base_image: alpine:3.22\n"+deps), Args: []string{"--allow=network.host", "--network=host"},
		})
		if err == nil {
			t.Errorf("the daemon grants network.host:\n%s", res.Log)
		}
		contains(t, res.Log, "network.host")
	})
}
