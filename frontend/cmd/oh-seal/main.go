// Oh-seal makes the lib and tools components of /openhands from a Debian or
// Ubuntu distribution. It runs as root inside a builder image, without a
// shell, and executes nothing of the target architecture:
//
//	oh-seal lib   --arch amd64 --out /out
//	oh-seal tools --arch amd64 --lib /lib-component --out /out PACKAGE...
//	oh-seal check --arch amd64 DIR...
//	oh-seal version
//
// lib and tools write /openhands below --out and nothing else there; a failed
// run leaves nothing behind.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/openhands/llb-frontend/llb/seal"
)

// version counts changes of what oh-seal writes. It is no release number: the
// helper's bytes are part of the cache key of every deps image, and must not
// change with each release of the frontend.
const version = "2"

const usage = `usage: oh-seal lib   --arch ARCH --out DIR [--apt-cache DIR]
       oh-seal tools --arch ARCH --out DIR --lib DIR [--apt-cache DIR] PACKAGE...
       oh-seal check --arch ARCH DIR...
       oh-seal version`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "oh-seal:", err)
		stop()
		os.Exit(1)
	}
}

// options are the flags and arguments of lib, tools and check.
type options struct {
	arch     seal.Arch
	out      string
	lib      string
	aptCache string
	args     []string
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	if len(args) == 0 {
		return errors.New(usage)
	}
	command, args := args[0], args[1:]
	if command == "version" {
		_, err := fmt.Fprintln(stdout, version)
		return err
	}
	opt, err := parseOptions(command, args)
	if err != nil {
		return err
	}
	say := func(format string, args ...any) { fmt.Fprintf(stdout, format+"\n", args...) }
	switch command {
	case "lib":
		return makeComponent(ctx, opt, libPackages(), say, placeLib)
	case "tools":
		return makeComponent(ctx, opt, opt.args, say, placeTools)
	default:
		return checkTree(opt.arch, opt.args)
	}
}

func parseOptions(command string, args []string) (options, error) {
	var opt options
	flags := flag.NewFlagSet("oh-seal "+command, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	arch := flags.String("arch", "", "target architecture: amd64 or arm64")
	switch command {
	case "lib", "tools":
		flags.StringVar(&opt.out, "out", "", "directory that gets /openhands")
		flags.StringVar(&opt.aptCache, "apt-cache", "", "directory that keeps downloaded packages")
		if command == "tools" {
			flags.StringVar(&opt.lib, "lib", "", "root of the lib component")
		}
	case "check":
	default:
		return opt, fmt.Errorf("unknown command %q\n%s", command, usage)
	}
	if err := flags.Parse(args); err != nil {
		return opt, fmt.Errorf("%w\n%s", err, usage)
	}
	opt.args = flags.Args()
	var err error
	if opt.arch, err = seal.ArchByName(*arch); err != nil {
		return opt, fmt.Errorf("--arch: %w", err)
	}
	switch {
	case command != "check" && opt.out == "":
		return opt, fmt.Errorf("%s: --out is missing\n%s", command, usage)
	case command == "tools" && opt.lib == "":
		return opt, fmt.Errorf("tools: --lib is missing\n%s", usage)
	case command == "lib" && len(opt.args) > 0:
		return opt, fmt.Errorf("lib takes no packages, got %q", opt.args)
	case command != "lib" && len(opt.args) == 0:
		return opt, fmt.Errorf("%s: nothing to do, name at least one argument\n%s", command, usage)
	}
	return opt, nil
}
