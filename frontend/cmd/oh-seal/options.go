package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"

	"github.com/openhands/llb-frontend/llb/seal"
)

const usage = `usage: oh-seal lib    --arch ARCH --out DIR [--apt-cache DIR]
       oh-seal tools  --arch ARCH --out DIR --lib DIR [--apt-cache DIR] PACKAGE...
       oh-seal unpack --arch ARCH --out DIR [--apt-cache DIR] PACKAGE...
       oh-seal adopt  --arch ARCH --out DIR --lib DIR [--lib DIR...] [--from DIR]
       oh-seal check  --arch ARCH DIR...
       oh-seal fetch  --sha256 HEX --out FILE ADDRESS
       oh-seal digest --out FILE ADDRESS
       oh-seal snapshot --arch ARCH --out FILE
       oh-seal secrets
       oh-seal hint   ADDRESS...
       oh-seal version
       oh-seal [--arch ARCH] PATH...`

// options are the command, its flags and its arguments.
type options struct {
	command  string // "" to seal the programs below args
	arch     seal.Arch
	out      string
	libs     []string // roots of the components below, the lowest first
	from     string
	aptCache string
	sha256   string
	args     []string
}

// command describes a command: the flags that it needs and may have, and what
// its arguments are.
type command struct {
	needs, takes []string
	args         string
}

func commandByName(name string) (command, bool) {
	switch name {
	case "lib":
		return command{needs: []string{"arch", "out"}, takes: []string{"apt-cache"}}, true
	case "tools":
		return command{needs: []string{"arch", "out", "lib"}, takes: []string{"apt-cache"}, args: "PACKAGE"}, true
	case "unpack":
		return command{needs: []string{"arch", "out"}, takes: []string{"apt-cache"}, args: "PACKAGE"}, true
	case "adopt":
		return command{needs: []string{"arch", "out", "lib"}, takes: []string{"from"}}, true
	case "check":
		return command{needs: []string{"arch"}, args: "DIR"}, true
	case "fetch":
		return command{needs: []string{"sha256", "out"}, args: "ADDRESS"}, true
	case "digest":
		return command{needs: []string{"out"}, args: "ADDRESS"}, true
	case "snapshot":
		return command{needs: []string{"arch", "out"}}, true
	case "hint":
		return command{args: "ADDRESS"}, true
	case "secrets", "version":
		return command{}, true
	}
	return command{takes: []string{"arch"}, args: "PATH"}, false
}

func parseOptions(args []string) (options, error) {
	if len(args) == 0 {
		return options{}, fmt.Errorf("no command\n%s", usage)
	}
	var opt options
	c, named := commandByName(args[0])
	if named {
		opt.command, args = args[0], args[1:]
	}
	flags := flag.NewFlagSet("oh-seal", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	for _, name := range slices.Concat(c.needs, c.takes) {
		flags.Func(name, "", func(value string) error { return opt.set(name, value) })
	}
	if err := flags.Parse(args); err != nil {
		return opt, fmt.Errorf("%w\n%s", err, usage)
	}
	opt.args = flags.Args()
	given := map[string]bool{}
	flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
	for _, name := range c.needs {
		if !given[name] {
			return opt, fmt.Errorf("%s: --%s is missing\n%s", opt.command, name, usage)
		}
	}
	switch {
	case c.args == "" && len(opt.args) > 0:
		return opt, fmt.Errorf("%s takes no arguments, got %q", opt.command, opt.args)
	case c.args != "" && len(opt.args) == 0:
		return opt, fmt.Errorf("nothing to do, name at least one %s\n%s", c.args, usage)
	case (opt.command == "fetch" || opt.command == "digest") && len(opt.args) > 1:
		return opt, fmt.Errorf("%s takes one address, got %q", opt.command, opt.args)
	}
	return opt, nil
}

func (opt *options) set(name, value string) error {
	if value == "" {
		return errors.New("the value is empty")
	}
	var err error
	switch name {
	case "arch":
		opt.arch, err = seal.ArchByName(value)
	case "out":
		opt.out = value
	case "lib":
		opt.libs = append(opt.libs, value)
	case "from":
		opt.from = value
	case "apt-cache":
		opt.aptCache = value
	case "sha256":
		opt.sha256 = value
	}
	return err
}

// archs are the architectures whose programs are sealed: without --arch all,
// so that the outcome does not depend on the machine.
func (opt options) archs() ([]seal.Arch, error) {
	if opt.arch.Name != "" {
		return []seal.Arch{opt.arch}, nil
	}
	var archs []seal.Arch
	for _, name := range []string{"amd64", "arm64"} {
		arch, err := seal.ArchByName(name)
		if err != nil {
			return nil, err
		}
		archs = append(archs, arch)
	}
	return archs, nil
}
