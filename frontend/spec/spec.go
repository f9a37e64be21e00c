package spec

// Spec is what a spec file asks for: substituted, defaulted and valid.
//
// A nil list, map or pointer means that the key is not given and has no
// default; an empty list was written as one.
type Spec struct {
	// Args declares the build args of the spec, each with its default.
	// `--build-arg NAME=value` overrides the default. An arg without a default
	// must be given. A default may use the args declared before it.
	// BASE_IMAGE and DEPS_IMAGE are always declared, and RUNTIME_IMAGE_REPO is
	// always taken: it is for the image's names, see tags.md. A comment above or
	// beside an arg is what `--call=outline` says of it.
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

	// Server is the OpenHands server that the image starts. With a `deps_image`
	// the default is the server that it was built for.
	//
	//spec:default none
	//spec:example server: action-execution-server
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

	// Mirrors replaces outside addresses, each by one that serves the same files
	// in the same places: `apt` the scheme and host of every archive that the
	// sources of the builder, and of a base with apt, name (their paths stay),
	// `apt_snapshot` archives of a time that a lock file names: an address with
	// @SNAPSHOTID@ for the time and @PATH@ for an archive's path (see lock.md),
	// `pypi` a simple index, `conda` what holds the channel conda-forge, `npm`
	// npm's registry, `github` and `node` what stands for github.com and
	// nodejs.org/dist, `playwright` what Playwright knows as
	// PLAYWRIGHT_DOWNLOAD_HOST. An address is a host and a path: certificates
	// and passwords are secrets, see closed-networks.md.
	//
	//spec:names ^(apt|apt_snapshot|pypi|conda|npm|github|playwright|node)$
	//spec:example mirrors: {github: "https://mirror.example.com/github"}
	Mirrors map[string]string `yaml:"mirrors"`
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
	// the text is the shell's. A `--secret id=NAME` that it mentions as
	// `/run/secrets/NAME` is there while it runs, and with `--ssh default` the
	// client's SSH agent is.
	//
	//spec:example extra_deps: {run: ["pip install numpy"]}
	Run []string `yaml:"run" spec:"raw,scalar"`
}

func (e *ExtraDeps) setShort(text string) error {
	e.Run = []string{text}
	return nil
}
