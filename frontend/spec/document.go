package spec

import (
	"strings"

	"gopkg.in/yaml.v3"
)

// Document is a spec file that was read without a problem.
type Document struct {
	Filename string
	Data     []byte
	Spec     Spec
	// Args holds the declared args with their values, and those that every spec
	// has (BASE_IMAGE, TARGETARCH and the like) where the request gives them.
	Args map[string]string
	// Warnings are args and build args without effect, in file order.
	Warnings []Problem

	loader *loader
	// standIns are args that LoadOutline has given a value.
	standIns map[string]bool
}

// Load parses, substitutes, defaults and validates one spec file. buildArgs are
// the --build-arg values of the request, and the platform args (TARGETARCH and
// the like) of the platform that the document is for. The error is an *[Error]
// with every problem, in file order.
func Load(filename string, data []byte, buildArgs map[string]string) (*Document, error) {
	d, _, err := load(filename, data, buildArgs)
	return d, err
}

func load(filename string, data []byte, buildArgs map[string]string) (*Document, *loader, error) {
	l := &loader{
		src:    newSource(data),
		args:   newArguments(buildArgs),
		places: map[string]Range{},
		failed: map[string]bool{},
	}
	d := &Document{Filename: filename, Data: data, loader: l}
	if top, ok := l.parse(data); ok && (top == nil || l.decode(top, &d.Spec)) {
		l.setDefaults(&d.Spec)
		l.validate(&d.Spec)
	}
	if len(l.problems) > 0 {
		sortProblems(l.problems)
		return nil, l, &Error{Filename: filename, Problems: l.problems}
	}
	for _, command := range d.Spec.ExtraDeps.Run {
		l.args.use(command)
	}
	d.Args = l.args.values
	d.Warnings = l.argWarnings()
	sortProblems(d.Warnings)
	return d, l, nil
}

// Range returns the place of the value at a path such as "deps.tools[2]" or
// "user.uid". For a value that is not in the file it is the first line of the
// nearest mapping that is; for an empty file, and for a Document that does not
// come from Load, the file's start.
func (d *Document) Range(path string) Range {
	if d.loader == nil {
		return fileStart
	}
	return d.loader.rangeOf(path)
}

// Given reports whether the file itself has a value at a path.
func (d *Document) Given(path string) bool {
	return d.loader != nil && d.loader.given(path)
}

// PerPlatform reports whether the document would be another one for another
// platform: whether a value or a command uses TARGETARCH or the like.
func (d *Document) PerPlatform() bool {
	return d.loader != nil && d.loader.args.usesTarget()
}

// RunArgs returns "NAME=value" for each arg that extra_deps.run[i] mentions,
// sorted by name.
func (d *Document) RunArgs(i int) []string {
	names := mentions(d.Spec.ExtraDeps.Run[i], d.Args)
	env := make([]string, len(names))
	for i, name := range names {
		env[i] = name + "=" + d.Args[name]
	}
	return env
}

// loader is the state of one Load.
type loader struct {
	src      source
	args     *arguments
	places   map[string]Range // of every value, by its path
	problems []Problem
	failed   map[string]bool // paths with a problem, and those around them
}

func (l *loader) place(path string, n *yaml.Node) {
	l.places[path] = l.src.rangeOf(n)
}

// given reports whether the file has a value at the path.
func (l *loader) given(path string) bool {
	_, ok := l.places[path]
	return ok
}

// rangeOf returns a value's place, or the first line of the nearest mapping or
// list around it.
func (l *loader) rangeOf(path string) Range {
	if place, ok := l.places[path]; ok {
		return place
	}
	for path != "" {
		path = parent(path)
		if place, ok := l.places[path]; ok {
			return l.src.firstLine(place)
		}
	}
	return fileStart
}

// report adds a problem at any place.
func (l *loader) report(path string, at Range, text string, args ...any) {
	l.problems = append(l.problems, NewProblem(path, at, text, args...))
}

// problem adds a problem of the value at a path, unless it, or a part of it,
// has one already: a value is not blamed twice for one mistake.
func (l *loader) problem(path, text string, args ...any) {
	if l.broken(path) {
		return
	}
	l.fail(path)
	l.report(path, l.rangeOf(path), text, args...)
}

// broken reports whether the value at a path, or a part of it, has a problem.
func (l *loader) broken(path string) bool {
	return l.failed[path]
}

func (l *loader) fail(path string) {
	for ; path != "" && !l.failed[path]; path = parent(path) {
		l.failed[path] = true
	}
}

// parent returns the path around a path, "" around a top-level key.
func parent(path string) string {
	return path[:max(strings.LastIndexAny(path, ".["), 0)]
}
