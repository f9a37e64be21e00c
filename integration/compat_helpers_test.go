package integration

import (
	"bytes"
	"io"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/openhands/llb-frontend/integration/engine"
)

// syntaxLine is what every spec begins with.
const syntaxLine = "# syntax=" + engine.FrontendImage + "\n"

// plain is a spec that costs nothing to build: a small base, and a deps image.
func plain(t *testing.T, more string) string {
	t.Helper()
	return "base_image: " + eng.BaseImage("alpine:3.22") + "\ndeps_image: " + prebuilt(t) + "\nuser: root\n" + more
}

// buildx runs buildx as a person does, in a directory, and returns what it
// prints.
func buildx(t *testing.T, dir string, stdin io.Reader, args ...string) string {
	t.Helper()
	out, err := tryBuildx(t, dir, stdin, args...)
	if err != nil {
		t.Fatalf("buildx %q: %v\n%s", args, err, out)
	}
	return out
}

func tryBuildx(t *testing.T, dir string, stdin io.Reader, args ...string) (string, error) {
	t.Helper()
	cmd := eng.Buildx(t.Context(), args...)
	var out bytes.Buffer
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = dir, stdin, &out, &out
	err := cmd.Run()
	return out.String(), err
}

// destination names a test's image in the local registry, and gives the arguments
// that push it.
func destination(t *testing.T) (ref string, args []string) {
	t.Helper()
	ref = eng.Registry() + "/" + imageName(t)
	return ref, []string{"--push", "-t", ref, "--provenance=false", "--progress=plain"}
}

// label is one of an image in the local registry.
func label(t *testing.T, ref, name string) string {
	t.Helper()
	return configOf(t, pulled(t, ref, "amd64")).Config.Labels[name]
}

// writeFiles writes a directory of small files.
func writeFiles(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// committed is when the commit of a repository was made, in seconds since 1970.
const committed = 1_600_000_000

// repository serves a git repository over HTTP, with one commit of those files,
// and returns its address.
func repository(t *testing.T, files map[string]string) string {
	t.Helper()
	when := strconv.Itoa(committed) + " +0000"
	work, served := writeFiles(t, files), t.TempDir()
	git := func(args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "git", append([]string{"-c", "user.name=a", "-c", "user.email=a@example.com"}, args...)...)
		cmd.Dir = work
		cmd.Env = append(os.Environ(), "GIT_COMMITTER_DATE="+when, "GIT_AUTHOR_DATE="+when, "GIT_CONFIG_GLOBAL="+os.DevNull)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %q: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	git("init", "--quiet", "--initial-branch=main")
	git("add", ".")
	git("commit", "--quiet", "--message=all")
	git("clone", "--quiet", "--bare", ".", filepath.Join(served, "repo.git"))
	srv := httptest.NewServer(&cgi.Handler{
		Path: filepath.Join(git("--exec-path"), "git-http-backend"),
		Env:  []string{"GIT_PROJECT_ROOT=" + served, "GIT_HTTP_EXPORT_ALL=1"},
	})
	t.Cleanup(srv.Close)
	return srv.URL + "/repo.git"
}

// relabelled is an image of the local registry with one more label, under the
// test's name.
func relabelled(t *testing.T, ref, label, value string) string {
	t.Helper()
	return changedImage(t, ref, func(c *v1.ConfigFile) {
		if c.Config.Labels == nil {
			c.Config.Labels = map[string]string{}
		}
		c.Config.Labels[label] = value
	})
}

// changedImage is an image of the local registry with another config, under the
// test's name.
func changedImage(t *testing.T, ref string, change func(*v1.ConfigFile)) string {
	t.Helper()
	img := pulled(t, ref, "amd64")
	config := configOf(t, img).DeepCopy()
	change(config)
	img, err := mutate.ConfigFile(img, config)
	if err != nil {
		t.Fatal(err)
	}
	to := eng.Registry() + "/" + strings.Replace(imageName(t), ":", "-changed:", 1)
	push(t, img, to)
	return to
}

func push(t *testing.T, img v1.Image, to string) {
	t.Helper()
	ref, err := name.ParseReference(to, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, img); err != nil {
		t.Fatal(err)
	}
}
