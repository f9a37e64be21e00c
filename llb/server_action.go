package llb

import (
	"strconv"

	"github.com/moby/buildkit/client/llb"

	"github.com/openhands/llb-frontend/frontend/spec"
	"github.com/openhands/llb-frontend/llb/deps"
	"github.com/openhands/llb-frontend/llb/imageconfig"
)

// actionVSCodePort is where the editor of the V0 server listens unless a host
// says otherwise: the port of OpenHands' remote runtime, out of the thousand above
// 8000, of which the server takes one for its file viewer.
const actionVSCodePort = "60001"

// actionSource is what a checkout of OpenHands V0 holds of the server.
func actionSource() checkout {
	return checkout{
		of:       "OpenHands V0",
		needs:    []string{"openhands/__init__.py", "pyproject.toml", "poetry.lock"},
		patterns: []string{"openhands", "microagents", "third_party", "pyproject.toml", "poetry.lock"},
	}
}

// actionCode is the V0 server's code from a checkout.
func (in Input) actionCode() llb.State {
	info := &llb.CopyInfo{AllowWildcard: true, CreateDestPath: true}
	optional := &llb.CopyInfo{AllowWildcard: true, AllowEmptyWildcard: true, CreateDestPath: true}
	owner := llb.WithUIDGID(0, 0)
	const code = "/openhands/code/"
	return llb.Scratch().File(
		llb.Copy(*in.Source, "/openhands", code+"openhands", &llb.CopyInfo{CopyDirContentsOnly: true, CreateDestPath: true}, owner, in.Created).
			Copy(*in.Source, "/microagent[s]", code, optional, owner, in.Created).
			Copy(*in.Source, "/third_part[y]", code, optional, owner, in.Created).
			Copy(*in.Source, "/pyproject.toml", code, info, owner, in.Created).
			Copy(*in.Source, "/poetry.lock", code, info, owner, in.Created),
		in.Step("code", "server.source", "copy the server's code")...)
}

// actionFiles adds directories that the V0 server writes to beside its code.
func actionFiles(p *plan, _ Input) error {
	for _, dir := range []string{"/openhands/logs", "/openhands/workspace"} {
		if err := p.layer.dir(dir, owned{mode: 0o775, uid: int(p.account.UID)}); err != nil {
			return err
		}
	}
	return nil
}

// patchForAction is the config of the V0 server.
func (in Input) patchForAction(p *imageconfig.Patch, id *plan) {
	p.Env["POETRY_VIRTUALENVS_PATH"] = "/openhands/poetry"
	p.Env["MAMBA_ROOT_PREFIX"] = "/openhands/micromamba"
	name := id.account.Name
	if id.account.UID != 0 {
		// Nobody but root can become another user; the server tries to unless told.
		p.Env["SU_TO_USER"] = "false"
	}
	if name == "" {
		// The server makes an account for a user that it does not know, unless it
		// is the one that it runs as.
		name = "agent"
		p.Env["USER"] = name
	}
	if name != "root" && name != spec.DefaultUser {
		// Terminal and editor are for these two and the one that is named so.
		p.Env["RUNTIME_USERNAME"] = name
	}
	// With DEBUG the server would write logs beside its code, which is root's.
	p.DefaultEnv["LOG_TO_FILE"] = "false"
	p.ExposedPorts = []string{serverPort + "/tcp"}
	if in.Deps.holds("vscode") {
		p.DefaultEnv["VSCODE_PORT"] = actionVSCodePort
		p.ExposedPorts = append(p.ExposedPorts, actionVSCodePort+"/tcp")
	}
	p.Entrypoint = []string{Init, "--"}
	// -P: a checkout of OpenHands in the working directory must not stand in for
	// the server's own code.
	p.Cmd = []string{
		deps.VenvPython, "-u", "-P", "-m", "openhands.runtime.action_execution_server", serverPort,
		"--working-dir", in.Document.Spec.WorkingDir,
		"--plugins", "agent_skills", "jupyter",
	}
	if in.Deps.holds("vscode") {
		// Without its files the server would never be ready.
		p.Cmd = append(p.Cmd, "vscode")
	}
	p.Cmd = append(p.Cmd, "--username", name, "--user-id", strconv.FormatUint(uint64(id.account.UID), 10))
	if !in.Deps.holds("browser") {
		p.Cmd = append(p.Cmd, "--no-enable-browser")
	}
}
