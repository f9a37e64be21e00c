package check

import (
	"context"
	"strings"
	"time"
)

// sessionShell is what a session is opened with. An image without a server may lack
// the servers' shell: where nothing of a base is read, nothing that it lacks is added.
func (i image) sessionShell() string {
	if p := i.onPath("bash"); p != "" && i.server() == nil && !executable(i.shell) {
		return p
	}
	return i.shell
}

// tmux starts a session as servers do: the tmux on PATH, with a shell in it.
func (i image) tmux(ctx context.Context) result {
	p := i.onPath("tmux")
	if p == "" {
		if own := i.program("tmux"); own != "" {
			return broken("put "+i.path("bin")+" first on PATH: servers call tmux by its name", "", "%s is not on PATH", own)
		}
		return missing("no tmux on PATH")
	}
	about := i.run(ctx, i.step(), command{args: []string{p, "-V"}})
	if text := about.problem(); text != "" {
		return broken(remedyFor(text), about.output(), "%s", text)
	}
	call := func(args ...string) outcome {
		return i.run(ctx, i.step(), command{
			args: append([]string{p, "-L", "oh-check", "-f", "/dev/null"}, args...),
			env:  []string{"TMUX_TMPDIR=" + i.temp, "TMUX="},
			dir:  i.temp,
		})
	}
	defer call("kill-server")
	o := call("new-session", "-d", "-s", "check", "-x", "80", "-y", "24", i.sessionShell())
	if text := o.problem(); text != "" {
		return broken(remedyFor(text), o.output(), "new-session: %s", text)
	}
	// What is typed is on the screen as well: only the answer has the number.
	o = call("send-keys", "-t", "check", `echo "grüße-$((6*7))"`, "Enter")
	if text := o.problem(); text != "" {
		return broken("a session that ends at once has no shell: tmux needs /bin/sh and /bin/bash", o.output(), "send-keys: %s", text)
	}
	return i.session(ctx, call, oneLine(about.output()))
}

// session waits for the answer on the screen.
func (i image) session(ctx context.Context, call func(...string) outcome, about string) result {
	var o outcome
	for end := time.Now().Add(i.step()); time.Now().Before(end) && ctx.Err() == nil; time.Sleep(50 * time.Millisecond) {
		o = call("capture-pane", "-p", "-t", "check")
		if o.problem() != "" {
			break
		}
		if strings.Contains(o.stdout, "grüße-42") {
			return works("%s, UTF-8 session", about)
		}
		if strings.Contains(o.stdout, "e-42") {
			return broken("set LANG=C.UTF-8 in the image's environment", o.stdout, "the session does not speak UTF-8")
		}
	}
	if text := o.problem(); text != "" {
		return broken("a session that ends at once has no shell: tmux needs /bin/sh and /bin/bash", o.output(), "capture-pane: %s", text)
	}
	return broken("start tmux in the image and look at what its shell says", o.stdout, "the shell in the session does not answer")
}
