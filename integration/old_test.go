package integration

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/moby/buildkit/client"

	"github.com/openhands/llb-frontend/integration/engine"
)

// Older daemons give the same images to the byte, show mistakes as today's does,
// and say once what they cannot do.
func TestOldBuildkits(t *testing.T) {
	releases, err := eng.OldReleases()
	if err != nil {
		t.Fatal(err)
	}
	images := map[string]string{
		"nothing read": "base_image: alpine:3.22\ndeps_image: " + prebuilt(t) + "\nuser: root\n",
		"fill-ins":     "base_image: distroless\ndeps_image: " + prebuilt(t) + "\n",
		"in the graph": "base_image: debian:trixie-slim\ndeps: {tools: [jq]}\n",
	}
	want := map[string]string{}
	for name, yaml := range images {
		want[name] = digestBy(t, eng, yaml)
	}
	t.Run("current", func(t *testing.T) { holdsEngineTable(t, engineName(buildkitVersion(t)), buildkitClient(t, eng)) })
	for _, release := range releases {
		t.Run(release, func(t *testing.T) {
			old, stop, err := eng.Old(t.Context(), release)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := stop(); err != nil {
					t.Error(err)
				}
			})
			for name, yaml := range images {
				if got := digestBy(t, old, yaml); got != want[name] {
					t.Errorf("%s: this daemon gives %s, the current one %s", name, got, want[name])
				}
			}
			answersCalls(t, old)
			answersFromLayout(t, old)
			warnsOfOptions(t, old, images["in the graph"])
			holdsEngineTable(t, engineName(release), buildkitClient(t, old))
		})
	}
}

// digestBy is the digest of an image that an engine builds and pushes.
func digestBy(t *testing.T, e *engine.Engine, yaml string) string {
	t.Helper()
	res, err := e.Build(t.Context(), engine.BuildOptions{
		Spec: writeSpec(t, yaml),
		Args: []string{"--provenance=false", "--output", "type=image,push=true,oci-mediatypes=true,name=" + eng.Registry() + "/" + imageName(t)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return res.Digest
}

// answersCalls asks what needs a newer protocol than the oldest daemons have,
// and makes a mistake.
func answersCalls(t *testing.T, e *engine.Engine) {
	t.Helper()
	const clean, wrong = "args: {SUITE: trixie}\nbase_image: debian:${SUITE}-slim\n", "base_image: debian:trixie-slim\nplatfroms: [linux/amd64]\n"
	for _, tt := range []struct {
		yaml, arg string
		want      []string
	}{
		{clean, "--check", []string{"Check complete, no warnings found."}},
		{clean, "--call=outline", []string{"SUITE", "trixie"}},
		{clean, "--call=targets", []string{"runtime (default)"}},
		{wrong, "--check", []string{`openhands.yaml:3:1: unknown key "platfroms"`, ">>> platfroms"}},
		{wrong, "--no-cache", []string{`openhands.yaml:3:1: unknown key "platfroms"`, ">>> platfroms"}},
	} {
		res, err := e.Build(t.Context(), engine.BuildOptions{Spec: writeSpec(t, tt.yaml), Args: []string{tt.arg}})
		if (err == nil) != (tt.yaml == clean) {
			t.Errorf("%s of\n%s: %v", tt.arg, tt.yaml, err)
		}
		contains(t, res.Log, tt.want...)
	}
}

// warnsOfOptions builds with an option that is younger than all old releases.
func warnsOfOptions(t *testing.T, e *engine.Engine, yaml string) {
	t.Helper()
	res, err := e.Build(t.Context(), engine.BuildOptions{Spec: writeSpec(t, yaml), Args: []string{"--resource=memory=1g"}})
	if err != nil {
		t.Fatal(err)
	}
	contains(t, res.Log, "1 warning found")
	// In the list of warnings at the end: some clients show them at their step too.
	if n := strings.Count(res.Log, " - this engine does not know --resource: the commands of this build run without"); n != 1 {
		t.Errorf("the option that is left out is listed %d times in\n%s", n, res.Log)
	}
	if strings.Contains(res.Log, "[warning]") {
		t.Errorf("a warning is a step too in\n%s", res.Log)
	}
}

func buildkitClient(t *testing.T, e *engine.Engine) *client.Client {
	t.Helper()
	c, err := client.New(t.Context(), e.BuildkitHost())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// buildkitVersion is the current daemon's, by the module that it is built from.
func buildkitVersion(t *testing.T) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Version}}", "github.com/moby/buildkit").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}
