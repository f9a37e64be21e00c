package deps

import (
	"strings"

	"github.com/moby/buildkit/client/llb"
	digest "github.com/opencontainers/go-digest"
)

const (
	// AgentDir holds the agent-server. Hosts call it by the name /agent-server,
	// which images have as a symlink.
	AgentDir = "/openhands/agent-server"
	// AgentPython is the interpreter of the agent-server's virtual environment.
	AgentPython = AgentDir + "/.venv/bin/python"

	// agentLock lists what the four packages of agentVersion require, with the
	// hashes of all files: `uv pip compile --generate-hashes --no-annotate
	// --no-header`, with --no-emit-package for each of the four. It came out the
	// same for x86_64-manylinux_2_31 and aarch64-manylinux_2_31 with Python 3.12.
	// What has no wheel is in agentUnbuilt, and what that is built with in
	// agentBuilders.
	agentLock     = "agent-server.txt"
	agentUnbuilt  = "agent-sources.txt"
	agentBuilders = "agent-build.txt"
	agentVersion  = "1.58.2"

	// agentPackage is the agent-server's name on PyPI.
	agentPackage = "openhands-agent-server"
)

// agentWheels are the packages of the agent-server, with the digests of the
// wheels of agentVersion.
func agentWheels() [][2]string {
	return [][2]string{
		{"openhands-sdk", "sha256:78e0452df8e75c970922f1e0cf1938a0f2a33a1a71f5a89de92e0970aa5ef96e"},
		{"openhands-tools", "sha256:d163d9c8346ab262539deb7ae5750cd8cfae3af90cd915b9980428aba421fcb0"},
		{"openhands-workspace", "sha256:25e1a0491124e724ed1319a735e8bcdc3fb9ab1def672349848ca8940ed94e6a"},
		{agentPackage, "sha256:8f46884b801c50d6b6f06523974b6252c965eaed348d3597992d4c567df07a20"},
	}
}

// AgentPackages are the names of the agent-server's packages: on PyPI, and of their
// directories in a checkout.
func AgentPackages() []string {
	var names []string
	for _, w := range agentWheels() {
		names = append(names, w[0])
	}
	return names
}

// agentRequirements name the packages, by digest where it is known. hashed tells
// whether it is of all.
func (in graph) agentRequirements() (list []string, hashed bool) {
	hashed = true
	for _, w := range agentWheels() {
		var known digest.Digest
		if in.Server.Version == agentVersion {
			known = digest.Digest(w[1])
		}
		requirement, ok := in.pypiRelease(w[0], in.Server.Version, known)
		list, hashed = append(list, requirement), hashed && ok
	}
	return list, hashed
}

// agentReleases name the packages as what others are resolved from.
func (in graph) agentReleases() []string {
	var list []string
	for _, name := range AgentPackages() {
		list = append(list, name+"=="+in.Server.Version)
	}
	return list
}

// agentSources are the packages as their wheels have them: pure Python.
func (in graph) agentSources() llb.State {
	if in.Source != nil {
		return in.agentCheckout()
	}
	// The same vertex for every architecture: nothing in it is for one.
	n := in.native()
	return n.must("server", func() llb.State {
		requirements, hashed := n.agentRequirements()
		env := map[string]string{}
		if hashed {
			env["HASHES"] = "1"
		}
		return n.exec(stage{
			name: "server", key: "server", text: "download " + n.release(),
			script:    "agent-release.sh",
			made:      map[string]string{"server.txt": lines(requirements)},
			env:       env,
			openhands: n.pip(),
			mounts:    []llb.RunOption{below("lib", n.lib())},
		})
	}).State
}

// agentCheckout is the code of a checkout in the layout of the wheels.
func (in graph) agentCheckout() llb.State {
	return in.native().must("server", func() llb.State {
		info := &llb.CopyInfo{CopyDirContentsOnly: true, CreateDestPath: true}
		var copies []fileCopy
		for _, dir := range AgentPackages() {
			copies = append(copies, fileCopy{"/" + dir + "/openhands", "/openhands", info})
		}
		return in.copied(copies, "copy the server's code")
	}).State
}

// agentWorkspace is what says which packages the server of a checkout requires: a
// change of its code leaves it as it is.
func (in graph) agentWorkspace() llb.State {
	return in.native().must("lock", func() llb.State {
		info := &llb.CopyInfo{CreateDestPath: true}
		copies := []fileCopy{{"/pyproject.toml", "/", info}, {"/uv.lock", "/", info}}
		for _, dir := range AgentPackages() {
			copies = append(copies, fileCopy{"/" + dir + "/pyproject.toml", "/" + dir + "/", info})
		}
		return in.copied(copies, "copy uv.lock and each pyproject.toml")
	}).State
}

// fileCopy is a copy out of a checkout.
type fileCopy struct {
	from, to string
	info     *llb.CopyInfo
}

func (in graph) copied(copies []fileCopy, text string) llb.State {
	action := llb.Copy(*in.Source, copies[0].from, copies[0].to, copies[0].info, in.Times)
	for _, c := range copies[1:] {
		action = action.Copy(*in.Source, c.from, c.to, c.info, in.Times)
	}
	return llb.Scratch().File(action, in.Step("server", "server.source", text)...)
}

// agentPackages is the virtual environment, without the server's own packages.
func (in graph) agentPackages() (Component, error) {
	s, err := in.venvStage("agent-deps.sh")
	if err != nil {
		return Component{}, err
	}
	s.apt = true
	s.env["PACKAGES"] = strings.Join(AgentPackages(), " ")
	if in.Source != nil {
		s.text = "install the packages of uv.lock"
		s.files = append(s.files, "workspace.py")
		s.mounts = append(s.mounts, mountAt("lock", in.agentWorkspace()))
		return Component{Name: "python-deps", State: in.exec(s)}, nil
	}
	s.text = "install what " + in.release() + " requires"
	if in.Server.Version == agentVersion {
		s.files = append(s.files, agentLock, agentUnbuilt, agentBuilders)
	} else {
		s.made["server.txt"] = lines(in.agentReleases())
	}
	return Component{Name: "python-deps", State: in.exec(s)}, nil
}

// agentCode is the server's own packages, the last layer.
func (in graph) agentCode() (Component, error) {
	return in.compiled("agent-code.sh")
}
