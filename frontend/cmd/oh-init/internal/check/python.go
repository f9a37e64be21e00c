package check

import (
	"context"
	"strings"
)

// python starts the server's interpreter, and imports what is built against
// libraries of the distribution. For an image with a server it then imports
// that: a module that lacks is told here, by its name.
func (i image) python(ctx context.Context) result {
	p := i.interpreter()
	if p == "" {
		return missing("no interpreter below %s", i.root)
	}
	const script = "import sys, ssl, sqlite3, ctypes; print('Python', sys.version.split()[0] + ', ' + ssl.OPENSSL_VERSION)"
	o := i.run(ctx, i.step(), command{args: []string{p, "-c", script}, dir: i.temp})
	if text := o.problem(); text != "" {
		return pythonFailure(p, text, o)
	}
	about := oneLine(o.stdout)
	s := i.server()
	if s == nil {
		return works("%s", about)
	}
	imp := s.imports(i)
	imp.args = append([]string{p}, imp.args...)
	o = i.run(ctx, i.limit, imp)
	if text := o.problem(); text != "" {
		return pythonFailure(p, text, o)
	}
	return works("%s, imports the server", about)
}

// pythonFailure shows the last line, where a traceback has its reason.
func pythonFailure(p, text string, o outcome) result {
	remedy := remedyFor(text)
	if lines := lastLines(o.stderr, 1); len(lines) > 0 && strings.Contains(o.stderr, "Traceback") {
		text = lines[0]
		remedy = "a module that is not found belongs into the server's environment; one that cannot load lacks a library: oh-seal check names it"
	}
	if !exists(p) {
		remedy = "set OH_INTERPRETER_PATH to the interpreter of the server, or take it out of the environment"
	}
	return broken(remedy, o.output(), "%s: %s", p, text)
}
