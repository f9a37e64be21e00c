package spec

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// Args that every spec has, for the images of the same key. BaseImageArg is the one
// that differs from build to build.
const (
	BaseImageArg = "BASE_IMAGE"
	depsImageArg = "DEPS_IMAGE"
)

// RuntimeImageRepo is a build arg that any build takes: the repository that the
// image gets its names in.
const RuntimeImageRepo = "RUNTIME_IMAGE_REPO"

// maxArg limits the value of an arg, in bytes: args may be used in each other,
// and few lines could otherwise make a value of any size.
const maxArg = 4 << 10

var (
	imageArgs = []string{BaseImageArg, depsImageArg}

	// targetArgs and builderArgs are the platform args of a Dockerfile. Whoever
	// calls [Load] gives them their values, those of one platform.
	targetArgs   = []string{"TARGETPLATFORM", "TARGETOS", "TARGETARCH", "TARGETVARIANT"}
	builderArgs  = []string{"BUILDPLATFORM", "BUILDOS", "BUILDARCH", "BUILDVARIANT"}
	platformArgs = slices.Concat(targetArgs, builderArgs)
	// clientArgs are set by clients for every build, so that no spec need
	// declare them.
	clientArgs = []string{"HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY", "SOURCE_DATE_EPOCH"}

	variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	mention      = regexp.MustCompile(`\$\{?[#!]?([A-Za-z_][A-Za-z0-9_]*)`)
)

// arguments are the args of one spec with their values. It is the environment
// that BuildKit's shell lexer substitutes from.
type arguments struct {
	build     map[string]string // the request's build args
	names     []string          // declared, in file order
	values    map[string]string // of the declared and the predeclared ones
	valueless map[string]bool   // declared, but without a value; reported already
	used      map[string]bool
	costs     int               // of all substitutions so far
	comments  map[string]string // of the declared ones, see outline.go
	defaults  map[string]string // as the file has them
}

func newArguments(build map[string]string) *arguments {
	a := &arguments{
		build:     build,
		values:    map[string]string{},
		valueless: map[string]bool{},
		used:      map[string]bool{},
		comments:  map[string]string{},
		defaults:  map[string]string{},
	}
	for _, name := range slices.Concat(imageArgs, platformArgs) {
		if value, ok := a.given(name); ok {
			a.values[name] = value
		}
	}
	return a
}

// given returns the build arg of the request. An empty image arg counts as not
// given: bake passes an unset variable as "".
func (a *arguments) given(name string) (string, bool) {
	value, ok := a.build[name]
	return value, ok && (value != "" || !slices.Contains(imageArgs, name))
}

// Get returns the value of an arg and notes that it is used.
func (a *arguments) Get(name string) (string, bool) {
	a.used[name] = true
	value, ok := a.values[name]
	return value, ok
}

// Keys lists the args that have a value.
func (a *arguments) Keys() []string {
	return slices.Sorted(maps.Keys(a.values))
}

// declared returns the declared args with their values, nil without any.
func (a *arguments) declared() map[string]string {
	if a.names == nil {
		return nil
	}
	values := map[string]string{}
	for _, name := range a.names {
		values[name] = a.values[name]
	}
	return values
}

func (a *arguments) isDeclared(name string) bool {
	return slices.Contains(a.options(), name)
}

// options lists the names that a value may use.
func (a *arguments) options() []string {
	return slices.Concat(a.names, imageArgs, platformArgs)
}

// usesTarget reports whether an arg is used that has a value for each platform.
func (a *arguments) usesTarget() bool {
	return slices.ContainsFunc(targetArgs, func(name string) bool { return a.used[name] })
}

// use notes that a text mentions args, without substituting them.
func (a *arguments) use(text string) {
	for _, name := range mentions(text, a.values) {
		a.used[name] = true
	}
}

// mentions lists the args with a value that a text mentions, sorted.
func mentions(text string, values map[string]string) []string {
	var names []string
	for _, match := range mention.FindAllStringSubmatch(text, -1) {
		if _, ok := values[match[1]]; ok {
			names = append(names, match[1])
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// declareArgs reads the args key, wherever it stands: every other value may use
// the args.
func (l *loader) declareArgs(top *yaml.Node) {
	for i := 0; i+1 < len(top.Content); i += 2 {
		if key := top.Content[i]; key.Kind != yaml.ScalarNode || key.Value != "args" {
			continue
		}
		n := top.Content[i+1]
		l.place("args", n)
		switch {
		case !l.plainNode(n, "args"):
		case isNull(n):
			l.problem("args", "args has no value; give it one or remove the key")
		case n.Kind != yaml.MappingNode:
			l.problem("args", "args must be a mapping of names to default values, is %s; write it as {NAME: default}", kindOf(n))
		default:
			l.args.names = []string{}
			for _, e := range l.entries(n, "args") {
				l.declareArg(e)
			}
		}
		return
	}
}

func (l *loader) declareArg(e entry) {
	l.place(e.path, e.value)
	if slices.Contains(platformArgs, e.name) {
		l.report(e.path, l.src.rangeOf(e.key), "arg %q is always there, with the value of the platform; remove it, or choose another name", e.name)
		return
	}
	if !variableName.MatchString(e.name) {
		l.report(e.path, l.src.rangeOf(e.key), "arg name %q must consist of letters, digits and _, and not begin with a digit", e.name)
		return
	}
	value, ok := l.argValue(e)
	if ok && len(value) > maxArg {
		l.problem(e.path, "arg %q has a value of %d bytes; at most %d are allowed", e.name, len(value), maxArg)
		ok = false
	}
	// The arg exists from here on: its default cannot use the arg itself.
	l.args.names = append(l.args.names, e.name)
	l.args.note(e)
	l.args.valueless[e.name] = !ok
	if ok {
		l.args.values[e.name] = value
	}
}

// argValue returns the value of the request, or else the default.
func (l *loader) argValue(e entry) (string, bool) {
	given, ok := l.args.given(e.name)
	switch {
	case !ok && isNull(e.value):
		l.problem(e.path, "arg %q has no value; pass --build-arg %s=... or give it a default", e.name, e.name)
		return "", false
	case !ok:
		return l.scalar(e.value, e.path)
	case !isNull(e.value) && (!l.plainNode(e.value, e.path) || e.value.Kind != yaml.ScalarNode):
		return l.scalar(e.value, e.path)
	}
	l.args.use(e.value.Value)
	return given, l.readable(given, e.path)
}

// argWarnings tells which args and build args have no effect.
func (l *loader) argWarnings() []Problem {
	var warnings []Problem
	warn := func(path, text string, args ...any) {
		warnings = append(warnings, NewProblem(path, l.rangeOf(path), text, args...))
	}
	for _, name := range l.args.names {
		if !l.args.used[name] {
			warn("args."+name, "arg %q is declared but not used; use ${%s} in a value or remove it", name, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(l.args.build)) {
		key, predeclared := strings.ToLower(name), slices.Contains(imageArgs, name)
		switch {
		case slices.Contains(l.args.names, name), isClientArg(name):
		case !predeclared:
			warn("", "build arg %q is not declared%s", name, didYouMeanOr(name, append(l.args.options(), RuntimeImageRepo), "; add it to args or leave it out"))
		case !l.args.used[name] && l.args.values[name] != "":
			warn(key, "build arg %q is not used: %s is fixed; write %s: ${%s}", name, key, key, name)
		}
	}
	return warnings
}

func isClientArg(name string) bool {
	return slices.Contains(clientArgs, strings.ToUpper(name)) || name == RuntimeImageRepo ||
		slices.Contains(platformArgs, name) ||
		strings.HasPrefix(name, "BUILDKIT_")
}
