package integration

import (
	"testing"

	"github.com/openhands/llb-frontend/integration/engine"
)

// A daemon three years older gives the same images to the byte: composed by
// merge, with symlinks that it cannot make itself.
func TestOldBuildkit(t *testing.T) {
	old, stop, err := eng.Old(t.Context(), "v0.12.5")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	for name, yaml := range map[string]string{
		"nothing read": "base_image: alpine:3.22\ndeps_image: " + prebuilt(t) + "\nuser: root\n",
		"fill-ins":     "base_image: distroless\ndeps_image: " + prebuilt(t) + "\n",
		"in the graph": "base_image: debian:trixie-slim\n",
	} {
		t.Run(name, func(t *testing.T) {
			digest := func(e *engine.Engine) string {
				res, err := e.Build(t.Context(), engine.BuildOptions{
					Spec: writeSpec(t, yaml),
					Args: []string{"--provenance=false", "--output", "type=image,push=true,oci-mediatypes=true,name=" + eng.Registry() + "/" + imageName(t)},
				})
				if err != nil {
					t.Fatal(err)
				}
				return res.Digest
			}
			if was, is := digest(old), digest(eng); was != is {
				t.Errorf("the old daemon gives %s, the new one %s", was, is)
			}
		})
	}
}
