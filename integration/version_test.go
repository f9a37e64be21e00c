package integration

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/openhands/llb-frontend/integration/engine"
)

// One version names the tags of the frontend's image, its labels, and what the
// program says of itself.
func TestFrontendVersion(t *testing.T) {
	const image = "registry.example.com/llb-frontend"
	for version, tags := range map[string][]string{
		"1.0.0":      {"1.0.0", "1.0", "1"},
		"2.10.3":     {"2.10.3", "2.10", "2"},
		"1.1.0-rc.1": {"1.1.0-rc.1"},
		"dev":        {"dev"},
	} {
		cmd := eng.Buildx(t.Context(), "bake", "--print", "frontend")
		cmd.Env = append(cmd.Env, "IMAGE="+image, "VERSION="+version)
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		var printed struct {
			Target struct {
				Frontend struct {
					Tags []string
					Args map[string]string
				}
			}
		}
		if err := json.Unmarshal(out, &printed); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		var want []string
		for _, tag := range tags {
			want = append(want, image+":"+tag)
		}
		if got := printed.Target.Frontend; !slices.Equal(got.Tags, want) || got.Args["VERSION"] != version {
			t.Errorf("version %s has the tags %q and the args %q, want %q", version, got.Tags, got.Args, want)
		}
	}

	labels := configOf(t, pulled(t, eng.FrontendRef(), "amd64")).Config.Labels
	version, revision := labels["org.opencontainers.image.version"], labels["org.opencontainers.image.revision"]
	if !regexp.MustCompile(`^1\.\d+\.\d+$`).MatchString(version) || revision == "" {
		t.Errorf("the labels are %q", labels)
	}
	says := run(t, engine.RunOptions{Image: eng.FrontendRef(), Args: []string{"/bin/openhands-frontend", "-version"}, User: "0"})
	if want := "openhands-frontend " + version + " " + revision + "\n"; says != want {
		t.Errorf("it says %q, its labels %q", says, want)
	}
	// The tags that a syntax line may name.
	minor, _, _ := strings.Cut(strings.TrimPrefix(version, "1."), ".")
	for _, tag := range []string{"1." + minor, version} {
		ref := strings.TrimSuffix(eng.FrontendRef(), ":1") + ":" + tag
		if got, want := pinned(t, ref), pinned(t, eng.FrontendRef()); got != want {
			t.Errorf("%s is %s, and the tag 1 is %s", tag, got, want)
		}
	}
}

// Specs of earlier releases are built: those that need no server's deps.
// TestFrozenSpecs loads all of them.
func TestFrozenSpecsBuild(t *testing.T) {
	deps := prebuilt(t)
	buildArg := regexp.MustCompile(`(?m)^# --build-arg (\S+)$`)
	for _, name := range []string{"args", "image", "minimal", "prebuilt", "root", "user-number"} {
		t.Run(name, func(t *testing.T) {
			files, err := filepath.Glob(filepath.Join("testdata", "frozen", "*", name+".yaml"))
			if err != nil || len(files) == 0 {
				t.Fatalf("no such spec: %v", err)
			}
			for _, file := range files {
				text, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				opt := engine.BuildOptions{Spec: file, Image: imageName(t), Args: []string{
					"--build-context=registry.example.com/openhands-deps:1=docker-image://" + deps,
				}}
				for _, m := range buildArg.FindAllStringSubmatch(string(text), -1) {
					opt.Args = append(opt.Args, "--build-arg="+m[1])
				}
				if _, err := eng.Build(t.Context(), opt); err != nil {
					t.Errorf("%s: %v", file, err)
					continue
				}
				contains(t, run(t, engine.RunOptions{Image: opt.Image, Args: []string{"tmux", "-V"}}), "tmux 3")
			}
		})
	}
}
