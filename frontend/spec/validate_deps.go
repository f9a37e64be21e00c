package spec

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
)

var (
	serverNames      = []string{ServerNone, ServerActionExecution, ServerAgent}
	pythonProviders  = []string{ProviderBuilder, ProviderUV, ProviderMicromamba, None}
	browserProviders = []string{ProviderPlaywright, ProviderBuilder, None}
	architectures    = []string{"amd64", "arm64"}

	// release is what may be part of an address or a package specifier.
	release = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.+_-]*$`)
	// requirement is a requirement of PEP 508 as one argument: never an option
	// of pip, and on one line of a file, whatever pip takes for the end of a line.
	requirement = regexp.MustCompile(`^[A-Za-z0-9]([^\pC\pZ#]|[ \t])*$`)
	// contextName is what buildx accepts as the name of a build context.
	contextName = regexp.MustCompile(`^\.$|^[A-Za-z0-9][A-Za-z0-9._/:@-]*$`)
)

func (l *loader) checkServer(s Server) {
	switch {
	case l.broken("server"):
	case s.Name == "" && !l.given("server"): // the deps image's
	case s.Name == "":
		l.problem("server.name", "server.name is required; add one of %s", strings.Join(serverNames, ", "))
	case !slices.Contains(serverNames, s.Name):
		l.problem("server.name", "server %q is unknown%s", s.Name, meant(s.Name, serverNames))
	case s.Name == ServerNone:
		l.checkNoServer()
	default:
		l.checkRelease("server.version", s.Version)
		if s.Source != "" && !contextName.MatchString(s.Source) {
			l.problem("server.source", "server.source %q is not the name of a build context; use %q for the build context, or a name that --build-context gives", s.Source, ".")
		}
		if l.given("server.version") && l.given("server.source") {
			l.problem("server.version", "server.version has no effect with server.source, which has a version of its own; remove one")
		}
	}
}

func (l *loader) checkNoServer() {
	for _, key := range []string{"server.version", "server.source"} {
		if l.given(key) {
			l.problem(key, "%s has no meaning with server %q; remove it", key, ServerNone)
		}
	}
}

func (l *loader) checkDeps(d Deps, s Server) {
	l.checkImage("deps.builder", d.Builder)
	if d.Builder == scratch {
		l.problem("deps.builder", "deps.builder must be a Debian or Ubuntu image, not %q, which is empty; use e.g. %q", scratch, defaultBuilder)
	}
	l.checkNames("deps.tools", d.Tools, toolName,
		"the name of a Debian package; it has two characters or more of a-z, 0-9 and +.-, and begins with a letter or digit")
	l.checkPython(d.Python)
	l.checkBrowser(d.Browser, s)
	l.checkACP(d.ACP)
	for key, c := range map[string]Component{"deps.node": d.Node, "deps.vscode": d.VSCode} {
		l.checkRelease(key+".version", c.Version)
		l.checkDigests(key+".digests", c.Digests)
		if l.given(key) && c.Version == "" {
			l.problem(key, "%s needs a version; add one, or write %q", key, None)
		}
	}
	if s.Wanted() {
		l.checkNeeds(d, s)
	}
}

// checkNeeds tells what the server cannot do without.
func (l *loader) checkNeeds(d Deps, s Server) {
	if !d.Python.Wanted() && !l.broken("deps.python") {
		l.problem("deps.python", "server %q needs Python; remove deps.python or use one of %s, %s, %s",
			s.Name, ProviderBuilder, ProviderUV, ProviderMicromamba)
	}
	for _, tool := range []string{"bash", "tmux", "git"} {
		if l.given("deps.tools") && !l.broken("deps.tools") && !slices.Contains(d.Tools, tool) {
			l.problem("deps.tools", "server %q needs the tool %q; add it to deps.tools", s.Name, tool)
		}
	}
}

func (l *loader) checkPython(p Python) {
	const key = "deps.python"
	l.checkProvider(key, p.Provider, pythonProviders)
	l.checkRelease(key+".version", p.Version)
	l.checkDigests(key+".digests", p.Digests)
	for i, r := range p.Requirements {
		if r != "" && !requirement.MatchString(r) {
			l.problem(item(key+".requirements", i), "%s %q is not a requirement in pip's form (PEP 508); it begins with the name of a package, e.g. %q",
				item(key+".requirements", i), r, "numpy==2.3.4")
		}
	}
	switch {
	case l.given(key) && p.Provider == "":
		l.problem(key, "deps.python needs a provider; add one of %s", strings.Join(pythonProviders, ", "))
	case p.Provider == ProviderUV && p.Version != "" && !strings.Contains(p.Version, "+"):
		l.problem(key+".version", "deps.python.version %q names no release; of provider %q it is as %q", p.Version, p.Provider, "3.13.9+20251120")
	case p.Provider == ProviderBuilder && l.given(key+".version"):
		l.problem(key+".version", "deps.python.version has no effect with provider %q, whose version is that of its distribution; remove it or use another provider", p.Provider)
	}
}

func (l *loader) checkBrowser(b Browser, s Server) {
	const key = "deps.browser"
	l.checkProvider(key, b.Provider, browserProviders)
	l.checkRelease(key+".version", b.Version)
	switch {
	case l.given(key) && b.Provider == "":
		l.problem(key, "deps.browser needs a provider; add one of %s", strings.Join(browserProviders, ", "))
	case b.Provider == ProviderPlaywright && b.Version == "" && s.Name != ServerActionExecution:
		l.problem(key, "deps.browser needs a version of Playwright where no server's lock file names one; write {provider: %s, version: ...}", b.Provider)
	}
}

func (l *loader) checkProvider(key, provider string, known []string) {
	if provider != "" && !slices.Contains(known, provider) {
		l.problem(l.inner(key, "provider"), "%s %q is unknown%s", key, provider, meant(provider, known))
	}
}

// inner is the place of a key in a mapping, or of the scalar in its stead.
func (l *loader) inner(path, key string) string {
	if l.given(path + "." + key) {
		return path + "." + key
	}
	return path
}

func (l *loader) checkRelease(key, version string) {
	if len(version) > maxRelease {
		l.problem(l.inner(parent(key), strings.TrimPrefix(key, parent(key)+".")), "%s has %d bytes; at most %d are allowed", key, len(version), maxRelease)
	}
	if version != "" && !release.MatchString(version) {
		l.problem(l.inner(parent(key), strings.TrimPrefix(key, parent(key)+".")), "%s %q is not a version; it holds only letters, digits and .+_-", key, version)
	}
}

func (l *loader) checkDigests(key string, digests map[string]string) {
	for _, arch := range slices.Sorted(maps.Keys(digests)) {
		if !slices.Contains(architectures, arch) {
			l.problem(key+"."+arch, "architecture %q is unknown%s", arch, meant(arch, architectures))
		}
		if d := digest.Digest(digests[arch]); d.Validate() != nil || d.Algorithm() != digest.SHA256 {
			l.problem(key+"."+arch, "%s.%s %q is not a digest; write sha256: and 64 hexadecimal digits", key, arch, d)
		}
	}
}
