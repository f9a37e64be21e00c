// Package check is the program oh-check. It runs inside an image, starts what
// an agent would start there, and says what works:
//
//	oh-check [--expect NAME[,NAME...]] [--timeout SECONDS] [-- SERVER COMMAND...]
//
// A row is printed as soon as it is known. The exit code is 1 if one of them
// failed, and 2 if the command line is wrong. Everything that was started is
// ended, and nothing is written but temporary files and what the image's own
// server writes into its workspace.
package check

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// root is where images have what is checked.
const root = "/openhands"

// Main is oh-check; args are what follows its name.
func Main(args []string) int {
	opt, err := parseOptions(args)
	if err != nil {
		fmt.Fprintln(os.Stderr, "oh-check:", err)
		return 2
	}
	if opt.help {
		fmt.Fprintln(os.Stdout, usage)
		return 0
	}
	temp, err := os.MkdirTemp("", "oh-check-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "oh-check: no place for temporary files: mount a tmpfs at /tmp, or set TMPDIR:", err)
		return 2
	}
	defer os.RemoveAll(temp)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()

	self, _ := os.Executable() // without it, our own names count as tools, which they start as well
	img := image{
		root: root, accounts: "/etc/passwd", shell: "/bin/bash", env: os.Environ(),
		uid: os.Getuid(), temp: temp, self: self, limit: opt.timeout,
	}
	r := newReport(os.Stdout, opt.expect)
	sweep := adoptOrphans()
	for _, c := range plan(img, opt) {
		c(ctx, r.add)
		sweep()
		if ctx.Err() != nil {
			fmt.Fprintln(os.Stderr, "oh-check: interrupted")
			return 1
		}
	}
	if r.finish() > 0 {
		return 1
	}
	return 0
}

// plan is what is checked, in this order. Cheap rows come first, so that the
// cause of a failure stands above its consequences.
func plan(img image, opt options) []check {
	checks := []check{
		row("loader", img.loader),
		row("tools", img.tools),
		row("libraries", img.libraries),
	}
	for _, name := range img.named(opt.expect) {
		if name == "tmux" {
			checks = append(checks, row(name, img.tmux))
			continue
		}
		checks = append(checks, row(name, func(ctx context.Context) result { return img.version(ctx, name) }))
	}
	return append(checks,
		row("python", img.python),
		row("chromium", img.chromium),
		row("playwright", img.playwright),
		row("vscode", img.vscode),
		serverCheck(img, opt.command),
	)
}
