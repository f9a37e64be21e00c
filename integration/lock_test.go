package integration

import (
	"archive/tar"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	lockfile "github.com/openhands/llb-frontend/frontend/lock"
	"github.com/openhands/llb-frontend/integration/engine"
)

// move lets a tag of the local registry name another image.
func move(t *testing.T, tag, to string) {
	t.Helper()
	ref, err := name.NewTag(tag, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	// A layer that is not lazy: the registry has it under the tag's name as well.
	if err := remote.Write(ref, pulled(t, to, "amd64")); err != nil {
		t.Fatal(err)
	}
}

// writeLock writes the lock of a spec beside it, and reads it.
func writeLock(t *testing.T, spec string) *lockfile.Lock {
	t.Helper()
	dir := filepath.Dir(spec)
	if _, err := eng.Build(t.Context(), engine.BuildOptions{Spec: spec, Args: []string{"--target=lock", "--output=" + dir}}); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, lockfile.Name))
	if err != nil {
		t.Fatal(err)
	}
	l, err := lockfile.Parse(lockfile.Name, data)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// A tag moves, and a build with a lock still gives the image of before. Of a base
// whose facts are in the lock nothing is pulled, for a user with a name.
func TestLock(t *testing.T) {
	base := eng.Registry() + "/test/lock-base:1"
	move(t, base, eng.BaseImage("debian:trixie-slim"))
	spec := writeSpec(t, "base_image: "+base+"\ndeps_image: "+prebuilt(t)+"\n")
	was := layers(t, pulled(t, base, "amd64"))
	l := writeLock(t, spec)
	dgst, ok := l.Image(base)
	if _, known, _ := l.Base(dgst, "linux/amd64"); !ok || !known || len(l.Images) != 2 {
		t.Errorf("the lock is\n%s", l.Encode())
	}
	move(t, base, eng.BaseImage("alpine:3.22"))
	prune(t)
	res, err := eng.Build(t.Context(), engine.BuildOptions{Spec: spec, Image: imageName(t)})
	if err != nil {
		t.Fatal(err)
	}
	if got := usage(t); got >= 1e6 {
		t.Errorf("the build leaves %d bytes in the daemon, want less than 1 MB\n%s", got, diskUsage(t))
	}
	if got := layers(t, pulled(t, res.Ref, "amd64")); !slices.Equal(got[:len(was)], was) {
		t.Errorf("the base has the layers %q, want %q", got[:len(was)], was)
	}
	if strings.Contains(res.Log, "StaleLock") {
		t.Errorf("the lock is said to be stale:\n%s", res.Log)
	}
	contains(t, run(t, engine.RunOptions{Image: imageName(t), Args: []string{"id"}}), "uid=1000(openhands)")
}

// What a person is told about a lock.
func TestLockMessages(t *testing.T) {
	const clean = "base_image: debian:trixie-slim\ndeps_image: deps:1\nuser: root\n"
	said := func(t *testing.T, text string, args ...string) string {
		t.Helper()
		spec := writeSpec(t, clean)
		if text != "" {
			if err := os.WriteFile(filepath.Join(filepath.Dir(spec), lockfile.Name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		res, err := eng.Build(t.Context(), engine.BuildOptions{Spec: spec, Args: args})
		if err == nil {
			t.Fatalf("the request succeeds:\n%s", res.Log)
		}
		return res.Log
	}
	contains(t, said(t, string(lockfile.New().Encode()), "--check"),
		"WARNING: StaleLock", "docs/checks.md#stalelock", `no digest of base image "debian:trixie-slim"`, "2 | >>> base_image: debian:trixie-slim",
		"refresh it: docker buildx build -f openhands.yaml --target lock -o . .", `no digest of deps image "deps:1"`)
	contains(t, said(t, "", "--check", "--build-arg=BUILDKIT_DOCKERFILE_CHECK=experimental=NoLock;error=true"),
		"NoLock", "there is no openhands.lock.yaml beside the spec")
	const mistaken = "version: 1\nimages:\n  debian:trixie-slim: today\n"
	contains(t, said(t, mistaken), `openhands.lock.yaml:3:23: "today" is no digest`, "3 | >>>   debian:trixie-slim: today")
	contains(t, said(t, mistaken, "--check"), `openhands.lock.yaml:3:23: "today" is no digest`)
}

// Two daemons that have never seen anything, one lock: the same image, packages
// of the distribution included. What is in /openhands has the same digests with
// rewrite-timestamp.
func TestLockOnTwoDaemons(t *testing.T) {
	archive := snapshots(t)
	spec := writeSpec(t, "base_image: debian:trixie-slim\ndeps: {tools: [bash]}\nmirrors: {apt_snapshot: \""+archive.address+"/archive/@PATH@/@SNAPSHOTID@\"}\n")
	l := writeLock(t, spec)
	snapshot := l.Snapshot("debian:trixie-slim")
	if snapshot == "" {
		t.Fatalf("the lock has no snapshot:\n%s", l.Encode())
	}
	archive.forget()
	var digests []string
	var plain, rewritten []string
	for _, name := range []string{"a", "b"} {
		fresh := freshDaemon(t, name)
		build := func(rewrite string) *engine.BuildResult {
			res, err := fresh.Build(t.Context(), engine.BuildOptions{Spec: spec, Args: []string{
				"--build-arg=SOURCE_DATE_EPOCH=1700000000", "--provenance=false",
				"--output=type=image,push=true,rewrite-timestamp=" + rewrite + ",name=" + eng.Registry() + "/" + imageName(t),
			}})
			if err != nil {
				t.Fatal(err)
			}
			return res
		}
		digests = append(digests, build("false").Digest)
		plain = layers(t, pulled(t, eng.Registry()+"/"+imageName(t), "amd64"))
		if name == "b" {
			build("true")
			rewritten = layers(t, pulled(t, eng.Registry()+"/"+imageName(t), "amd64"))
		}
		if paths := archive.forget(); !slices.ContainsFunc(paths, func(p string) bool { return strings.Contains(p, "/"+snapshot+"/pool/") }) {
			t.Errorf("daemon %s takes no package of %s: %q", name, snapshot, paths)
		}
	}
	if digests[0] != digests[1] {
		t.Errorf("one daemon gives %s, the other %s", digests[0], digests[1])
	}
	// Base, lib, tools, init; the user's layer has the request's time.
	if n := len(plain) - 1; len(rewritten) != len(plain) || !slices.Equal(plain[:n], rewritten[:n]) {
		t.Errorf("with rewrite-timestamp the layers are %q, else %q", rewritten, plain)
	}
}

// snapshotService is one that has today's archive for any time.
type snapshotService struct {
	address string
	mu      sync.Mutex
	paths   []string
}

// forget gives the paths that were asked for since the last call.
func (s *snapshotService) forget() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	paths := s.paths
	s.paths = nil
	return paths
}

// snapshots serves /archive/PATH/TIME/..., from where the builder's sources have
// PATH.
func snapshots(t *testing.T) *snapshotService {
	t.Helper()
	hosts := map[string]*url.URL{}
	for _, m := range regexp.MustCompile(`(https?://[^/\s]+)/(\S*[^/\s])`).FindAllStringSubmatch(textIn(t, "debian:trixie-slim", "etc/apt/sources.list"), -1) {
		u, err := url.Parse(m[1])
		if err != nil {
			t.Fatal(err)
		}
		hosts[m[2]] = u
	}
	form := regexp.MustCompile(`^/archive/(` + strings.Join(slices.Sorted(maps.Keys(hosts)), "|") + `)/[0-9]{8}T[0-9]{6}Z/`)
	s := &snapshotService{}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		m := form.FindStringSubmatch(r.In.URL.Path)
		r.SetURL(hosts[m[1]])
		r.Out.URL.Path, r.Out.URL.RawPath = "/"+m[1]+"/"+strings.TrimPrefix(r.In.URL.Path, m[0]), ""
	}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.paths = append(s.paths, r.URL.Path)
		s.mu.Unlock()
		if !form.MatchString(r.URL.Path) {
			http.NotFound(w, r)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	s.address = server.URL
	return s
}

// textIn is a file of a base image.
func textIn(t *testing.T, base, path string) string {
	t.Helper()
	rc := mutate.Extract(pulled(t, eng.BaseImage(base), "amd64"))
	defer rc.Close()
	for tr := tar.NewReader(rc); ; {
		h, err := tr.Next()
		if err != nil {
			t.Fatalf("%s has no %s: %v", base, path, err)
		}
		if strings.TrimPrefix(h.Name, "./") == path {
			data, err := io.ReadAll(tr)
			if err != nil {
				t.Fatal(err)
			}
			return string(data)
		}
	}
}
