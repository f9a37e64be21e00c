// Oh-seal makes the components of /openhands from a Debian or Ubuntu
// distribution. It runs as root inside a builder image, without a shell, and
// executes nothing of the target architecture:
//
//	oh-seal lib    --arch amd64 --out /out
//	oh-seal tools  --arch amd64 --out /out --lib /lib-component PACKAGE...
//	oh-seal unpack --arch amd64 --out /root PACKAGE...
//	oh-seal adopt  --arch amd64 --out /out --lib /lib-component --from /root
//	oh-seal check  --arch amd64 DIR...
//	oh-seal fetch  --sha256 HEX --out /out/file https://...
//	oh-seal digest --out /out/digest https://...
//	oh-seal snapshot --arch amd64 --out /out/snapshot
//	oh-seal secrets
//	oh-seal version
//
// lib and tools write /openhands below --out and nothing else there; a failed
// run leaves nothing behind. unpack and adopt are for components that lay out
// /openhands themselves: the one makes a root to take files from, the other
// seals what lies below --out and adds the libraries that it lacks. fetch and
// secrets are for networks that want certificates and passwords: the one
// downloads a file of a known digest, the other gives every tool its part of the
// secrets that the build's client has handed over. digest and snapshot look up what
// a lock file says: the digest of a file, and whether apt has packages of a time.
//
// People seal programs that came later, wherever they are:
//
//	oh-seal PATH...
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// version counts changes of what oh-seal writes. It is no release number: the
// helper's bytes are part of the cache key of every deps image, and must not
// change with each release of the frontend.
const version = "3"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "oh-seal:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	opt, err := parseOptions(args)
	if err != nil {
		return err
	}
	say := func(format string, args ...any) { fmt.Fprintf(stdout, format+"\n", args...) }
	switch opt.command {
	case "version":
		say("%s", version)
		return nil
	case "lib":
		return makeComponent(ctx, opt, libPackages(), say, placeLib)
	case "tools":
		return makeComponent(ctx, opt, opt.args, say, placeTools)
	case "unpack":
		return unpackPackages(ctx, opt, say)
	case "adopt":
		return adopt(opt, say)
	case "snapshot":
		return trySnapshot(ctx, opt, say)
	case "fetch", "digest":
		return download(ctx, builds(), opt, pause, say)
	case "secrets":
		return prepareSecrets(builds(), os.Getenv)
	case "hint":
		return hints(ctx, builds(), opt.args, say)
	case "check":
		return checkCommand(opt.arch, opt.args)
	default:
		archs, err := opt.archs()
		if err != nil {
			return err
		}
		return sealPrograms(archs, opt.args, say)
	}
}
