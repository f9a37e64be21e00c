package llb

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/moby/buildkit/client/llb"

	"github.com/openhands/llb-frontend/frontend/spec"
	"github.com/openhands/llb-frontend/llb/identity"
	"github.com/openhands/llb-frontend/llb/imageconfig"
)

const (
	// Init is the entrypoint of images with a server: it reaps processes and
	// passes signals on.
	Init = "/openhands/bin/oh-init"

	serverPort = "8000"
	vscodePort = "8001"

	// LabelServer names the server that an image starts, and its version.
	LabelServer = "dev.openhands.server"
)

// Server is the server that the image starts: the spec's, or that of the deps
// image.
func (in Input) Server() (spec.Server, error) {
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
	case !isKnown(have):
		return in.Problem("deps_image", fmt.Errorf("deps image %q is for server %q, which this frontend does not know: use a newer frontend, or write server: %s",
			in.Deps.Prebuilt.Ref, have.Name, spec.ServerNone))
	case !in.Deps.holds("code"):
		return in.Problem("deps_image", fmt.Errorf("deps image %q has no code, as it was built with a server.source: give server %q with one here as well, or write server: %s",
			in.Deps.Prebuilt.Ref, have.Name, spec.ServerNone))
	case in.Document.Spec.User.Create == spec.CreateStart:
		return in.Problem("user.create", fmt.Errorf("user.create %q does not go together with server %q of deps image %q: its hosts replace the entrypoint and would run as root; remove user.create, or write server: %s",
			spec.CreateStart, have.Name, in.Deps.Prebuilt.Ref, spec.ServerNone))
	}
	return nil
}

func isKnown(server spec.Server) bool {
	_, ok := presets()[server.Name]
	return ok
}

func insteadOf(have spec.Server) string {
	if !have.Wanted() {
		return ""
	}
	return fmt.Sprintf(", but for %q", have.Name)
}

// preset is what the images of a server have of their own. Another server is
// another file and an entry in presets.
type preset struct {
	// user fills in what the server's hosts count on and the spec leaves open.
	user func(Input, spec.User) spec.User
	// files adds files to the identity layer.
	files func(*plan, Input) error
	// source is what server.source takes of a checkout, code the layer of it.
	source checkout
	code   func(Input) llb.State
	// patch makes `docker run` start the server, and sets what the hosts of
	// OpenHands, who bring a command of their own, count on.
	patch func(Input, *imageconfig.Patch, *plan)
}

func presets() map[string]preset {
	return map[string]preset{
		spec.ServerActionExecution: {
			user: anyUser, files: actionFiles, patch: Input.patchForAction,
			source: actionSource(), code: Input.actionCode,
		},
		spec.ServerAgent: {
			user: agentUser, files: agentFiles, patch: Input.patchForAgent,
			source: agentSource(), code: Input.agentCode,
		},
	}
}

// presetOf is the preset of a server, or of none.
func presetOf(server spec.Server) preset {
	if p, ok := presets()[server.Name]; ok {
		return p
	}
	return preset{user: anyUser, files: noFiles, patch: func(Input, *imageconfig.Patch, *plan) {}}
}

func anyUser(_ Input, u spec.User) spec.User { return u }

func noFiles(*plan, Input) error { return nil }

// patchForServer adds the server's part of the config, and its label.
func (in Input) patchForServer(p *imageconfig.Patch, id *plan, server spec.Server) {
	presetOf(server).patch(in, p, id)
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
