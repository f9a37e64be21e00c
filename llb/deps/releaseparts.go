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
		name: "node", key: "deps.node", text: "unpack and seal node " + in.Spec.Node.Version,
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
		name: "vscode", key: "deps.vscode", text: "unpack and seal openvscode-server " + in.Spec.VSCode.Version,
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
		name: "browser", key: "deps.browser", text: "fetch and seal Chromium by " + in.Spec.Browser.Provider,
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

// playwrightVersion is a file that says which Playwright the lock file names.
func (in graph) playwrightVersion() llb.State {
	n := in.native()
	return n.exec(stage{
		name: "browser", key: "deps.browser", text: "look up Playwright's version in poetry.lock",
		script: "playwright-version.sh",
		mounts: []llb.RunOption{below("lib", n.lib()), mountAt("lock", in.lock())},
	})
}

// init is oh-init, which the frontend's image has for every architecture.
func (in graph) init() Component {
	return Component{Name: "init", State: llb.Scratch().File(
		llb.Copy(in.Helpers, RuntimeDir+"/"+in.Architecture, "/", &llb.CopyInfo{CopyDirContentsOnly: true}, in.Times),
		in.Step("init", "deps.tools", "take oh-init")...)}
}
