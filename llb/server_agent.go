package llb

import (
	"bytes"
	"fmt"

	"github.com/moby/buildkit/client/llb"

	"github.com/openhands/llb-frontend/frontend/spec"
	"github.com/openhands/llb-frontend/llb/deps"
	"github.com/openhands/llb-frontend/llb/imageconfig"
)

const (
	// agentLink is the name by which hosts call the agent-server's interpreter.
	agentLink = "/agent-server"
	// agentID is the uid and gid that hosts of the agent-server run it as.
	agentID = 10001
	// agentProject is where conversations work that name no directory.
	agentProject = workspace + "/project"
)

// agentUser gives the default account the ids that hosts name, and sudo where
// the base has it. An account that the base has keeps its ids.
func agentUser(in Input, u spec.User) spec.User {
	if in.Facts == nil || u.IsNumeric() || u.Name != spec.DefaultUser {
		return u
	}
	has := bytes.HasPrefix(in.Facts.Accounts.Passwd, []byte(u.Name+":")) ||
		bytes.Contains(in.Facts.Accounts.Passwd, []byte("\n"+u.Name+":"))
	if u.UID == nil && !has {
		id := uint32(agentID)
		u.UID = &id
		if u.GID == nil {
			u.GID = &id
		}
	}
	if !in.Document.Given("user.sudo") {
		u.Sudo = in.Facts.exists(sudo)
	}
	return u
}

// agentSource is what a checkout of the SDK holds of the server: a workspace of uv
// whose packages share the name openhands.
func agentSource() checkout {
	c := checkout{of: "OpenHands' software-agent-sdk", needs: []string{"pyproject.toml", "uv.lock"}}
	c.patterns = append(c.patterns, c.needs...)
	for _, dir := range deps.AgentPackages() {
		c.needs = append(c.needs, dir+"/pyproject.toml")
		c.patterns = append(c.patterns, dir+"/pyproject.toml", dir+"/openhands")
	}
	c.needs = append(c.needs, "openhands-agent-server/openhands/agent_server/__main__.py")
	return c
}

// agentCode is the agent-server's code from a checkout.
func (in Input) agentCode() llb.State {
	var action *llb.FileAction
	for _, dir := range deps.AgentPackages() {
		const code = deps.AgentDir + "/code/openhands"
		info := &llb.CopyInfo{CopyDirContentsOnly: true, CreateDestPath: true}
		owner := llb.WithUIDGID(0, 0)
		if action == nil {
			action = llb.Copy(*in.Source, "/"+dir+"/openhands", code, info, owner, in.Created)
			continue
		}
		action = action.Copy(*in.Source, "/"+dir+"/openhands", code, info, owner, in.Created)
	}
	return llb.Scratch().File(action, in.Step("code", "server.source", "copy the server's code")...)
}

// agentFiles adds the name that hosts call, and the directory that conversations
// begin in.
func agentFiles(p *plan, in Input) error {
	real, ok, err := p.layer.facts.resolve(agentLink)
	if err != nil {
		return err
	}
	if ok && real != deps.AgentDir {
		return fmt.Errorf("base image %q has a %s of its own, which hosts would start instead of ours: use the image that it was built on", in.Base.Ref, agentLink)
	}
	if err := p.layer.symlink(agentLink, deps.AgentDir); err != nil {
		return err
	}
	return p.layer.dir(agentProject, owned{mode: 0o775, uid: int(p.account.UID)})
}

// patchForAgent is the config of the agent-server. Its own defaults are relative
// to the working directory, which hosts choose: here they are not.
func (in Input) patchForAgent(p *imageconfig.Patch, _ *plan) {
	for name, value := range map[string]string{
		"OH_CONVERSATIONS_PATH":              workspace + "/conversations",
		"OH_WORKSPACE_PATH":                  agentProject,
		"OH_BASH_EVENTS_DIR":                 workspace + "/bash_events",
		"OPENHANDS_AGENT_SERVER_CONFIG_PATH": workspace + "/openhands_agent_server_config.json",
		// As in upstream's image: agents of ACP do not see the skills of a home.
		"OH_ACP_SKILL_SOURCING": "openhands_managed",
		// Releases that have a desktop would look for it.
		"OH_ENABLE_VNC": "false",
	} {
		p.Env[name] = value
	}
	p.DefaultEnv["LOG_JSON"] = "true"
	p.ExposedPorts = []string{serverPort + "/tcp"}
	if in.Deps.holds("vscode") {
		p.DefaultEnv["OH_VSCODE_PORT"] = vscodePort
		p.ExposedPorts = append(p.ExposedPorts, vscodePort+"/tcp")
	} else {
		p.DefaultEnv["OH_ENABLE_VSCODE"] = "false"
	}
	if in.Deps.holds("browser") {
		// It would take the browser of Playwright's layout before the launcher on
		// PATH, and without root start it with a sandbox that containers refuse.
		delete(p.Env, "PLAYWRIGHT_BROWSERS_PATH")
		const launcher = binDir + "/chromium"
		p.DefaultEnv["CHROME_BIN"] = launcher
		p.DefaultEnv["PUPPETEER_EXECUTABLE_PATH"] = launcher
		// For a chromium of the base, which stands before ours.
		p.DefaultEnv["CHROMIUM_FLAGS"] = "--no-sandbox --disable-dev-shm-usage --disable-gpu"
	}
	// Hosts give arguments only. -P: a checkout of OpenHands in the working
	// directory must not stand in for the server's own code.
	p.Entrypoint = []string{Init, "--", agentLink + "/.venv/bin/python", "-P", "-m", "openhands.agent_server"}
	// Without --host it listens on all interfaces with a key, and else on the
	// loopback alone.
	p.Cmd = []string{"--port", serverPort}
}
