package spec

import (
	"fmt"
	"iter"
	"maps"
	"path"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"gopkg.in/yaml.v3"
)

// Limits of a spec, far above what a real one has. They bound what a stranger's
// file can cost, and what does not fit fails here with a place in place of later
// without one. The page docs/spec.md lists them.
const (
	// maxSize limits a spec file, in bytes. A real one has a few hundred.
	maxSize = 1 << 20
	// maxNodes limits the keys, values, lists and mappings of a file.
	maxNodes = 10_000
	// maxDepth limits how deep lists and mappings lie in each other.
	maxDepth = 100
	// maxKey limits a key, in bytes.
	maxKey = 1 << 10
	// maxValue limits a value, in bytes. Linux takes 128 KiB for one argument or
	// one variable with its name (MAX_ARG_STRLEN in execve(2)).
	maxValue = 100 << 10
	// maxTotal limits all values together, their args substituted, in bytes: an
	// arg may be used any number of times.
	maxTotal = 1 << 20
	// maxEnvironment limits the names and values of environment together, in
	// bytes: every command of extra_deps.run carries them.
	maxEnvironment = 128 << 10
	// maxCommands limits extra_deps.run. Each command is a layer, and an image
	// with more than about 125 layers does not start.
	maxCommands = 100
	// maxPath and maxName limit a path and each of its parts, in bytes: PATH_MAX,
	// which counts the NUL, and NAME_MAX of Linux.
	maxPath = 4095
	maxName = 255
	// maxRelease limits a version, in bytes: it becomes part of file names.
	maxRelease = 100
	// maxAddress limits an address of mirrors, in bytes.
	maxAddress = 2 << 10

	// maxSearch limits, in bytes times lines, the work of finding the line of a
	// syntax error.
	maxSearch = 8 << 20
	// maxShown limits what a message quotes, in characters.
	maxShown = 400
)

// fits reports whether the tree is small enough to be looked at.
func (l *loader) fits(top *yaml.Node) bool {
	count := 0
	var check func(n *yaml.Node, depth int) bool
	check = func(n *yaml.Node, depth int) bool {
		count++
		switch {
		case count > maxNodes:
			l.report("", l.src.firstLine(l.src.rangeOf(n)), "the file holds more than %d keys and values; is it the right file?", maxNodes)
			return false
		case depth > maxDepth:
			l.report("", l.src.firstLine(l.src.rangeOf(n)), "lists and mappings lie more than %d deep in each other; a spec needs 4 levels", maxDepth)
			return false
		}
		for _, child := range n.Content {
			if !check(child, depth+1) {
				return false
			}
		}
		return true
	}
	return check(top, 0)
}

// checkLimits reports what is too much of everything together.
func (l *loader) checkLimits(s *Spec) {
	total := 0
	for at, text := range textsOf(*s) {
		if total += len(text); total > maxTotal {
			l.problem(at, "the values up to %s have more than %d bytes together after substitution; use args less often", at, maxTotal)
			break
		}
	}
	environment := 0
	for name, value := range s.Environment {
		environment += len(name) + len(value) + len("=\x00")
	}
	if environment > maxEnvironment {
		l.problem("environment", "environment has %d bytes; at most %d are allowed: put data into a file", environment, maxEnvironment)
	}
	if n := len(s.ExtraDeps.Run); n > maxCommands {
		l.problem(item("extra_deps.run", maxCommands), "extra_deps.run has %d commands; at most %d are allowed, since each is a layer: join some with &&", n, maxCommands)
	}
}

// checkPathLength is for paths that the image gets.
func (l *loader) checkPathLength(key, value string) {
	long := slices.IndexFunc(strings.Split(value, "/"), func(part string) bool { return len(part) > maxName })
	switch {
	case len(value) > maxPath:
		l.problem(key, "%s %q has %d bytes; Linux takes a path of at most %d", key, value, len(value), maxPath)
	case long >= 0:
		l.problem(key, "%s %q has a part of more than %d bytes, which no file system takes", key, path.Clean(value), maxName)
	}
}

// textsOf yields every text of a spec with its path, in the order of the types.
func textsOf(s Spec) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) { yieldTexts(reflect.ValueOf(s), "", yield) }
}

func yieldTexts(v reflect.Value, at string, yield func(string, string) bool) bool {
	switch value := v.Interface().(type) {
	case string:
		return yield(at, value)
	case []string:
		for i, text := range value {
			if !yield(item(at, i), text) {
				return false
			}
		}
	case map[string]string:
		for _, key := range slices.Sorted(maps.Keys(value)) {
			if !yield(join(at, key), value[key]) {
				return false
			}
		}
	}
	if v.Kind() != reflect.Struct {
		return true
	}
	for _, f := range fieldsOf(v.Type()) {
		if !yieldTexts(v.Field(f.index), join(at, f.key), yield) {
			return false
		}
	}
	return true
}

// format words a message as one printable line in which no value takes much
// room: clients show it on a terminal.
func format(text string, args ...any) string {
	for i, arg := range args {
		if value, ok := arg.(string); ok {
			args[i] = shortened(value)
		}
	}
	return Printable(fmt.Sprintf(text, args...))
}

func shortened(text string) string {
	if len(text) <= maxShown {
		return text
	}
	if runes := []rune(text); len(runes) > maxShown {
		return string(runes[:maxShown]) + "…"
	}
	return text
}

// Printable is a text for one line of a terminal: what would move the cursor,
// change colours, end the line or turn the direction of writing is shown as an
// escape.
func Printable(text string) string {
	text = strings.ToValidUTF8(text, string(unicode.ReplacementChar))
	if !strings.ContainsFunc(text, unprintable) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if unprintable(r) {
			quoted := fmt.Sprintf("%+q", r) // '\u202e'
			b.WriteString(quoted[1 : len(quoted)-1])
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// PrintableText is a text of lines with U+FFFD for each character that a line of a
// terminal must not get; columns stay where they are.
func PrintableText(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		body, end := line, ""
		if rest, found := strings.CutSuffix(line, "\r"); found && i < len(lines)-1 {
			body, end = rest, "\r"
		}
		lines[i] = strings.Map(func(r rune) rune {
			if isControl(r) && r != '\ufeff' || turns(r) || r == '\u2028' || r == '\u2029' {
				return unicode.ReplacementChar
			}
			return r
		}, body) + end
	}
	return strings.Join(lines, "\n")
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }
