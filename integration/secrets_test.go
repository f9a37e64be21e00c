package integration

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/openhands/llb-frontend/integration/engine"
	"github.com/openhands/llb-frontend/integration/reliability"
	"github.com/openhands/llb-frontend/llb/secret"
)

// kept is a place where something of a build stays or is shown.
type kept struct {
	where  string
	search func(t *testing.T, s *search) // counts what it has looked at in s.seen
	// tells is where the text of a command is to be found: so it is searched rightly.
	tells bool
}

// secretBuild is a build that gets a secret of each kind, on a daemon of its own.
type secretBuild struct {
	*engine.Engine
	dir     string // of the client
	deps    string // a deps image
	args    []string
	planted map[string]string // value by kind
	comment string            // in the commands, no secret
}

// A secret that a build gets is nowhere in what comes of it.
func TestSecretsStay(t *testing.T) {
	if err := eng.Images(t.Context(), engine.Scanner); err != nil {
		t.Fatal(err)
	}
	second := freshDaemon(t, "secrets")
	b := plantSecrets(t, second)
	kinds := slices.Sorted(maps.Keys(b.planted))
	table := reliability.Table{Header: append([]string{"looked for in"}, kinds...)}
	for _, k := range b.places(t) {
		s := &search{needles: map[string][]byte{}, seen: map[string]bool{}, expected: "the comment"}
		s.needles[s.expected] = []byte(b.comment)
		for kind, value := range b.planted {
			s.needles[kind] = []byte(value)
		}
		k.search(t, s)
		if len(s.seen) == 0 || k.tells && !slices.Contains(s.found, s.expected) {
			t.Errorf("%s: %d things were looked at, and the text of the command is not there", k.where, len(s.seen))
		}
		row := []string{k.where}
		for _, kind := range kinds {
			cell := "not there"
			if slices.Contains(s.found, kind) {
				cell = "there"
			}
			row = append(row, cell)
		}
		table.Rows = append(table.Rows, row)
	}
	reliability.Check(t, filepath.Join(eng.Repo(), "docs"), "secrets", table)
}

// plantSecrets makes a file for each secret of the frontend, one that a command
// mentions, and one that is a variable of the client.
func plantSecrets(t *testing.T, e *engine.Engine) *secretBuild {
	t.Helper()
	b := &secretBuild{Engine: e, dir: t.TempDir(), deps: pushImage(t, "test/secrets-deps:latest", noiseDeps(t, "secrets")), planted: map[string]string{}}
	for _, known := range secret.All() {
		b.plant(t, known.ID, "`"+known.ID+"`")
	}
	b.comment = "comment-" + random(t)
	b.plant(t, "token", "file of `extra_deps.run`")
	const variable = "OPENHANDS_TEST_SECRET"
	b.planted["variable of `extra_deps.run`"] = "planted-" + random(t)
	t.Setenv(variable, b.planted["variable of `extra_deps.run`"])
	b.args = append(b.args, "--secret", "id=variable,env="+variable)
	return b
}

func (b *secretBuild) plant(t *testing.T, id, kind string) {
	t.Helper()
	value := "planted-" + random(t)
	content := map[string]string{
		secret.CA:    "# " + value + "\n",
		secret.Netrc: "machine mirror.example.com login me password " + value + "\n",
		secret.Pip:   "[global]\nextra-index-url = https://me:" + value + "@mirror.example.com/simple\n",
		secret.NPM:   "//mirror.example.com/npm/:_authToken=" + value + "\n",
		secret.Apt:   "machine mirror.example.com login me password " + value + "\n",
	}[id]
	if content == "" {
		content = value
	}
	file := filepath.Join(b.dir, id)
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	b.planted[kind] = value
	b.args = append(b.args, "--secret", "id="+id+",src="+file)
}

// spec is one whose commands read all secrets, and do what is given.
func (b *secretBuild) spec(t *testing.T, name, commands string) string {
	t.Helper()
	file := filepath.Join(b.dir, name, engine.SpecFile)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	text := "# syntax=" + engine.FrontendImage + "\nbase_image: alpine:3.22\ndeps_image: " + b.deps + "\nuser: root\n" +
		"extra_deps:\n  run:\n    - \"true " + b.comment + "; cd /run/secrets && wc -c ca netrc pip npm apt /run/secrets/token /run/secrets/variable\"\n" + commands
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// places builds, and lists all that came of it.
func (b *secretBuild) places(t *testing.T) []kept {
	t.Helper()
	build := func(image, spec string, args ...string) (string, bool) {
		t.Helper()
		res, err := b.Build(t.Context(), engine.BuildOptions{Spec: spec, Image: image, Args: append(slices.Clone(b.args), args...)})
		if res == nil {
			t.Fatal(err)
		}
		return res.Log, err == nil
	}
	const image = "test/secrets"
	local, locks := filepath.Join(t.TempDir(), "cache"), t.TempDir()
	good := b.spec(t, "good", "")
	log, ok := build(image+":latest", good, "--sbom=true", "--provenance=mode=max", "--cache-to=type=inline",
		"--cache-to=type=registry,mode=max,ref="+b.Registry()+"/"+image+"-cache:latest", "--cache-to=type=local,mode=max,dest="+local)
	if !ok || !strings.Contains(log, "/run/secrets/variable") {
		t.Fatalf("the build fails, or its command does not see the secrets\n%s", log)
	}
	failing, ok := build("", b.spec(t, "bad", "    - cat /run/secrets/token | tr a-z A-Z; exit 7\n    - \"true\"\n"))
	if ok || !strings.Contains(failing, "exit code: 7") {
		t.Fatalf("the build does not fail as it has to\n%s", failing)
	}
	called, _ := build("", good, "--call=check")
	outline, _ := build("", good, "--call=outline")
	_, ok = build("", good, "--target=lock", "--output=type=local,dest="+locks)
	if !ok {
		t.Error("there is no lock")
	}
	text := func(texts ...string) func(*testing.T, *search) {
		return func(t *testing.T, s *search) {
			for _, text := range texts {
				s.first(text)
				s.bytes(t, "the output", []byte(text), nil)
			}
		}
	}
	descend := func(image string, want func(descriptor) bool) func(*testing.T, *search) {
		return func(t *testing.T, s *search) { s.descend(t, b.Registry(), image, "latest", want) }
	}
	dir := func(dir string) func(*testing.T, *search) {
		return func(t *testing.T, s *search) { s.dir(t, dir) }
	}
	return []kept{
		{"each layer", descend(image, descriptor.isLayer), false},
		{"config with history and inline cache, manifests, annotations", descend(image, func(d descriptor) bool { return !d.isLayer() && d.predicate() == "" }), false},
		{"provenance, `mode=max`", descend(image, func(d descriptor) bool { return strings.Contains(d.predicate(), "provenance") }), true},
		{"SBOM", descend(image, func(d descriptor) bool { return strings.Contains(d.predicate(), "spdx") }), false},
		{"cache in a registry, `mode=max`", descend(image+"-cache", func(descriptor) bool { return true }), false},
		{"cache in a directory, `mode=max`", dir(local), false},
		{"lock file", dir(locks), false},
		{"progress and output of a build", text(log), true},
		{"the same of a command that fails", text(failing), true},
		{"answers of `--call`", text(called, outline), false},
		{"history as the client shows and exports it", b.history, true},
		{"all that the daemon keeps: cache, history, traces, log", b.daemon, true},
	}
}

// history asks for what the client can show of builds.
func (b *secretBuild) history(t *testing.T, s *search) {
	list, err := b.Buildx(t.Context(), "history", "ls", "--no-trunc", "--format={{.Ref}}").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, list)
	}
	for ref := range strings.FieldsSeq(string(list)) {
		id := ref[strings.LastIndex(ref, "/")+1:]
		for _, args := range [][]string{{"inspect", "--format=json", id}, {"logs", "--progress=plain", id}, {"export", "--finalize", "-o", filepath.Join(b.dir, id), id}} {
			out, err := b.Buildx(t.Context(), append([]string{"history"}, args...)...).CombinedOutput()
			if err != nil {
				t.Errorf("%q: %v\n%s", args, err, out)
			}
			s.first(id)
			s.bytes(t, fmt.Sprintf("history %q", args), out, nil)
		}
		if err := s.file(t, filepath.Join(b.dir, id)); err != nil {
			t.Error(err)
		}
	}
}

// daemon ends the daemon, and looks through its files.
func (b *secretBuild) daemon(t *testing.T, s *search) {
	if err := b.Down(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.dir(t, b.Dir())
}

// descriptor is what a manifest says of a blob or of another manifest.
type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Annotations map[string]string `json:"annotations"`
}

func (d descriptor) isLayer() bool {
	return strings.Contains(d.MediaType, ".layer.") && d.predicate() == ""
}

func (d descriptor) predicate() string { return d.Annotations["in-toto.io/predicate-type"] }

// descend looks through what a tag leads to, manifests, configs and blobs, at what
// is wanted of it.
func (s *search) descend(t *testing.T, registry, repository, reference string, want func(descriptor) bool) {
	t.Helper()
	var visit func(d descriptor, kind string)
	visit = func(d descriptor, kind string) {
		t.Helper()
		body := stored(t, fmt.Sprintf("http://%s/v2/%s/%s/%s", registry, repository, kind, d.Digest))
		if want(d) && s.first(d.Digest) {
			s.bytes(t, repository+": "+d.MediaType+" "+d.Digest, body, nil)
		}
		if kind == "blobs" {
			return
		}
		var m struct {
			Config            *descriptor
			Layers, Manifests []descriptor
		}
		if err := json.Unmarshal(body, &m); err != nil {
			t.Fatal(err)
		}
		if m.Config != nil {
			visit(*m.Config, "blobs")
		}
		for _, l := range m.Layers {
			visit(l, "blobs")
		}
		for _, child := range m.Manifests {
			visit(child, "manifests")
		}
	}
	visit(descriptor{Digest: reference}, "manifests")
}

// stored is a manifest or a blob as the registry has it.
func stored(t *testing.T, address string) []byte {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header["Accept"] = []string{
		"application/vnd.oci.image.index.v1+json", "application/vnd.oci.image.manifest.v1+json",
		"application/vnd.docker.distribution.manifest.list.v2+json", "application/vnd.docker.distribution.manifest.v2+json",
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", address, resp.Status, err)
	}
	return body
}
