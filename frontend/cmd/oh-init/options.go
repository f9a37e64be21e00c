package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/openhands/llb-frontend/llb/identity"
)

const usage = "usage: oh-init [--create NAME [--uid N] [--gid N] [--home DIR] [--shell PATH]] [--] COMMAND [ARG...]"

// options are what the init is called with.
type options struct {
	create  bool
	want    identity.Want // with create
	command []string
}

// parseOptions reads flags up to the first argument that is none, or "--".
func parseOptions(args []string, env environ) (options, error) {
	var opt options
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		flag := args[0]
		args = args[1:]
		if flag == "--" {
			break
		}
		name, value, given := strings.Cut(flag, "=")
		if !given && len(args) > 0 {
			value, args = args[0], args[1:]
		}
		if err := opt.set(name, value); err != nil {
			return options{}, err
		}
	}
	opt.command = args
	if !opt.create {
		if opt.want != (identity.Want{}) {
			return options{}, fmt.Errorf("--uid, --gid, --home and --shell describe the account of --create: add --create NAME; %s", usage)
		}
		return opt, nil
	}
	if err := opt.override(env); err != nil {
		return options{}, err
	}
	// Without an account to contradict it, only what is invalid is refused.
	_, _, err := identity.Edit(identity.Files{}, opt.want)
	return opt, err
}

func (opt *options) set(name, value string) (err error) {
	switch name {
	case "--create":
		opt.create, opt.want.Name = true, value
	case "--uid":
		opt.want.UID, err = parseID(name, value)
	case "--gid":
		opt.want.GID, err = parseID(name, value)
	case "--home":
		opt.want.Home = value
	case "--shell":
		opt.want.Shell = value
	default:
		return fmt.Errorf("no flag is called %q: put -- before a command that begins with '-'; %s", name, usage)
	}
	if err == nil && value == "" {
		return fmt.Errorf("flag %s has no value: give one behind it; %s", name, usage)
	}
	return err
}

// override takes ids from the environment: who runs an image knows whose the
// mounted files are, who builds it does not.
func (opt *options) override(env environ) (err error) {
	if value := env.get("OH_UID"); value != "" {
		if opt.want.UID, err = parseID("OH_UID", value); err != nil {
			return err
		}
	}
	if value := env.get("OH_GID"); value != "" {
		opt.want.GID, err = parseID("OH_GID", value)
	}
	return err
}

// parseID refuses the highest number too: it means "no change" to the kernel.
func parseID(name, value string) (*uint32, error) {
	n, err := strconv.ParseUint(value, 10, 32)
	if err != nil || n == math.MaxUint32 {
		return nil, fmt.Errorf("%s is %q: use a number from 0 to %d", name, value, uint32(math.MaxUint32-1))
	}
	id := uint32(n)
	return &id, nil
}
