package frontend

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/linter"

	"github.com/openhands/llb-frontend/frontend/lint"
	"github.com/openhands/llb-frontend/frontend/spec"
	"github.com/openhands/llb-frontend/llb/llbtest"
)

// TestFrozenSpecs loads the specs that people wrote for earlier releases: none has
// become a mistake or something to warn of, and all mean what they meant.
func TestFrozenSpecs(t *testing.T) {
	const dir = "../integration/testdata/frozen"
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the integration module is not here: the image that the Dockerfile tests in has the code alone")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no specs: %v", err)
	}
	buildArg := regexp.MustCompile(`(?m)^# --build-arg (\w+)=(.*)$`)
	for _, file := range files {
		t.Run(strings.TrimPrefix(file, dir+"/"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			args := map[string]string{}
			for _, m := range buildArg.FindAllStringSubmatch(string(data), -1) {
				args[m[1]] = m[2]
			}
			doc, err := spec.Load(file, data, args)
			if err != nil {
				t.Fatal(err)
			}
			found, err := lint.Run(lint.Input{Document: doc, IsContext: func(name string) bool { return name == "distroless" }}, linter.Config{})
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range found {
				t.Errorf("line %d: %s: %s", f.Range.Start.Line, f.Name, f.Message)
			}
			meaning, err := spec.Marshal(doc.Spec)
			if err != nil {
				t.Fatal(err)
			}
			llbtest.Golden(t, "../"+strings.TrimSuffix(file, ".yaml"), string(meaning))
		})
	}
}
