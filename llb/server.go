package llb

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/moby/buildkit/client/llb"

	"github.com/openhands/llb-frontend/frontend/spec"
	"github.com/openhands/llb-frontend/llb/deps"
	"github.com/openhands/llb-frontend/llb/identity"
	"github.com/openhands/llb-frontend/llb/imageconfig"
)

const (
	// Init is the entrypoint of images with a server: it reaps processes and
	// passes signals on.
	Init = "/openhands/bin/oh-init"

	// defaultAccount is the user name that OpenHands has built in.
	defaultAccount = "openhands"

	serverPort = "8000"
	vscodePort = "8001"

	// LabelServer names the server that an image starts, and its version.
	LabelServer = "dev.openhands.server"
)

// server is the server that the image starts: the spec's, or that of the deps
// image.
func (in Input) server() (spec.Server, error) {
	want, have := in.Document.Spec.Server, in.Deps.Server
	switch {
	case want.Name == "":
		return have, in.checkDepsServer(have)
	case !want.Wanted():
		return want, nil
	case in.Deps.Prebuilt != nil && have.Name != want.Name:
		return want, in.Problem("server", fmt.Errorf("deps image %q is not built for server %q%s: build one with it (--target deps)",
			in.Deps.Prebuilt.Ref, want.Name, insteadOf(have)))
	case want.Source != "" && in.Deps.holds("code"):
		return want, in.Problem("server.source", errors.New("the deps image holds a release's code, which code of a source cannot replace: build it with the same server.source (--target deps leaves the code out then)"))
	case want.Source == "" && in.Deps.Prebuilt != nil && !in.Deps.holds("code"):
		return want, in.Problem("server", fmt.Errorf("deps image %q has no code, as it was built with a server.source: give one here as well", in.Deps.Prebuilt.Ref))
	case want.Source == "" && in.Deps.Prebuilt != nil && in.Document.Given("server.version") && want.Version != have.Version:
		return want, in.Problem("server.version", fmt.Errorf("deps image %q has version %q of the server, not %q: remove the version, or build a deps image of it",
			in.Deps.Prebuilt.Ref, have.Version, want.Version))
	}
	if want.Source == "" {
		want.Version = have.Version
	}
	return want, nil
}

// checkDepsServer says what is wrong with the server of a deps image where the
// spec has none.
func (in Input) checkDepsServer(have spec.Server) error {
	switch {
	case !have.Wanted():
		return nil
	case !in.Deps.holds("code"):
		return in.Problem("deps_image", fmt.Errorf("deps image %q has no code, as it was built with a server.source: give server %q with one here as well, or write server: %s",
			in.Deps.Prebuilt.Ref, have.Name, spec.ServerNone))
	case in.Document.Spec.User.Create == spec.CreateStart:
		return in.Problem("user.create", fmt.Errorf("user.create %q does not go together with server %q of deps image %q: its hosts replace the entrypoint and would run as root; remove user.create, or write server: %s",
			spec.CreateStart, have.Name, in.Deps.Prebuilt.Ref, spec.ServerNone))
	}
	return nil
}

func insteadOf(have spec.Server) string {
	if !have.Wanted() {
		return ""
	}
	return fmt.Sprintf(", but for %q", have.Name)
}

// SourcePatterns are the parts of a checkout that server.source takes.
func SourcePatterns() []string {
	return []string{"openhands", "microagents", "third_party", "pyproject.toml", "poetry.lock"}
}

// code is the server's code from a checkout: a copy, so that a change of the
// code runs nothing and adds one layer.
func (in Input) code() []deps.Component {
	if in.Source == nil {
		return nil
	}
	info := &llb.CopyInfo{AllowWildcard: true, CreateDestPath: true}
	optional := &llb.CopyInfo{AllowWildcard: true, AllowEmptyWildcard: true, CreateDestPath: true}
	owner := llb.WithUIDGID(0, 0)
	const code = "/openhands/code/"
	st := llb.Scratch().File(
		llb.Copy(*in.Source, "/openhands", code+"openhands", &llb.CopyInfo{CopyDirContentsOnly: true, CreateDestPath: true}, owner, in.Created).
			Copy(*in.Source, "/microagent[s]", code, optional, owner, in.Created).
			Copy(*in.Source, "/third_part[y]", code, optional, owner, in.Created).
			Copy(*in.Source, "/pyproject.toml", code, info, owner, in.Created).
			Copy(*in.Source, "/poetry.lock", code, info, owner, in.Created),
		in.Step("code", "server.source", "copy the server's code")...)
	return []deps.Component{{Name: "code", State: st}}
}

// patchForServer makes `docker run` start the server, and sets what the hosts
// of OpenHands, who bring a command of their own, count on.
func (in Input) patchForServer(p *imageconfig.Patch, id *plan, server spec.Server) {
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
	if name != "root" && name != defaultAccount {
		// Terminal and editor are for these two and the one that is named so.
		p.Env["RUNTIME_USERNAME"] = name
	}
	// With DEBUG the server would write logs beside its code, which is root's.
	p.DefaultEnv["LOG_TO_FILE"] = "false"
	p.ExposedPorts = []string{serverPort + "/tcp"}
	if in.Deps.holds("vscode") {
		p.DefaultEnv["VSCODE_PORT"] = vscodePort
		p.ExposedPorts = append(p.ExposedPorts, vscodePort+"/tcp")
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
	p.Labels[LabelServer] = server.Name
	if server.Version != "" {
		p.Labels[LabelServer] += "@" + server.Version
	}
}

// accountAtStart is the account that oh-init makes.
func accountAtStart(u spec.User) identity.Account {
	a := identity.Account{Name: u.Name, UID: 1000, GID: 1000, Home: u.Home, Shell: u.Shell}
	if u.UID != nil {
		a.UID, a.GID = *u.UID, *u.UID
	}
	if u.GID != nil {
		a.GID = *u.GID
	}
	if a.Home == "" {
		a.Home = "/home/" + a.Name
	}
	if a.Shell == "" {
		a.Shell = "/bin/bash"
	}
	return a
}

// createAtStart is the entrypoint that makes an account.
func createAtStart(a identity.Account) []string {
	id := func(n uint32) string { return strconv.FormatUint(uint64(n), 10) }
	return []string{Init, "--create", a.Name, "--uid", id(a.UID), "--gid", id(a.GID), "--home", a.Home, "--shell", a.Shell, "--"}
}
