package main

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/openhands/llb-frontend/llb/identity"
)

func initMain(r root, args []string) int {
	events := listen() // before all else: a signal that comes early must not end us
	fail := func(code int, err error) int {
		say("oh-init", err)
		return code
	}
	env := environ(os.Environ())
	opt, err := parseOptions(args, env)
	if err != nil {
		return fail(exitSelf, err)
	}
	if len(opt.command) == 0 {
		return fail(exitNotFound, errors.New("no command to start: give one in the image's command, or behind the image's name"))
	}
	var cred *syscall.Credential
	switch {
	case opt.create && os.Geteuid() == 0:
		cred, env = becomeAccount(r, opt.want, env)
	case opt.create:
		say("oh-init", fmt.Errorf("account %q not made, going on as uid %d: --create needs root, so start the container as user 0, or make the account when the image is built",
			opt.want.Name, os.Geteuid()))
		env = withHome(r, self(), env)
	case os.Geteuid() != 0:
		env = withHome(r, self(), env)
	}
	env, note, err := withKey(r, opt.command, env)
	if err != nil {
		return fail(exitSelf, err)
	}
	if note != nil {
		say("oh-init", note)
	}
	path, err := find(opt.command[0], searchPath(env))
	if err != nil {
		return fail(exitCode(err), err)
	}
	child, err := start(path, opt.command, env, cred)
	if errors.Is(err, errNotDropped) {
		return fail(exitSelf, err)
	}
	if err != nil {
		return fail(exitCode(err), err)
	}
	return child.supervise(events)
}

// becomeAccount makes the account and returns what its command runs with. What
// could not be made is said; the ids are the wanted ones all the same.
func becomeAccount(r root, want identity.Want, env environ) (*syscall.Credential, environ) {
	account, groups, problems := createAccount(r, want)
	for _, err := range problems {
		say("oh-init", err)
	}
	env = env.with("HOME", account.Home).with("USER", account.Name).with("LOGNAME", account.Name)
	who := owner{uid: account.UID, gid: account.GID, groups: groups}
	cred := &syscall.Credential{Uid: account.UID, Gid: account.GID, Groups: groups}
	if account.UID == 0 {
		return cred, env
	}
	return cred, withHome(r, who, env)
}

// withHome gives the command a HOME that it can write.
func withHome(r root, who owner, env environ) environ {
	have := env.get("HOME")
	home, err := chooseHome(r, who, have)
	if err != nil {
		say("oh-init", err)
		return env
	}
	if home == have {
		return env
	}
	say("oh-init", fmt.Errorf("HOME is %q, which uid %d cannot write: it is %q now; set HOME, or give the image a user by name, to choose another", have, who.uid, home))
	return env.with("HOME", home)
}
