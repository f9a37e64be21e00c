package llb

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"

	"github.com/openhands/llb-frontend/frontend/spec"
	"github.com/openhands/llb-frontend/llb/deps"
	"github.com/openhands/llb-frontend/llb/identity"
	"github.com/openhands/llb-frontend/llb/imageconfig"
)

const (
	workspace  = "/workspace"
	sudoersDir = "/etc/sudoers.d"
	sudo       = "/usr/bin/sudo"

	// numericHome is the home of a numeric user without an account. It is a
	// fresh top-level name, so nothing has to be known of the base.
	numericHome = "/openhands-home"
)

// plan is what the identity layer does to a base.
type plan struct {
	account identity.Account
	// user is the image config's USER.
	user string
	// home is the image config's HOME, "" where /etc/passwd gives it.
	home     string
	layer    *layer
	warnings []spec.Problem
}

// planIdentity makes the user, the home, the workspace and the fill-ins: from
// facts about the base, edited here, so that nothing is run on it.
func planIdentity(in Input, server spec.Server) (*plan, error) {
	p := &plan{layer: newLayer(in)}
	preset := presetOf(server)
	u := preset.user(in, in.Document.Spec.User)
	steps := []struct {
		path string
		do   func(Input, spec.User) error
	}{
		{"user", p.addAccount},
		{"user.home", p.addHome},
		{"working_dir", p.addWorkspace},
		{"user.sudo", p.addSudo},
		{"base_image", p.addFillIns},
	}
	for _, s := range steps {
		if err := s.do(in, u); err != nil {
			return nil, in.Problem(s.path, err)
		}
	}
	if err := preset.files(p, in); err != nil {
		return nil, in.Problem("base_image", err)
	}
	return p, nil
}

func (p *plan) addAccount(in Input, u spec.User) error {
	switch {
	case u.IsNumeric():
		p.account, p.user = numericAccount(u)
		return nil
	case u.IsRoot():
		// By number: a base without /etc/passwd knows no name.
		p.account, p.user = identity.Account{Name: "root", Home: "/root"}, "0"
		return nil
	case u.Create == spec.CreateStart:
		p.account, p.user = accountAtStart(u), "0"
		return nil
	}
	account, changed, err := identity.Edit(in.Facts.Accounts, want(u))
	if err != nil {
		return err
	}
	p.account, p.user = account, u.Name
	files := []struct {
		path string
		mode fs.FileMode
		data []byte
	}{
		{"/etc/passwd", 0o644, changed.Passwd},
		{"/etc/group", 0o644, changed.Group},
		{"/etc/shadow", 0o640, changed.Shadow},
		{"/etc/gshadow", 0o640, changed.GShadow},
	}
	for _, f := range files {
		if f.data == nil {
			continue
		}
		if err := p.layer.write(f.path, owned{mode: f.mode}, f.data); err != nil {
			return err
		}
	}
	return nil
}

// numericAccount follows `docker run --user N`: without a gid and without an
// account the group is root's, so group 0 may write what is the user's.
func numericAccount(u spec.User) (identity.Account, string) {
	a := identity.Account{UID: *u.UID, Home: u.Home}
	user := strconv.FormatUint(uint64(a.UID), 10)
	if u.GID != nil {
		a.GID = *u.GID
		user += ":" + strconv.FormatUint(uint64(a.GID), 10)
	}
	if a.Home == "" {
		a.Home = numericHome
	}
	return a, user
}

func want(u spec.User) identity.Want {
	return identity.Want{Name: u.Name, UID: u.UID, GID: u.GID, Home: u.Home, Shell: u.Shell}
}

// wantedHome is the home that the user will have, as far as the base's
// accounts decide it; "" where it has none or Edit will refuse it.
func wantedHome(s *spec.Spec, accounts identity.Files) string {
	u := s.User
	switch {
	case u.IsNumeric():
		a, _ := numericAccount(u)
		return a.Home
	case u.IsRoot():
		return u.Home
	}
	a, _, err := identity.Edit(accounts, want(u))
	if err != nil {
		return ""
	}
	return a.Home
}

// addHome makes the home. One that the base has keeps its mode, and the home
// of an account of the base is the base's own business.
func (p *plan) addHome(in Input, u spec.User) error {
	home := p.account.Home
	if u.IsRoot() && u.Home == "" || u.Create == spec.CreateStart {
		return nil
	}
	// Without an account nothing else says where the home is, and a base's own
	// ENV HOME would win over /etc/passwd.
	if u.IsNumeric() || u.IsRoot() || imageconfig.HasEnv(in.Base.Config, "HOME") {
		p.home = home
	}
	if p.account.Existed && p.layer.facts.exists(home) {
		return nil
	}
	return p.layer.dir(home, p.owned())
}

// addWorkspace makes /workspace the user's, always: servers write there. Group
// 0 may write as well: hosts that pick a uid of their own (OpenShift does) run it
// in that group. A working directory elsewhere is made only where the base lacks
// it.
func (p *plan) addWorkspace(in Input, _ spec.User) error {
	if err := p.layer.dir(workspace, owned{mode: 0o775, uid: int(p.account.UID)}); err != nil {
		return err
	}
	dir := in.Document.Spec.WorkingDir
	if dir == workspace || p.layer.facts.exists(dir) {
		return nil
	}
	return p.layer.dir(dir, p.owned())
}

func (p *plan) owned() owned {
	o := owned{mode: 0o755, uid: int(p.account.UID), gid: int(p.account.GID)}
	if p.account.GID == 0 && p.account.UID != 0 {
		o.mode = 0o775
	}
	return o
}

func (p *plan) addSudo(in Input, u spec.User) error {
	if !u.Sudo {
		return nil
	}
	if !p.layer.facts.exists(sudo) {
		p.warnings = append(p.warnings, in.problem("user.sudo",
			fmt.Sprintf("base image %q has no sudo: the rule is written, but the user cannot become root until sudo is installed (extra_deps.packages: [sudo])", in.Base.Ref)))
	}
	if !p.layer.facts.exists(sudoersDir) {
		if err := p.layer.dir(sudoersDir, owned{mode: 0o750}); err != nil {
			return err
		}
	}
	return p.layer.write(sudoersDir+"/openhands", owned{mode: 0o440}, identity.Sudoers(p.account.Name))
}

// component is the identity layer, or nothing where the base lacks nothing.
func (p *plan) component(in Input) []deps.Component {
	if p.layer.file == nil {
		return nil
	}
	text := "add " + workspace
	if p.account.Name != "" && p.account.Name != "root" && in.Document.Spec.User.Create != spec.CreateStart {
		text = "add user " + p.account.Name + ", its home and " + workspace
	}
	return []deps.Component{{
		Name:  "identity",
		State: p.layer.state(in.Created, in.Step("identity", "user", text)),
	}}
}

// Problem is an error that the user finds at a key of the spec.
func (in Input) Problem(path string, err error) *spec.Error {
	return &spec.Error{
		Filename: in.Document.Filename,
		Problems: in.problems(path, err),
	}
}

// problems takes joined errors apart, and lets those of the account say which
// of its keys they are about.
func (in Input) problems(path string, err error) []spec.Problem {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []spec.Problem
		for _, e := range joined.Unwrap() {
			all = append(all, in.problems(path, e)...)
		}
		return all
	}
	if ie := new(identity.Error); errors.As(err, &ie) {
		path = "user." + ie.Key
	}
	return []spec.Problem{in.problem(path, err.Error())}
}

func (in Input) problem(path, message string) spec.Problem {
	return spec.Problem{Path: path, Range: in.Document.Range(path), Message: spec.Printable(message)}
}
