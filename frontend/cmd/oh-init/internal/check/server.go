package check

import (
	"context"
	"strconv"
	"strings"
	"time"
)

// server is a kind of server that images hold. Another kind is another file
// and an entry in servers.
type server interface {
	name() string
	found(image) bool
	// imports is what the interpreter is told to load the server's code.
	imports(image) command
	// command is how hosts start it.
	command(i image, port, vscodePort int) command
	// port reads it from a command that somebody gave.
	port(args []string) (int, bool)
	// ready says why it is not.
	ready(ctx context.Context, c client) error
	// probes are what is asked of it then, in this order.
	probes(session) []probe
}

// servers are the kinds that are known.
func servers() []server { return []server{actionServer{}, agentServer{}} }

// server is the one that the image holds, nil if there is none.
func (i image) server() server {
	for _, s := range servers() {
		if s.found(i) {
			return s
		}
	}
	return nil
}

// session is a server that is ready.
type session struct {
	image      image
	client     client
	process    *process
	command    command
	vscodePort int
}

// probe is a row about a session.
type probe struct {
	name string
	run  func(context.Context) result
}

// serverCheck starts the server. The rows about it say nothing if that fails.
func serverCheck(i image, args []string) check {
	return func(ctx context.Context, add func(result)) {
		var s session
		kind := i.server()
		row("server", func(ctx context.Context) (r result) {
			s, r = i.serve(ctx, kind, args)
			return r
		})(ctx, add)
		if kind == nil {
			return
		}
		if s.process == nil {
			for _, p := range kind.probes(s) {
				add(result{name: p.name, state: skipped, detail: "the server does not run"})
			}
			return
		}
		defer s.process.stop()
		for _, p := range kind.probes(s) {
			row(p.name, p.run)(ctx, add)
		}
	}
}

// serve returns a session only with a server that is ready.
func (i image) serve(ctx context.Context, kind server, args []string) (session, result) {
	if kind == nil {
		if args != nil {
			return session{}, broken("take the command after -- away, or check the image that has a server",
				"", "the image has no server that oh-check knows")
		}
		return session{}, missing("no server below %s", i.root)
	}
	s, r := i.plan(kind, args)
	if r.state == fail {
		return session{}, r
	}
	start := time.Now()
	proc, err := i.start(ctx, s.command)
	if err != nil {
		text := outcome{err: err}.unable()
		return session{}, broken("hosts start it by this name: "+s.command.args[0], "", "%s: %s", s.command.args[0], text)
	}
	s.process = proc
	err = proc.await(ctx, i.limit, func(ctx context.Context) error { return kind.ready(ctx, s.client) })
	if err != nil {
		proc.stop()
		return session{}, broken("start it by hand in "+s.command.dir+": "+strings.Join(s.command.args, " "),
			proc.output.String(), "%s: %v", kind.name(), err)
	}
	return s, works("%s is ready after %.0f s", kind.name(), time.Since(start).Seconds())
}

// plan settles ports and the command line.
func (i image) plan(kind server, args []string) (session, result) {
	port, err := freePort(30000)
	if err != nil {
		return session{}, broken("", "", "%v", err)
	}
	vscodePort, err := freePort(31500) // servers open a second port within 1024 of theirs
	if err != nil {
		return session{}, broken("", "", "%v", err)
	}
	s := session{image: i, command: kind.command(i, port, vscodePort), vscodePort: vscodePort}
	if args != nil {
		s.command.args = nil
		for _, arg := range args {
			s.command.args = append(s.command.args, strings.ReplaceAll(arg, "{port}", strconv.Itoa(port)))
		}
		given, found := kind.port(s.command.args)
		if !found && !strings.Contains(strings.Join(args, " "), "{port}") {
			return session{}, broken("write {port} where the port belongs", "", "the command after -- names no port")
		}
		if found {
			port = given
		}
	}
	s.client = client{port: port}
	if key := i.getenv("SESSION_API_KEY"); key != "" {
		s.client.header = []string{"X-Session-API-Key: " + key}
	}
	return s, result{}
}
