package integration

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/openhands/llb-frontend/integration/engine"
)

// What --call answers, as a person reads it and as a script does.
func TestCall(t *testing.T) {
	const clean = "args: {SUITE: trixie}\nbase_image: debian:${SUITE}-slim\n"
	call := func(t *testing.T, args ...string) string {
		t.Helper()
		res, err := eng.Build(t.Context(), engine.BuildOptions{Spec: writeSpec(t, clean), Args: args})
		if err != nil {
			t.Fatal(err)
		}
		return res.Log
	}
	t.Run("check of a clean spec", func(t *testing.T) {
		contains(t, call(t, "--check"), "Check complete, no warnings found.")
	})
	t.Run("check", func(t *testing.T) {
		log := buildFails(t, "base_image: debian\nenvironment:\n  API_TOKEN: abc\n", "--check")
		contains(t, log, "Check complete, 2 warnings have been found!",
			"WARNING: LatestTag - https://", "docs/checks.md#latesttag", `base_image "debian"`, "2 | >>> base_image: debian",
			"WARNING: SecretsUsedInArgOrEnv", "4 | >>>   API_TOKEN: abc")
	})
	t.Run("check of a mistake", func(t *testing.T) {
		contains(t, buildFails(t, "bsae_image: debian:13\n", "--check"), `did you mean "base_image"?`, "2 | >>> bsae_image: debian:13")
	})
	t.Run("strict rules that are errors", func(t *testing.T) {
		log := buildFails(t, clean, "--build-arg=BUILDKIT_DOCKERFILE_CHECK=experimental=NotPinned;error=true")
		contains(t, log, "NotPinned: base_image", "3 | >>> base_image: debian:${SUITE}-slim")
	})
	t.Run("outline", func(t *testing.T) {
		contains(t, call(t, "--call=outline"), "TARGET:", "runtime", "SUITE", "trixie", "RUNTIME_IMAGE_REPO", "SECRET", "netrc")
	})
	t.Run("outline as JSON", func(t *testing.T) {
		log := call(t, "--call=outline,format=json", "--progress=quiet")
		var outline struct {
			Args []struct{ Name, Value string } `json:"args"`
		}
		if err := json.Unmarshal([]byte(log[max(strings.Index(log, "{"), 0):]), &outline); err != nil {
			t.Fatalf("%v in\n%s", err, log)
		}
		if len(outline.Args) == 0 || outline.Args[0].Name != "SUITE" || outline.Args[0].Value != "trixie" {
			t.Errorf("the args are %v", outline.Args)
		}
	})
	t.Run("targets", func(t *testing.T) {
		contains(t, call(t, "--call=targets"), "runtime (default)", "deps", "check")
	})
}
