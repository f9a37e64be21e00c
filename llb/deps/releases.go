package deps

import (
	"cmp"
	"fmt"
	"path"
	"strings"

	"github.com/moby/buildkit/client/llb"
	digest "github.com/opencontainers/go-digest"

	"github.com/openhands/llb-frontend/frontend/spec"
)

// Versions of what the stages themselves bring.
const (
	uvVersion         = "0.13.9"
	poetryVersion     = "2.5.1" // scripts/poetry.txt has its closure
	micromambaVersion = "2.3.3-0"
	defaultUVPython   = "3.13.17+20261021"
	condaPython       = "3.12"
)

// uvRequirement names both wheels of uv by digest.
const uvRequirement = "uv==" + uvVersion +
	" --hash=sha256:2c45530751517d6c3bbc69a19473f6effe47cce047bede01ffd8af7ea7b36b25" +
	" --hash=sha256:5435c5ce14a56431208ca0996416d310f1598e8c2c8ba707688985a16bb82dbe"

// knownDigests are the SHA-256 digests of archives as their makers publish
// them: SHASUMS256.txt of nodejs.org, the release's digests of GitHub, and the
// SHA256SUMS of python-build-standalone.
var knownDigests = map[string]string{
	"node-v24.21.0-linux-x64.tar.gz":                                                  "6e1db87ef58b8819e5d5402eff1536491b18edd8eb7bee5ef7897876e88dc5ff",
	"node-v24.21.0-linux-arm64.tar.gz":                                                "724282c3b43aec998aa9527380465b45d229e021b58035f5f4f63095eabfe5d5",
	"openvscode-server-v1.109.5-linux-x64.tar.gz":                                     "b433bf4f0227321a7014d8460d10a8f958adc0f45aa79bd889e84e65e8f88363",
	"openvscode-server-v1.109.5-linux-arm64.tar.gz":                                   "36d9c14036489b63de84ebace837fcacf7e60e669a0dc715802c5443684ea4dc",
	"cpython-3.13.17+20261021-x86_64-unknown-linux-gnu-install_only_stripped.tar.gz":  "f829adc9d888e76c8801b4799ed444188d35239fcae3a9808a99ec5cb0d8d92c",
	"cpython-3.13.17+20261021-aarch64-unknown-linux-gnu-install_only_stripped.tar.gz": "c6857c65b996701a5da104cbb49b35249c0c026dc0664239b04f7156aa88326a",
	"cpython-3.12.15+20261021-x86_64-unknown-linux-gnu-install_only_stripped.tar.gz":  "6d7521138fd33afddc1ccd08abb007d9a2829e38117c2576f9efdc0ec73ce772",
	"cpython-3.12.15+20261021-aarch64-unknown-linux-gnu-install_only_stripped.tar.gz": "b4567aa5a11f51b540c4dfd9e082ebf23e554f8ac17b85caa6cea23e83693394",
}

// Addresses that the mirrors of a spec replace.
const (
	nodeAddress   = "https://nodejs.org/dist"
	githubAddress = "https://github.com"
)

// archive is a release's file for one architecture.
type archive struct {
	mirror, address string // key of mirrors, and what it replaces
	path            string // below the address
	component       string // key of the spec: deps.node
	digests         map[string]string
}

// download is the archive as a vertex of its own, by digest.
func (in graph) download(a archive) (llb.State, error) {
	file := path.Base(a.path)
	dgst := in.digestOf(in.listed(a, file))
	switch {
	case in.note != nil: // nothing is built of it
		return llb.Scratch(), nil
	case dgst == "":
		key := a.component + ".digests"
		return llb.State{}, &Error{Key: a.component, Err: fmt.Errorf(
			"the digest of %s is not known to this frontend; add %s: {%s: \"sha256:...\"}, of which its makers publish the value, or let --target lock look it up", file, key, in.Architecture)}
	}
	step := in.archiveStep(a, "download "+file)
	if in.Mirrors[a.mirror] == "" && !in.Proxied {
		opts := []llb.HTTPOption{llb.Filename(file), llb.Checksum(dgst)}
		for _, o := range step {
			opts = append(opts, o)
		}
		return llb.HTTP(a.address+"/"+a.path, opts...), nil
	}
	return in.fetch(step, in.archiveAddress(a), file, dgst), nil
}

// listed is an archive as a lock file has it.
func (in graph) listed(a archive, file string) Download {
	d := Download{
		Name: a.mirror + "/" + a.path, Key: a.component, Digest: digest.Digest(a.digests[in.Architecture]),
		measure: func(in graph) (llb.State, error) { return in.measureArchive(a, file), nil },
	}
	if d.Own = d.Digest != ""; !d.Own && knownDigests[file] != "" {
		d.Digest = digest.NewDigestFromEncoded(digest.SHA256, knownDigests[file])
	}
	return d
}

func (in graph) archiveStep(a archive, text string) []llb.ConstraintsOpt {
	name, _, _ := strings.Cut(strings.TrimPrefix(a.component, "deps."), ".") // acp of deps.acp.node
	return in.Step(name, a.component, text)
}

// archiveAddress is that of the archive's mirror, if there is one.
func (in graph) archiveAddress(a archive) string {
	return strings.TrimSuffix(cmp.Or(in.Mirrors[a.mirror], a.address), "/") + "/" + a.path
}

// fetch is what llb.HTTP is, as a command: the daemon that answers an llb.HTTP
// knows neither the client's certificates and passwords nor its proxies. The
// file is the same to the mode, so stages above it know it from their cache
// whichever way it came.
func (in graph) fetch(step []llb.ConstraintsOpt, address, file string, dgst digest.Digest) llb.State {
	return in.ohSeal(step, "fetch", "--sha256", dgst.Encoded(), "--out", outMount+"/"+file, address)
}

// ohSeal runs oh-seal where it downloads without apt.
func (in graph) ohSeal(step []llb.ConstraintsOpt, args ...string) llb.State {
	n := in.native()
	opts := []llb.RunOption{
		llb.Args(append([]string{helpersMount + "/oh-seal"}, args...)),
		llb.Dir("/"),
		llb.User("0"),
		mountDir(helpersMount, in.Helpers, HelpersDir),
		// Certificates, which a builder need not have.
		mountDir(libMount+"/openhands/c", n.lib().State, "/openhands/c"),
	}
	opts = append(opts, Secrets()...)
	opts = append(opts, in.Run...)
	for _, o := range step {
		opts = append(opts, o)
	}
	return in.Builder.Run(opts...).AddMount(outMount, llb.Scratch())
}

// machine is the architecture's name elsewhere.
func (in graph) machine(amd64, arm64 string) string {
	if in.Architecture == "arm64" {
		return arm64
	}
	return amd64
}

// wheels is the platform that uv chooses wheels for: what glibc 2.31 runs, the
// oldest of a supported builder (Debian 11, Ubuntu 20.04).
func (in graph) wheels() string { return in.machine("x86_64", "aarch64") + "-manylinux_2_31" }

func (in graph) nodeArchive() archive { return in.archiveOfNode("deps.node", in.Spec.Node) }

func (in graph) acpNodeArchive() archive { return in.archiveOfNode("deps.acp.node", in.Spec.ACP.Node) }

func (in graph) archiveOfNode(key string, node spec.Component) archive {
	v := node.Version
	return archive{
		mirror: "node", address: nodeAddress, component: key, digests: node.Digests,
		path: fmt.Sprintf("v%s/node-v%s-linux-%s.tar.gz", v, v, in.machine("x64", "arm64")),
	}
}

func (in graph) vscodeArchive() archive {
	tag := "openvscode-server-v" + in.Spec.VSCode.Version
	return archive{
		mirror: "github", address: githubAddress, component: "deps.vscode", digests: in.Spec.VSCode.Digests,
		path: fmt.Sprintf("gitpod-io/openvscode-server/releases/download/%s/%s-linux-%s.tar.gz", tag, tag, in.machine("x64", "arm64")),
	}
}

func (in graph) uvPythonVersion() string { return cmp.Or(in.Spec.Python.Version, defaultUVPython) }

func (in graph) uvPythonArchive() archive {
	version := in.uvPythonVersion()
	_, date, _ := strings.Cut(version, "+")
	return archive{
		mirror: "github", address: githubAddress, component: "deps.python", digests: in.Spec.Python.Digests,
		path: fmt.Sprintf("astral-sh/python-build-standalone/releases/download/%s/cpython-%s-%s-unknown-linux-gnu-install_only_stripped.tar.gz",
			date, version, in.machine("x86_64", "aarch64")),
	}
}

func (in graph) micromambaArchive() archive {
	return archive{
		mirror: "github", address: githubAddress, component: "deps.python", digests: in.Spec.Python.Digests,
		path: fmt.Sprintf("mamba-org/micromamba-releases/releases/download/%s/micromamba-linux-%s", micromambaVersion, in.machine("64", "aarch64")),
	}
}

// serverPackage is the V0 server's name on PyPI.
const serverPackage = "openhands-ai"

// serverRequirement names a server's source distribution, by digest where it is
// known.
func (in graph) serverRequirement() (requirement string, hashed bool) {
	var known digest.Digest
	if in.Server.Version == "0.62.0" {
		known = "sha256:dd2e31f715fe9239ff2f2c60b0b85d3bff44cb0483d2b7a200fdcb8a6e561962"
	}
	return in.pypiRelease(serverPackage, in.Server.Version, known)
}
