package integration

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/moby/buildkit/client"

	"github.com/openhands/llb-frontend/integration/engine"
)

// node is a daemon of a machine of its own, and what it does at the registry.
type node struct {
	*engine.Closed
	traffic
}

// newNodes starts daemons that know nothing.
func newNodes(t *testing.T, names ...string) []*node {
	t.Helper()
	var nodes []*node
	for _, name := range names {
		n := &node{traffic: traffic{pulled: map[string]bool{}, pushed: map[string]bool{}}}
		var err error
		if n.Closed, err = eng.Node(t.Context(), "node-"+name, n.watch); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := n.Stop(t.Context()); err != nil {
				t.Error(err)
			}
		})
		nodes = append(nodes, n)
	}
	return nodes
}

// desk is where a person sits who uses several daemons: a directory, and builders of
// buildx.
type desk struct{ dir, bin, config string }

func newDesk(t *testing.T, files map[string]string) *desk {
	t.Helper()
	d := &desk{dir: writeFiles(t, files), config: t.TempDir()}
	d.bin = writeFiles(t, map[string]string{"docker": "#!/bin/sh\nshift\nexec " + eng.Bin("buildx") + " \"$@\"\n"})
	if err := os.Chmod(filepath.Join(d.bin, "docker"), 0o755); err != nil {
		t.Fatal(err)
	}
	return d
}

// builder makes a builder of a node for each platform; "" is what the daemon says of
// itself.
func (d *desk) builder(t *testing.T, name string, nodes []*node, platforms ...string) {
	t.Helper()
	for i, n := range nodes {
		line := "docker buildx create --driver remote --name " + name
		if i > 0 {
			line += " --append"
		}
		if platforms[i] != "" {
			line += " --platform " + platforms[i]
		}
		d.run(t, line+" "+n.BuildkitHost())
	}
}

// command is a line as people type it.
func (d *desk) command(t *testing.T, line string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "bash", "-o", "pipefail", "-c", line)
	cmd.Dir = d.dir
	cmd.Env = append(os.Environ(), "PATH="+d.bin+":"+os.Getenv("PATH"), "BUILDX_CONFIG="+d.config, "DOCKER_CONFIG="+d.config,
		"BUILDX_BUILDER=", engine.EnvBuildkitHost+"=", "BUILDKIT_PROGRESS=rawjson")
	return cmd
}

// run runs a line and gives what it prints.
func (d *desk) run(t *testing.T, line string) string {
	t.Helper()
	out, err := d.command(t, line).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", line, err, regexp.MustCompile(`(?m)^\{.*\n`).ReplaceAll(out, nil))
	}
	return string(out)
}

// fleet is a desk with the page's files, for a list of bases, and a builder "first",
// "second" for each node.
type fleet struct {
	*desk
	bases      []string
	repository string
}

func newFleet(t *testing.T, nodes []*node, images int) *fleet {
	t.Helper()
	if err := eng.NeedPrograms(t.Context(), "jq"); err != nil {
		t.Fatal(err)
	}
	f := &fleet{bases: smallBases(t, images)}
	files := scalingFiles(t)
	const deps = "registry.example.com/openhands-deps:1"
	if !strings.Contains(files[engine.SpecFile], deps) {
		t.Fatalf("the page's spec does not name %s:\n%s", deps, files[engine.SpecFile])
	}
	files[engine.SpecFile] = strings.ReplaceAll(files[engine.SpecFile], deps, prebuilt(t))
	files["share.sh"] = calmly(files["share.sh"])
	files["bases.txt"] = strings.Join(f.bases, "\n") + "\n"
	f.desk = newDesk(t, files)
	for i, n := range nodes {
		f.builder(t, []string{"first", "second"}[i], []*node{n}, "")
	}
	f.rename(t)
	return f
}

// calmly lets a command of the page have fewer jobs: this machine has other tests to
// run, and BuildKit gives up on a frontend that starts slowly.
func calmly(text string) string { return strings.ReplaceAll(text, "-j 8", "-j 4") }

// use makes a builder the one that is meant where none is named.
func (f *fleet) use(t *testing.T, builder string) {
	t.Helper()
	f.run(t, "docker buildx use "+builder)
}

// newRepository is the name of a repository that nobody has used: what one has already
// is not written again.
func newRepository() string { return fmt.Sprintf("test/nodes-%d", time.Now().UnixNano()) }

// rename lets the images go to a repository that nobody has used.
func (f *fleet) rename(t *testing.T) {
	t.Helper()
	f.repository = newRepository()
	f.run(t, "REPOSITORY="+eng.Registry()+"/"+f.repository+" sh bakefile.sh <bases.txt >docker-bake.json")
}

// complete asks that every image is there, whole and on its own base.
func (f *fleet) complete(t *testing.T) {
	t.Helper()
	tags := tagsOf(t, f.repository)
	for _, base := range f.bases {
		tag := regexp.MustCompile(`[^A-Za-z0-9_-]`).ReplaceAllString(base, "-")
		if !slices.Contains(tags, tag) {
			t.Errorf("there is no image for %s, there are %q", base, tags)
			continue
		}
		if err := whole(t.Context(), f.repository, tag); err != nil {
			t.Error(err)
		}
		below, all := layers(t, pulled(t, base, "amd64")), layers(t, pulled(t, eng.Registry()+"/"+f.repository+":"+tag, "amd64"))
		if len(all) <= len(below) || !slices.Equal(all[:len(below)], below) {
			t.Errorf("%s stands on the layers %q, want %q", tag, all, below)
		}
	}
}

// smallBases gives references of images that differ in a layer of a few bytes.
func smallBases(t *testing.T, n int) []string {
	t.Helper()
	below := pulled(t, eng.BaseImage("alpine:3.22"), "amd64")
	pusher, err := remote.NewPusher()
	if err != nil {
		t.Fatal(err)
	}
	var bases []string
	for i := range n {
		ref, err := name.ParseReference(fmt.Sprintf("%s/test/nodes-base:%d", eng.Registry(), i), name.Insecure)
		if err != nil {
			t.Fatal(err)
		}
		if err := pusher.Push(t.Context(), ref, withFile(t, below, "etc/base", fmt.Sprintf("base %d\n", i))); err != nil {
			t.Fatal(err)
		}
		bases = append(bases, ref.String())
	}
	return bases
}

// withFile is an image with one more layer, of one file.
func withFile(t *testing.T, img v1.Image, path, text string) v1.Image {
	t.Helper()
	var b bytes.Buffer
	tw := tar.NewWriter(&b)
	if err := tw.WriteHeader(&tar.Header{Name: path, Size: int64(len(text)), Mode: 0o644}); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(tw, text); err != nil {
		t.Fatal(err)
	}
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil }
	layer, err := tarball.LayerFromOpener(open, tarball.WithMediaType(types.OCILayer))
	if err != nil {
		t.Fatal(err)
	}
	if img, err = mutate.AppendLayers(img, layer); err != nil {
		t.Fatal(err)
	}
	return img
}

// depsSteps counts the steps of /openhands in a build's progress as JSON, and those
// that were run.
func depsSteps(log string) (found, ran int) {
	step := regexp.MustCompile(`^\[(lib|tools|init)\] `)
	steps := map[string]bool{}
	for text := range strings.Lines(log) {
		var status client.SolveStatus
		if json.Unmarshal([]byte(text), &status) != nil {
			continue // what buildx says beside the progress
		}
		for _, v := range status.Vertexes {
			if step.MatchString(v.Name) && v.Completed != nil {
				steps[v.Digest.String()] = !v.Cached
			}
		}
	}
	for _, hasRun := range steps {
		found++
		if hasRun {
			ran++
		}
	}
	return found, ran
}
