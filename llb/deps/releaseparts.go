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
	s := in.browserStage()
	if d, ok := in.playwrightDownload(); ok {
		if dgst := in.digestOf(d); dgst != "" {
			s.env["DIGEST"] = dgst.String()
		}
	}
	return Component{Name: "browser", State: in.exec(s)}, nil
}

// playwrightDownload is the browser that Playwright fetches: which one is settled
// by Playwright's version, or by the release of a server that names it. Its
// makers publish no digest, so it is that of the files.
func (in graph) playwrightDownload() (Download, bool) {
	version := in.Spec.Browser.Version
	if in.Spec.Browser.Provider != spec.ProviderPlaywright || version == "" && in.Source != nil {
		return Download{}, false
	}
	what := "chromium"
	if in.headless() {
		what = "chromium-headless-shell"
	}
	if version == "" {
		version = serverPackage + "-" + in.Server.Version
	}
	return Download{
		Name: "playwright/" + what + "/" + version + "/" + in.Architecture, Key: "deps.browser",
		measure: func(in graph) (llb.State, error) {
			s := in.browserStage()
			s.text, s.env["LOOK_UP"], s.anew = "look up the digest of Playwright's browser", "1", true
			return in.exec(s), nil
		},
	}, true
}

func (in graph) headless() bool { return in.Server.Wanted() && in.preset().headless }

func (in graph) browserStage() stage {
	s := stage{
		name: "browser", key: "deps.browser", text: "install " + in.chromium(),
		script: "browser.sh", files: []string{"fonts.conf", "browser_record.py", "chrome", "chromium", "oh-playwright", "netrc.cjs"}, apt: true,
		env:       map[string]string{"PROVIDER": in.Spec.Browser.Provider, "VERSION": in.Spec.Browser.Version},
		openhands: in.pip(),
		mounts:    []llb.RunOption{below("lib", in.lib())},
	}
	if m := in.Mirrors["playwright"]; m != "" && in.Spec.Browser.Provider == spec.ProviderPlaywright {
		s.env["PLAYWRIGHT_DOWNLOAD_HOST"] = m
	}
	if in.headless() {
		s.env["HEADLESS"] = "1"
	}
	if in.Server.Wanted() && in.preset().locksPlaywright {
		s.env["LAUNCHER"] = "1"
		if in.Spec.Browser.Version == "" {
			s.mounts = append(s.mounts, mountAt("version", in.playwrightVersion()))
		}
	}
	return s
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
