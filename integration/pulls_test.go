package integration

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/openhands/llb-frontend/integration/engine"
	"github.com/openhands/llb-frontend/integration/faults"
)

// pullRow is a line of docs/pulls.md: one set-up, and which layers a build of it
// reads from the registry.
type pullRow struct {
	setup      string
	yaml       string // of the spec; pullImages replaces names in it and in args
	args       []string
	base, deps bool
}

const asRoot = "base_image: BASE\ndeps_image: DEPS\nuser: root\n"

// pullRows is the table of docs/pulls.md.
func pullRows() []pullRow {
	push := func(args ...string) []string { return append(args, "--push", "--tag=HERE/IMAGE") }
	export := func(kind string) []string { return []string{"--output=type=" + kind + ",dest=DIR/out"} }
	return []pullRow{
		{"`user: root`, pushed to the registry of base and deps image", asRoot, push(), false, false},
		{"`user` by number", "base_image: BASE\ndeps_image: DEPS\nuser: 1234\n", push(), false, false},
		{"`user` with `create: start`", "base_image: BASE\ndeps_image: DEPS\nuser: {name: dev, uid: 1234, create: start}\n", push(), false, false},
		{"`user` by name, the default", "base_image: BASE\ndeps_image: DEPS\n", push(), true, false},
		{"another `working_dir` or `home`", asRoot + "working_dir: /srv/app\n", push(), true, false},
		{"`--provenance=mode=max`", asRoot, push("--provenance=mode=max"), false, false},
		{"`--sbom=true`", asRoot, push("--sbom=true"), true, true},
		{"`SOURCE_DATE_EPOCH` and `rewrite-timestamp=true`", asRoot, []string{"--build-arg=SOURCE_DATE_EPOCH=1700000000", "--output=type=image,push=true,rewrite-timestamp=true,name=HERE/IMAGE"}, false, false},
		{"`--cache-to type=inline`", asRoot, push("--cache-to=type=inline"), false, false},
		{"`--cache-to type=registry`, the same registry", asRoot, push("--cache-to=type=registry,ref=HERE/IMAGE-cache"), false, false},
		{"`--cache-to type=registry,mode=max`, the same registry", asRoot, push("--cache-to=type=registry,mode=max,ref=HERE/IMAGE-cache"), false, false},
		{"`--cache-to type=local`", asRoot, push("--cache-to=type=local,dest=DIR/cache"), false, false},
		{"`force-compression=true`", asRoot, []string{"--output=type=image,push=true,compression=zstd,force-compression=true,name=HERE/IMAGE"}, true, true},
		{"pushed to another registry", asRoot, []string{"--push", "--tag=THERE/IMAGE"}, true, true},
		{"a registry, or a token, without cross-repository mounts", asRoot, []string{"--push", "--tag=NOMOUNTS/IMAGE"}, true, true},
		{"`type=image`, not pushed", asRoot, []string{"--output=type=image,name=HERE/IMAGE"}, false, false},
		{"`--load`, `type=docker`", asRoot, export("docker"), true, true},
		{"`type=oci`", asRoot, export("oci"), true, true},
		{"`type=tar`", asRoot, export("tar"), true, true},
		{"`type=local`", asRoot, export("local"), true, true},
		{"`extra_deps.packages`", "base_image: DEBIAN\ndeps_image: DEPS\nuser: root\nextra_deps: {packages: [hostname]}\n", push(), true, false},
		{"`extra_deps.run`", asRoot + "extra_deps: {run: [\"true\"]}\n", push(), true, true},
		{"a `deps_image` without the label of one", "base_image: BASE\ndeps_image: MIXED\nuser: root\n", push(), false, true},
		{"no `deps_image`: `/openhands` is built by this daemon", "base_image: BASE\nuser: root\ndeps: {tools: [jq]}\n", push(), false, false},
	}
}

// What a build reads is counted at the registry, by a daemon that holds nothing.
func TestPulls(t *testing.T) {
	if err := eng.Images(t.Context(), engine.Scanner); err != nil {
		t.Fatal(err)
	}
	mixed := buildAs(t, "test/pulls-mixed:latest", "base_image: distroless\ndeps_image: "+prebuilt(t)+"\nuser: root\n").Ref
	second := freshDaemon(t, "pulls")
	// Another registry has another name: to BuildKit a port makes no difference.
	here, there, noMounts := countPulls(t, true), countPulls(t, true), countPulls(t, false)
	for i, row := range pullRows() {
		t.Run(row.setup, func(t *testing.T) {
			// A name of its own: what a repository has already is not pushed again.
			image := fmt.Sprintf("test/pulls-%d-%d", i, time.Now().UnixNano())
			source := here
			if strings.Contains(strings.Join(row.args, " "), "NOMOUNTS") {
				source = noMounts
			}
			names := strings.NewReplacer(
				"BASE", source.name("library/alpine:3.22"), "DEBIAN", source.name("library/debian:trixie-slim"), "DEPS", source.named(prebuilt(t)), "MIXED", source.named(mixed),
				"HERE", here.host, "THERE", strings.Replace(there.host, "127.0.0.1", "localhost", 1), "NOMOUNTS", noMounts.host, "IMAGE", image, "DIR", t.TempDir())
			var args []string
			for _, arg := range row.args {
				args = append(args, names.Replace(arg))
			}
			if out, err := second.Buildctl(t.Context(), "prune", "--all", "--filter", "type!=exec.cachemount").CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			source.reset()
			res, err := second.Build(t.Context(), engine.BuildOptions{Spec: writeSpec(t, names.Replace(row.yaml)), Args: args})
			if err != nil {
				t.Fatal(err)
			}
			base := source.got(append(layerBlobs(t, eng.BaseImage("alpine:3.22")), layerBlobs(t, eng.BaseImage("debian:trixie-slim"))...))
			deps := source.got(append(layerBlobs(t, prebuilt(t)), layerBlobs(t, mixed)...))
			if base != row.base || deps != row.deps {
				t.Errorf("the base is pulled: %t, /openhands: %t; want %t and %t\n%s", base, deps, row.base, row.deps, res.Log)
			}
		})
	}
}

// The page says what the test sees.
func TestPullsTable(t *testing.T) {
	header, rows := docsTable(t, "pulls.md", "set-up")
	if want := []string{"set-up", "base", "`/openhands`", "why"}; !slices.Equal(header, want) {
		t.Fatalf("the columns are %q, want %q", header, want)
	}
	word := map[bool]string{true: "pulled", false: "not pulled"}
	var want [][]string
	for _, r := range pullRows() {
		want = append(want, []string{r.setup, word[r.base], word[r.deps]})
	}
	for i := range rows {
		rows[i] = rows[i][:3]
	}
	if !slices.EqualFunc(rows, want, slices.Equal) {
		t.Errorf("docs/pulls.md says\n%q\nthe tests\n%q", rows, want)
	}
}

// countingRegistry is the local registry under another address.
type countingRegistry struct {
	host  string
	mu    sync.Mutex
	blobs map[string]bool // digests that somebody has read
}

// countPulls puts one in front of the registry. Without mounts a blob of another
// repository has to be sent, as where a token is for one repository alone.
func countPulls(t *testing.T, mounts bool) *countingRegistry {
	t.Helper()
	c := &countingRegistry{blobs: map[string]bool{}}
	registry := faults.Forward(eng.Registry())
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/sha256:") {
			c.mu.Lock()
			c.blobs[path.Base(r.URL.Path)] = true
			c.mu.Unlock()
		}
		if query := r.URL.Query(); !mounts && r.Method == http.MethodPost && query.Has("mount") {
			query.Del("mount")
			query.Del("from")
			r.URL.RawQuery = query.Encode()
		}
		registry.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	c.host = strings.TrimPrefix(srv.URL, "http://")
	return c
}

// name is an image of this registry.
func (c *countingRegistry) name(image string) string { return c.host + "/" + image }

// named is an image of the local registry under this one's address.
func (c *countingRegistry) named(ref string) string {
	return c.name(strings.TrimPrefix(ref, eng.Registry()+"/"))
}

func (c *countingRegistry) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.blobs)
}

// got tells whether any of some blobs was read.
func (c *countingRegistry) got(digests []string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.ContainsFunc(slices.Collect(maps.Keys(c.blobs)), func(d string) bool { return slices.Contains(digests, d) })
}

// layerBlobs are the digests of an image's layers as the registry has them.
func layerBlobs(t *testing.T, ref string) []string {
	t.Helper()
	m, err := pulled(t, ref, "amd64").Manifest()
	if err != nil {
		t.Fatal(err)
	}
	var digests []string
	for _, l := range m.Layers {
		digests = append(digests, l.Digest.String())
	}
	return digests
}
