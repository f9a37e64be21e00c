package integration

import (
	"bytes"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/openhands/llb-frontend/integration/engine"
)

// A network from which one mirror can be reached, with a certificate of a CA
// that nobody knows and a password. Images come out of it, and secrets do not.
func TestClosedNetwork(t *testing.T) {
	n := newClosedNetwork(t)
	t.Run("mistakes", n.mistakes)
	images := []string{imageName(t), strings.Replace(imageName(t), ":", "-deps:", 1), strings.Replace(imageName(t), ":", "-other:", 1)}
	caches := t.TempDir()
	t.Run("example", func(t *testing.T) { n.example(t, images[0], images[1]) })
	t.Run("other providers", func(t *testing.T) { n.others(t, images[2], caches) })
	t.Run("proxy", n.proxied)
	t.Run("secrets", func(t *testing.T) { n.noSecrets(t, images, caches) })
}

// mistakes are told with what to do. They come first, as stages that have
// succeeded are not run again.
func (n *closedNetwork) mistakes(t *testing.T) {
	const spec = "# syntax=" + engine.FrontendImage + "\nbase_image: debian:trixie-slim\n" +
		"mirrors: {apt: \"https://mirror.example.com\", pypi: \"https://mirror.example.com/pypi/simple\", node: \"https://mirror.example.com/node\"}\n"
	const bash, uv, node = "deps: {tools: [bash]}\n", "deps: {tools: [bash], uv: true}\n", "deps: {tools: [bash], node: {version: \"24.21.0\"}}\n"
	for _, tt := range []struct {
		name, deps string
		secrets    map[string]string
		want       []string
	}{
		{"no CA", bash, map[string]string{"netrc": n.netrc}, []string{"[lib]", "--secret id=ca"}},
		{"no password", bash, map[string]string{"ca": n.ca}, []string{"[lib]", "401", "--secret id=netrc"}},
		{"wrong password", bash, map[string]string{"ca": n.ca, "netrc": n.wrong}, []string{"[lib]", "401", "--secret id=netrc"}},
		{"wrong password for packages", bash + "extra_deps: {packages: [tree]}\n", map[string]string{"ca": n.ca, "netrc": n.wrong},
			[]string{"[packages]", "401", `the secret "ca" (given)`, "(given: netrc)"}},
		{"wrong password for pip", uv, map[string]string{"ca": n.ca, "netrc": n.wrong, "apt": n.netrc},
			[]string{"[uv]", "hint: mirror.example.com wants a user name and a password, or refuses", "--secret id=netrc"}},
		{"wrong password for an archive", node, map[string]string{"ca": n.ca, "netrc": n.wrong, "apt": n.netrc},
			[]string{"oh-seal: download https://mirror.example.com/node/", "401 Unauthorized", "--secret id=netrc"}},
		{"no CA for an archive", node, map[string]string{"netrc": n.netrc},
			[]string{"oh-seal: download https://mirror.example.com/node/", "not trusted here", "--secret id=ca"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res, err := n.Build(t.Context(), engine.BuildOptions{
				Spec: n.spec(t, spec+tt.deps), Args: n.args(tt.secrets),
			})
			if err == nil {
				t.Fatalf("the build succeeds:\n%s", res.Log)
			}
			contains(t, res.Log, tt.want...)
			n.search().bytes(t, "the output", []byte(res.Log), nil)
		})
	}
}

// example is built as people would, and its server starts.
func (n *closedNetwork) example(t *testing.T, image, deps string) {
	text, err := os.ReadFile(filepath.Join(eng.Repo(), "examples", "closed-network", engine.SpecFile))
	if err != nil {
		t.Fatal(err)
	}
	spec := n.spec(t, string(text))
	build := func(image string, more ...string) string {
		t.Helper()
		res, err := n.Build(t.Context(), engine.BuildOptions{Spec: spec, Image: image, Args: n.args(n.secrets(), more...)})
		if err != nil {
			t.Fatal(err)
		}
		n.search().bytes(t, "the output", []byte(res.Log), nil)
		return res.Log
	}
	build(image, "--provenance=mode=max", quickly)
	for _, part := range []string{"debian", "pypi", "elsewhere", "node", "github"} {
		if n.mirror.Served(part) == 0 {
			t.Errorf("nothing of %s comes from the mirror", part)
		}
	}
	build(deps, "--provenance=mode=max", "--target=deps", quickly)
	contains(t, build("", "--target=check"), "server", ", no failure")
}

// others are the providers and steps that the example has not. A secret of
// every kind takes part.
func (n *closedNetwork) others(t *testing.T, image, caches string) {
	outside := outsideAddress(t)
	const spec = "# syntax=" + engine.FrontendImage + `
base_image: debian:trixie-slim
user: root
deps:
  python: {provider: uv, requirements: [six]}
  browser: {provider: playwright, version: "1.55.0"}
  node: {version: "24.21.0"}
extra_deps:
  packages: [tree]
  run:
    - |
      set -e
      if grep -v '^ *lo:' /proc/net/dev | grep :; then echo another device; exit 1; fi
      bash -c 'exec 3<>/dev/tcp/127.0.0.1/443'
      if why=$(bash -c 'exec 3<>/dev/tcp/OUTSIDE' 2>&1); then echo a way out; exit 1; fi
      echo "$why"
    - set -e; cd /tmp; pip download --quiet --no-deps --no-cache-dir -d six six; npm pack is-number; ls -d six/* *.tgz; rm -r six *.tgz /root/.npm
mirrors:
  apt: https://mirror.example.com/
  npm: https://mirror.example.com/npm/
  github: https://mirror.example.com/github
  node: https://mirror.example.com/node
  playwright: https://mirror.example.com/playwright
`
	dir := t.TempDir()
	secrets := map[string]string{"ca": n.ca, "netrc": n.netrc, "apt": n.netrc}
	for id, content := range map[string]string{
		"pip": "[global]\nindex-url = https://" + string(n.needles["the password, in an address"]) + "@mirror.example.com/pypi/simple\n",
		"npm": "//mirror.example.com/npm/:username=" + n.mirror.User + "\n//mirror.example.com/npm/:_password=" + string(n.needles["the password, for npm"]) + "\n",
	} {
		secrets[id] = filepath.Join(dir, id)
		if err := os.WriteFile(secrets[id], []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	res, err := n.Build(t.Context(), engine.BuildOptions{
		Spec: n.spec(t, strings.Replace(spec, "OUTSIDE", outside, 1)), Image: image,
		Args: n.args(secrets, "--provenance=mode=max", "--cache-to=type=local,mode=max,dest="+caches, quickly),
	})
	if err != nil {
		t.Fatal(err)
	}
	n.search().bytes(t, "the output", []byte(res.Log), nil)
	contains(t, res.Log, "Network is unreachable", "is-number-", "six/six-")
	for _, part := range []string{"npm", "playwright"} {
		if n.mirror.Served(part) == 0 {
			t.Errorf("nothing of %s comes from the mirror", part)
		}
	}
	run(t, engine.RunOptions{Image: image, Args: []string{"sh", "-c",
		"tree --version && chromium --version && ! [ -e /run/secrets ] && ! [ -e /run/openhands ] && ! grep -r mirror.example.com /etc"}})
}

// outsideAddress is one that this machine reaches, as bash wants it: what cannot
// be reached from here proves nothing there.
func outsideAddress(t *testing.T) string {
	t.Helper()
	for _, u := range upstreams(t) {
		port := u.Port()
		if port == "" {
			port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
		}
		conn, err := net.Dial("tcp", net.JoinHostPort(u.Hostname(), port))
		if err != nil {
			continue
		}
		defer conn.Close()
		host, port, err := net.SplitHostPort(conn.RemoteAddr().String())
		if err != nil {
			t.Fatal(err)
		}
		return host + "/" + port
	}
	const why = "this machine reaches nothing but through a proxy"
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip(why)
	return ""
}

// noSecrets looks everywhere that something of a build is kept.
func (n *closedNetwork) noSecrets(t *testing.T, images []string, caches string) {
	s := n.search()
	for _, image := range images {
		s.image(t, eng.Registry()+"/"+image)
	}
	if s.attested != len(images) {
		t.Errorf("%d of %d images have a provenance that knows the steps of the build", s.attested, len(images))
	}
	if count := s.dir(t, caches); count < 20 {
		t.Errorf("the exported cache has %d files", count)
	}
	if err := n.Quit(t.Context()); err != nil {
		t.Fatal(err)
	}
	count := s.dir(t, n.Dir())
	t.Logf("searched %d files of the daemon, for %d forms of secrets", count, len(n.needles))
	if count < 10_000 {
		t.Errorf("the daemon has %d files: too few to be what it has built", count)
	}
	// A control: of what a daemon would keep, every form is found.
	found, err := find(bytes.NewReader(bytes.Join(slices.Collect(maps.Values(n.needles)), []byte("\n"))), n.needles)
	if err != nil || len(found) != len(n.needles) {
		t.Errorf("of %d forms planted, found are %q, %v", len(n.needles), found, err)
	}
}
