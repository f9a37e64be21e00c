package deps

import (
	"github.com/moby/buildkit/client/llb"

	"github.com/openhands/llb-frontend/frontend/spec"
)

// node is Node.js with npm and npx.
func (in graph) node() (Component, error) {
	archive, err := in.download(in.nodeArchive())
	if err != nil {
		return Component{}, err
	}
	return Component{Name: "node", State: in.exec(stage{
		name: "node", key: "deps.node", text: "install Node.js " + in.Spec.Node.Version,
		script: "node.sh",
		mounts: []llb.RunOption{below("lib", in.lib()), mountAt("archive", archive)},
	})}, nil
}

// vscode is openvscode-server with the extensions of the server.
func (in graph) vscode() (Component, error) {
	archive, err := in.download(in.vscodeArchive())
	if err != nil {
		return Component{}, err
	}
	s := stage{
		name: "vscode", key: "deps.vscode", text: "install openvscode-server " + in.Spec.VSCode.Version,
		script: "vscode.sh", files: []string{"code", "ready.cjs"},
		mounts: []llb.RunOption{below("lib", in.lib()), mountAt("archive", archive)},
	}
	if in.Server.Wanted() {
		s.mounts = append(s.mounts, mountDir(runDir+"/extensions", in.preset().sources(in), in.preset().extensions))
	}
	return Component{Name: "vscode", State: in.exec(s)}, nil
}

// browser is Chromium with its libraries and fonts.
func (in graph) browser() (Component, error) {
	s := stage{
		name: "browser", key: "deps.browser", text: "install " + in.chromium(),
		script: "browser.sh", files: []string{"fonts.conf", "chrome", "chromium", "oh-playwright", "netrc.cjs"}, apt: true,
		env:       map[string]string{"PROVIDER": in.Spec.Browser.Provider, "VERSION": in.Spec.Browser.Version},
		openhands: in.pip(),
		mounts:    []llb.RunOption{below("lib", in.lib())},
	}
	if m := in.Mirrors["playwright"]; m != "" && in.Spec.Browser.Provider == spec.ProviderPlaywright {
		s.env["PLAYWRIGHT_DOWNLOAD_HOST"] = m
	}
	if in.Server.Wanted() && in.preset().headless {
		s.env["HEADLESS"] = "1"
	}
	if in.Server.Wanted() && in.preset().locksPlaywright {
		s.env["LAUNCHER"] = "1"
		if in.Spec.Browser.Version == "" {
			s.mounts = append(s.mounts, mountAt("version", in.playwrightVersion()))
		}
	}
	return Component{Name: "browser", State: in.exec(s)}, nil
}

// chromium tells people which one the browser is.
func (in graph) chromium() string {
	switch {
	case in.Spec.Browser.Provider != spec.ProviderPlaywright:
		return "the builder's Chromium"
	case in.Spec.Browser.Version == "":
		return "Chromium of the server's Playwright"
	default:
		return "Chromium of Playwright " + in.Spec.Browser.Version
	}
}

// playwrightVersion is a file that says which Playwright the lock file names.
func (in graph) playwrightVersion() llb.State {
	n := in.native()
	return n.exec(stage{
		name: "browser", key: "deps.browser", text: "look up the version of Playwright in poetry.lock",
		script: "playwright-version.sh",
		mounts: []llb.RunOption{below("lib", n.lib()), mountAt("lock", in.lock())},
	})
}

// init is oh-init, which the frontend's image has for every architecture.
func (in graph) init() Component {
	return Component{Name: "init", State: llb.Scratch().File(
		llb.Copy(in.Helpers, RuntimeDir+"/"+in.Architecture, "/", &llb.CopyInfo{CopyDirContentsOnly: true}, in.Times),
		in.Step("init", "deps.tools", "add oh-init")...)}
}
