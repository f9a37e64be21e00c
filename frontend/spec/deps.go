package spec

import "slices"

// None is the word that leaves out a component.
const None = "none"

// Providers of Python and of the browser.
const (
	// ProviderBuilder takes a component from the builder's distribution.
	ProviderBuilder = "builder"
	// ProviderUV takes CPython from python-build-standalone.
	ProviderUV = "uv"
	// ProviderMicromamba takes CPython and poetry from conda-forge.
	ProviderMicromamba = "micromamba"
	// ProviderPlaywright takes the Chromium of the locked Playwright.
	ProviderPlaywright = "playwright"
)

// Deps says how /openhands is built. It is zero when a deps image is given.
type Deps struct {
	// Builder is the Debian or Ubuntu image that the dependencies come from.
	//
	//spec:default debian:trixie-slim
	//spec:example deps: {builder: "debian:bookworm-slim"}
	Builder string `yaml:"builder"`

	// Tools lists packages of the builder's distribution whose programs the
	// image gets in `/openhands`. With a server the default has coreutils,
	// findutils, grep, sed and procps beside: on a base without a shell's
	// programs, servers and agents call these.
	//
	//spec:default [bash, tmux, git, jq, ripgrep]
	//spec:example deps: {tools: [bash, tmux, git, less]}
	Tools []string `yaml:"tools"`

	// Python is the Python interpreter in `/openhands`, with its packages. The
	// default with a server is `builder`, otherwise there is none.
	//
	//spec:example deps: {python: uv}
	Python Python `yaml:"python"`

	// Browser is the browser in `/openhands`. The default is `playwright` with
	// `action-execution-server` and `builder` with `agent-server`, which needs no
	// Playwright; otherwise there is none.
	//
	//spec:example deps: {browser: builder}
	Browser Browser `yaml:"browser"`

	// VSCode is the VS Code server (openvscode-server) in `/openhands`. The
	// default with a server is version 1.109.5, otherwise there is none.
	//
	//spec:example deps: {vscode: none}
	VSCode Component `yaml:"vscode"`

	// Node is the Node.js in `/openhands`, with npm and npx. The default with a
	// server is version 24.21.0, otherwise there is none.
	//
	//spec:example deps: {node: "24.21.0"}
	Node Component `yaml:"node"`

	// UV says whether `/openhands` has uv and uvx, of one fixed version: `true`
	// or `false`. The default with a server is `true`.
	//
	//spec:example deps: {uv: true}
	UV bool `yaml:"uv" spec:"false"`

	// ACP is agents that speak the Agent Client Protocol, which the agent-server
	// starts in place of its own. There are none by default.
	//
	//spec:example deps: {acp: codex}
	ACP ACP `yaml:"acp"`
}

// Python is a Python interpreter, by provider and version, with packages.
//
//spec:short string the provider, or `none`
type Python struct {
	// Provider says where the interpreter comes from: the builder's
	// distribution, python-build-standalone (`uv`), or conda-forge
	// (`micromamba`).
	//
	//spec:enum builder uv micromamba none
	//spec:example deps: {python: {provider: uv}}
	Provider string `yaml:"provider"`

	// Version is the version of the interpreter: of `uv` a release as
	// `3.13.9+20251120`, of `micromamba` any that conda-forge has. `builder` has
	// that of its distribution.
	//
	//spec:example deps: {python: {provider: micromamba, version: "3.12"}}
	Version string `yaml:"version"`

	// Digests are the digests of the provider's archive by architecture, for a
	// version that this frontend does not know. Of micromamba it knows none. For
	// another architecture than the builder's, both must be there.
	//
	//spec:names ^(amd64|arm64)$
	//spec:example deps: {python: {provider: uv, version: "3.13.9+20251120", digests: {amd64: "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}}}
	Digests map[string]string `yaml:"digests"`

	// Requirements lists packages in pip's form (PEP 508) to install beside, or
	// without, those of the server's lock file.
	//
	//spec:example deps: {python: {provider: builder, requirements: ["numpy==2.3.4"]}}
	Requirements []string `yaml:"requirements"`
}

// Browser is Chromium, by provider.
//
//spec:short string the provider, or `none`
type Browser struct {
	// Provider says where Chromium comes from: Playwright's own build, of the
	// version that the server's lock file names, or the builder's distribution.
	//
	//spec:enum playwright builder none
	//spec:example deps: {browser: {provider: builder}}
	Provider string `yaml:"provider"`

	// Version is the version of Playwright whose Chromium is wanted. The default
	// is that of the server's lock file.
	//
	//spec:example deps: {browser: {provider: playwright, version: "1.55.0"}}
	Version string `yaml:"version"`
}

// Component is a part of /openhands that comes as a release.
//
//spec:short string the version, or `none`
type Component struct {
	// Version is the version of the release, or `none`.
	//
	//spec:example deps: {node: {version: "24.21.0"}}
	Version string `yaml:"version"`

	// Digests are the digests of the release's archive by architecture. They must
	// be given for a version that this frontend does not know.
	//
	//spec:names ^(amd64|arm64)$
	//spec:example deps: {node: {version: "24.21.0", digests: {amd64: "sha256:6e1db87ef58b8819e5d5402eff1536491b18edd8eb7bee5ef7897876e88dc5ff"}}}
	Digests map[string]string `yaml:"digests"`
}

// Wanted reports whether /openhands has a Python.
func (p Python) Wanted() bool { return wanted(p.Provider) }

// Wanted reports whether /openhands has a browser.
func (b Browser) Wanted() bool { return wanted(b.Provider) }

// Wanted reports whether /openhands has the component.
func (c Component) Wanted() bool { return wanted(c.Version) }

func wanted(word string) bool { return word != "" && word != None }

func (p *Python) setShort(text string) error {
	p.Provider = text
	return nil
}

func (b *Browser) setShort(text string) error {
	b.Provider = text
	return nil
}

func (c *Component) setShort(text string) error {
	c.Version = text
	return nil
}

// setDefaults fills in what is not given. A server brings all that it needs.
func (d *Deps) setDefaults(server Server, given func(path string) bool) {
	if d.Builder == "" {
		d.Builder = defaultBuilder
	}
	d.ACP.setDefaults()
	if d.Tools == nil {
		d.Tools = slices.Clone(defaultTools)
		if server.Wanted() {
			d.Tools = append(d.Tools, serverTools...)
		}
	}
	if !server.Wanted() {
		return
	}
	for _, v := range []struct {
		value        *string
		path, preset string
	}{
		{&d.Python.Provider, "deps.python.provider", ProviderBuilder},
		{&d.Browser.Provider, "deps.browser.provider", defaultBrowsers[server.Name]},
		{&d.VSCode.Version, "deps.vscode.version", defaultVSCode},
		{&d.Node.Version, "deps.node.version", defaultNode},
	} {
		if *v.value == "" && !given(v.path) {
			*v.value = v.preset
		}
	}
	if !given("deps.uv") {
		d.UV = true
	}
}
