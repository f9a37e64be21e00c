package spec

// Spec is what a spec file asks for: substituted, defaulted and valid.
//
// A nil list, map or pointer means that the key is not given and has no
// default; an empty list was written as one.
type Spec struct {
	// Args declares the build args of the spec, each with its default.
	// `--build-arg NAME=value` overrides the default. An arg without a default
	// must be given. A default may use the args declared before it.
	// BASE_IMAGE and DEPS_IMAGE are always declared.
	//
	//spec:names ^[A-Za-z_][A-Za-z0-9_]*$
	//spec:example args: {BASE_IMAGE: "debian:trixie-slim", REVISION: "1"}
	Args map[string]string `yaml:"args" spec:"null"`

	// BaseImage is the image that the runtime is put on: a reference, the name
	// of a build context, or `scratch` for the empty image. It may be left out
	// when `--build-arg BASE_IMAGE=...` is given.
	//
	//spec:example base_image: alpine:3.22
	BaseImage string `yaml:"base_image"`

	// Platforms lists the platforms to build when the `--platform` flag is not
	// given. The client chooses builder nodes by the flag alone, so use the flag
	// with a builder of several nodes. The default is the platform of the
	// builder.
	//
	//spec:items linux/amd64 linux/arm64
	//spec:example platforms: [linux/amd64, linux/arm64]
	Platforms []string `yaml:"platforms"`

	// Server is the OpenHands server that the image starts.
	//
	//spec:default none
	//spec:example server: none
	Server Server `yaml:"server"`

	// DepsImage is a prebuilt image that holds only `/openhands`: a reference or
	// the name of a build context. Without it the dependencies are built as part
	// of this build, as `deps` says. It may also come as
	// `--build-arg DEPS_IMAGE=...`; `deps` is then left unused.
	//
	//spec:example deps_image: example.com/openhands-deps:1
	DepsImage string `yaml:"deps_image"`

	// Deps says how the dependencies in `/openhands` are built. It does not go
	// together with `deps_image`.
	Deps Deps `yaml:"deps"`

	// ExtraDeps is what the image gets beside the dependencies in `/openhands`.
	ExtraDeps ExtraDeps `yaml:"extra_deps" spec:"raw"`

	// Environment is added to the environment of the base image. Numbers and
	// booleans are taken as they are written.
	//
	//spec:names ^[A-Za-z_][A-Za-z0-9_]*$
	//spec:example environment: {EDITOR: vim, RETRIES: 3}
	Environment map[string]string `yaml:"environment"`

	// User is the account that the image runs as.
	//
	//spec:default openhands
	//spec:example user: {name: dev, uid: 1001, sudo: true}
	User User `yaml:"user" spec:"number"`

	// WorkingDir is the working directory, an absolute path. It belongs to the
	// user.
	//
	//spec:default /workspace
	//spec:pattern ^/
	//spec:example working_dir: /workspace/project
	WorkingDir string `yaml:"working_dir"`

	// Entrypoint is the image's entrypoint, one item an argument. The base
	// image's entrypoint is never kept.
	//
	//spec:example entrypoint: []
	Entrypoint []string `yaml:"entrypoint" spec:"empty"`

	// Command is the image's command, one item an argument. A shell must be
	// named when one is wanted.
	//
	//spec:example command: [bash, -c, "exec tmux new"]
	Command []string `yaml:"command" spec:"empty"`

	// Labels are added to the labels of the base image. Numbers and booleans are
	// taken as they are written.
	//
	//spec:example labels: {org.opencontainers.image.title: runtime}
	Labels map[string]string `yaml:"labels"`

	// Mirrors replaces outside addresses, for builds in closed networks.
	//
	//spec:names ^(apt|pypi|conda|npm|github|playwright|node)$
	//spec:unsupported
	//spec:example mirrors: {apt: "https://mirror.example.com/debian"}
	Mirrors map[string]string `yaml:"mirrors"`
}

// Server is an OpenHands server, by name and, when it is not the default one,
// by version or source.
//
//spec:short string the name of the server
type Server struct {
	// Name is the name of the server; `none` leaves it out.
	//
	//spec:enum none action-execution-server agent-server
	//spec:example server: {name: none}
	Name string `yaml:"name"`

	// Version is the released version of the server.
	//
	//spec:unsupported
	//spec:example server: {name: agent-server, version: "1.2.3"}
	Version string `yaml:"version"`

	// Source is where the server's code comes from instead of a release: the
	// name of a build context.
	//
	//spec:unsupported
	//spec:example server: {name: agent-server, source: agent}
	Source string `yaml:"source"`
}

// Deps says how /openhands is built. It is zero when a deps image is given.
type Deps struct {
	// Builder is the Debian or Ubuntu image that the dependencies come from.
	//
	//spec:default debian:trixie-slim
	//spec:example deps: {builder: "debian:bookworm-slim"}
	Builder string `yaml:"builder"`

	// Tools lists packages of the builder's distribution whose programs the
	// image gets in `/openhands`.
	//
	//spec:default [bash, tmux, git, jq, ripgrep]
	//spec:example deps: {tools: [bash, tmux, git, less]}
	Tools []string `yaml:"tools"`

	// Python is the Python interpreter in `/openhands`.
	//
	//spec:unsupported
	Python Python `yaml:"python"`

	// Browser is the browser in `/openhands`.
	//
	//spec:unsupported
	//spec:example deps: {browser: chromium}
	Browser Component `yaml:"browser"`

	// VSCode is the VS Code server in `/openhands`.
	//
	//spec:unsupported
	//spec:example deps: {vscode: "1.98.2"}
	VSCode Component `yaml:"vscode"`

	// Node is the Node.js in `/openhands`.
	//
	//spec:unsupported
	//spec:example deps: {node: "22.12.0"}
	Node Component `yaml:"node"`
}

// Python is a Python interpreter, by provider and version.
//
//spec:short string the version
type Python struct {
	// Provider says where the interpreter comes from: the builder's
	// distribution, python-build-standalone (by uv), or conda-forge (by
	// micromamba).
	//
	//spec:enum builder uv micromamba
	//spec:unsupported
	//spec:example deps: {python: {provider: uv}}
	Provider string `yaml:"provider"`

	// Version is the version of the interpreter.
	//
	//spec:unsupported
	//spec:example deps: {python: {version: "3.12"}}
	Version string `yaml:"version"`
}

// Component is a part of /openhands that comes as a release.
//
//spec:short string the version or, for a browser, its name
type Component struct {
	// Version is the version of the component.
	//
	//spec:unsupported
	Version string `yaml:"version"`

	// Source is where the component comes from instead of a release: the name
	// of a build context.
	//
	//spec:unsupported
	Source string `yaml:"source"`
}

// ExtraDeps is what the image gets beside /openhands.
//
//spec:short string one run command
type ExtraDeps struct {
	// Packages are installed on the base with its own package manager (apt, apk,
	// dnf, microdnf, yum or zypper), before anything else. This is the cheap way.
	//
	//spec:example extra_deps: {packages: [ffmpeg, curl]}
	Packages []string `yaml:"packages"`

	// Run lists shell commands, run one after the other as root on the composed
	// image. Nothing is substituted in them: declared args that a command
	// mentions as `$NAME` or `${NAME}` are in its environment, and the rest of
	// the text is the shell's.
	//
	//spec:example extra_deps: {run: ["pip install numpy"]}
	Run []string `yaml:"run" spec:"raw,scalar"`
}

func (s *Server) setShort(text string) error {
	s.Name = text
	return nil
}

func (p *Python) setShort(text string) error {
	p.Version = text
	return nil
}

func (c *Component) setShort(text string) error {
	c.Version = text
	return nil
}

func (e *ExtraDeps) setShort(text string) error {
	e.Run = []string{text}
	return nil
}
