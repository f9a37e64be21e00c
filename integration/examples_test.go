package integration

import (
	"path/filepath"
	"regexp"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/openhands/llb-frontend/integration/engine"
)

// startedBy names the test that starts an image with the base and the /openhands of
// an example: of such an example the image is built, and no server is started again.
var startedBy = map[string]string{
	"agent-server":   "TestAgentServerStarts",
	"closed-network": "TestClosedNetwork",
	"prebuilt":       "TestCheckTarget",
	"server":         "TestServerStarts",
	"server-alpine":  "TestCheckTarget",
}

// warned is how buildx begins the warnings of a frontend.
var warned = regexp.MustCompile(`\d+ warnings? found`)

// Every example is built. The preflight of its own target composes the image, has
// its server started in BuildKit, and asked.
func TestExamples(t *testing.T) {
	specs, err := filepath.Glob(filepath.Join(eng.Repo(), "examples", "*", engine.SpecFile))
	if err != nil || len(specs) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, spec := range specs {
		example := filepath.Base(filepath.Dir(spec))
		t.Run(example, func(t *testing.T) {
			// One platform: extra_deps would run commands of the other.
			opt := engine.BuildOptions{Spec: spec, Args: []string{"--platform=linux/amd64"}}
			switch example {
			case "source":
				opt.Context = t.TempDir()
				extract(t, pulled(t, prebuiltServer(t), "amd64"), "openhands/code/", opt.Context, "python-deps", "code")
			case "prebuilt":
				opt.Args = append(opt.Args, "--build-arg=DEPS_IMAGE="+pinned(t, prebuiltServer(t)))
			}
			started := startedBy[example] != ""
			if started {
				opt.Image = "test/example-" + example + ":latest"
			} else {
				opt.Args = append(opt.Args, "--target=check", "--no-cache-filter=check", "--output=type=cacheonly")
			}
			res, err := eng.Build(t.Context(), opt)
			if err != nil {
				t.Fatal(err)
			}
			if warned.MatchString(res.Log) {
				t.Errorf("an example warns:\n%s", res.Log)
			}
			if started {
				contains(t, run(t, engine.RunOptions{Image: opt.Image, Args: []string{"tmux", "-V"}}), "tmux 3")
			} else {
				contains(t, res.Log, "tmux", ", no failure")
			}
		})
	}
}

// A project's own programs stay first on PATH, also in the server's terminal.
func TestOwnToolchainComesFirst(t *testing.T) {
	spec := filepath.Join(eng.Repo(), "examples", "own-toolchain", engine.SpecFile)
	image := imageName(t)
	if _, err := eng.Build(t.Context(), engine.BuildOptions{Spec: spec, Image: image}); err != nil {
		t.Fatal(err)
	}
	out := run(t, engine.RunOptions{Image: image, Args: []string{"bash", "-c", "command -v bash node python3 tmux uv; node --version"}})
	want := "/usr/bin/bash\n/usr/local/bin/node\n/usr/bin/python3\n/openhands/bin/tmux\n/openhands/tools/uv\nv22.0.0\n"
	if out != want {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
}

// pinned is a reference by digest.
func pinned(t *testing.T, ref string) string {
	t.Helper()
	tag, err := name.ParseReference(ref, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	desc, err := remote.Head(tag)
	if err != nil {
		t.Fatal(err)
	}
	return tag.Context().Digest(desc.Digest.String()).String()
}
