package integration

import (
	"archive/tar"
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/openhands/llb-frontend/integration/engine"
	ohllb "github.com/openhands/llb-frontend/llb"
)

// TestCompatSources: where the spec and the build context come from.
func TestCompatSources(t *testing.T) {
	t.Run("any file", specInAnyFile)
	t.Run("stdin", specOnStdin)
	t.Run("git", specInGit)
	t.Run("http", specOverHTTP)
	t.Run("BUILDKIT_SYNTAX", specWithoutSyntaxLine)
	t.Run("dockerignore", ignored)
}

func specInAnyFile(t *testing.T) {
	dir := writeFiles(t, map[string]string{"specs/mine.yml": syntaxLine + plain(t, "labels: {from: a file}\n")})
	ref, args := destination(t)
	buildx(t, dir, nil, append(append([]string{"build"}, args...), "-f", "specs/mine.yml", ".")...)
	if got := label(t, ref, "from"); got != "a file" {
		t.Errorf("the label is %q", got)
	}
}

func specOnStdin(t *testing.T) {
	spec := syntaxLine + plain(t, "labels: {from: stdin}\n")
	for _, how := range [][]string{{"-f", "-", "."}, {"-"}} {
		ref, args := destination(t)
		buildx(t, t.TempDir(), strings.NewReader(spec), append(append([]string{"build"}, args...), how...)...)
		if got := label(t, ref, "from"); got != "stdin" {
			t.Errorf("%q: the label is %q", how, got)
		}
	}
}

func specInGit(t *testing.T) {
	url := repository(t, map[string]string{"sub/" + engine.SpecFile: syntaxLine + plain(t, "labels: {from: git}\n")})
	ref, args := destination(t)
	buildx(t, t.TempDir(), nil, append(append([]string{"build"}, args...), "-f", engine.SpecFile, url+"#main:sub")...)
	if got := label(t, ref, "from"); got != "git" {
		t.Errorf("the label is %q", got)
	}
}

// The spec itself, or an archive that holds it.
func specOverHTTP(t *testing.T) {
	spec := syntaxLine + plain(t, "labels: {from: http}\n")
	archive := tarOf(t, map[string]string{engine.SpecFile: spec}, time.Now())
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, ".tar") {
			_, _ = w.Write(archive)
			return
		}
		_, _ = w.Write([]byte(spec))
	}))
	defer srv.Close()
	for _, how := range [][]string{{srv.URL + "/mine.yaml"}, {"-f", engine.SpecFile, srv.URL + "/context.tar"}} {
		ref, args := destination(t)
		buildx(t, t.TempDir(), nil, append(append([]string{"build"}, args...), how...)...)
		if got := label(t, ref, "from"); got != "http" {
			t.Errorf("%q: the label is %q", how, got)
		}
	}
}

func tarOf(t *testing.T, files map[string]string, when time.Time) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for name, text := range files {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(text)), ModTime: when}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func specWithoutSyntaxLine(t *testing.T) {
	dir := writeFiles(t, map[string]string{"spec.yaml": plain(t, "labels: {from: no line}\n")})
	ref, args := destination(t)
	buildx(t, dir, nil, append(append([]string{"build"}, args...), "-f", "spec.yaml", "--build-arg", "BUILDKIT_SYNTAX="+engine.FrontendImage, ".")...)
	if got := label(t, ref, "from"); got != "no line" {
		t.Errorf("the label is %q", got)
	}
}

// What a checkout's .dockerignore names is not sent, and the spec's own one
// wins over it.
func ignored(t *testing.T) {
	// The deps image only says that it holds a server: enough to compose one.
	checkout := map[string]string{
		"pyproject.toml": "[tool.poetry]\n", "poetry.lock": "\n",
		"openhands/__init__.py": "", "openhands/one.py": "", "openhands/two.py": "", "openhands/__pycache__/one.pyc": "",
		".dockerignore": "**/one.py\n",
	}
	spec := syntaxLine + "base_image: " + eng.BaseImage("alpine:3.22") + "\ndeps_image: " + relabelled(t, prebuilt(t), ohllb.LabelDepsServer, "action-execution-server@1") +
		"\nuser: root\nserver: {name: action-execution-server, source: .}\n"
	for ignore, want := range map[string]string{"": "openhands/two.py", "**/two.py\n": "openhands/one.py"} {
		files := map[string]string{"my.yaml": spec}
		for name, text := range checkout {
			files[name] = text
		}
		if ignore != "" {
			files["my.yaml.dockerignore"] = ignore
		}
		ref, args := destination(t)
		buildx(t, writeFiles(t, files), nil, append(append([]string{"build"}, args...), "-f", "my.yaml", ".")...)
		got := flat(t, ref)
		for name, there := range map[string]bool{"openhands/__init__.py": true, "openhands/one.py": false, "openhands/two.py": false, "openhands/__pycache__": false, want: true} {
			if got["/openhands/code/"+name] != "" != there {
				t.Errorf("with %q in my.yaml.dockerignore, %s is there: %t", ignore, name, !there)
			}
		}
	}
}
