package mirror_test

import (
	"os"
	"strings"
	"testing"

	"github.com/openhands/llb-frontend/integration/engine"
)

func TestWithMirrors(t *testing.T) {
	if os.Getuid() != 0 {
		unable(t, "the engine needs root")
	}
	e, err := engine.Open(engine.Config{})
	if err != nil {
		t.Fatal(err)
	}
	const first = "# syntax=" + engine.FrontendImage + "\n"
	out, err := e.WithMirrors(t.Context(), []byte(first+"# a comment\nbase_image: alpine:3.22\nserver: action-execution-server\n"))
	if err != nil {
		t.Fatal(err)
	}
	spec := string(out)
	t.Log(spec)
	if !strings.HasPrefix(spec, first+"# a comment\n") {
		t.Errorf("the first lines are\n%s", spec)
	}
	for _, want := range []string{"mirrors:\n", "  github: \"http://127.0.0.1:", "  vscode:\n    version: \"", "      arm64: \"sha256:"} {
		if !strings.Contains(spec, want) {
			t.Errorf("%q is missing in\n%s", want, spec)
		}
	}
	if strings.Contains(spec, `""`) {
		t.Errorf("a digest is missing in\n%s", spec)
	}
}
