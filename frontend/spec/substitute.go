package spec

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/moby/buildkit/frontend/dockerfile/shell"
	"gopkg.in/yaml.v3"
)

// Limits, in bytes, of a value with args before and after substitution. The
// first is twice the second, so that a value that needs a backslash at every
// character can still be written.
const (
	maxTemplate    = 16 << 10
	maxSubstituted = 8 << 10
)

// substitute returns a scalar's text with its args replaced. Only text with a
// dollar sign is looked at: backslashes elsewhere are ordinary characters.
func (l *loader) substitute(n *yaml.Node, path string) (string, bool) {
	text, ok := l.literal(n, path)
	if !ok || !strings.Contains(text, "$") {
		return text, ok
	}
	if len(text) > maxTemplate {
		l.problem(path, "%s holds \"$\" and has %d bytes; at most %d are allowed", path, len(text), maxTemplate)
		return "", false
	}
	if !l.affordable(text, path) {
		return "", false
	}
	lexer := shell.NewLex('\\')
	lexer.SkipProcessQuotes = true
	result, err := lexer.ProcessWordWithMatches(text, l.args)
	if !l.matched(text, path, result.Unmatched) || !l.sameForAll(path, result.Matched) {
		return "", false
	}
	if err != nil {
		l.problem(path, "%s: %s", path, substitutionMessage(err))
		return "", false
	}
	if len(result.Result) > maxSubstituted {
		l.problem(path, "%s has %d bytes after substitution; at most %d are allowed", path, len(result.Result), maxSubstituted)
		return "", false
	}
	return result.Result, l.readable(result.Result, path)
}

// matched reports every name in the text that is no arg or has no value.
func (l *loader) matched(text, path string, unmatched map[string]struct{}) bool {
	ok := true
	for _, name := range slices.Sorted(maps.Keys(unmatched)) {
		switch {
		case l.args.valueless[name]:
			l.fail(path)
		case l.args.isDeclared(name):
			if !usedPlainly(text, name) {
				continue
			}
			l.problem(path, "%s uses the arg %q, which has no value; pass --build-arg %s=... or write ${%s:-default}", path, name, name, name)
		case !variableName.MatchString(name):
			l.problem(path, `%s holds "$%s", which names no arg; write \$ for a dollar sign`, path, name)
		default:
			l.problem(path, `%s uses the arg %q, which is not declared%s`, path, name,
				didYouMeanOr(name, l.args.options(), `; add it to args, or write \$ for a dollar sign`))
		}
		ok = false
	}
	return ok
}

// sameForAll reports args that differ from platform to platform where one value
// decides for all of them.
func (l *loader) sameForAll(path string, matched map[string]struct{}) bool {
	key, _, _ := strings.Cut(path, ".")
	key, _, _ = strings.Cut(key, "[")
	if key != "args" && key != "platforms" {
		return true
	}
	for _, name := range targetArgs {
		if _, ok := matched[name]; ok {
			l.problem(path, "%s uses %q, which differs from platform to platform, but %s are the same for all; use it in the value that needs it", path, name, key)
			return false
		}
	}
	return true
}

// usedPlainly reports whether the text uses an arg as ${NAME} or $NAME, with
// nothing that stands in for a missing value.
func usedPlainly(text, name string) bool {
	return regexp.MustCompile(`\$(\{` + name + `\}|` + name + `\b)`).MatchString(text)
}

// substitutionMessage takes the reason out of a lexer's error, which is wrapped
// with the text. The error of ${NAME:?message} is "NAME: message".
func substitutionMessage(err error) string {
	for cause := errors.Unwrap(err); cause != nil; cause = errors.Unwrap(cause) {
		err = cause
	}
	if name, _, _ := strings.Cut(err.Error(), ": "); variableName.MatchString(name) {
		return err.Error()
	}
	message := strings.TrimPrefix(err.Error(), "syntax error: ")
	if strings.ContainsRune(message, utf8.RuneError) {
		// The lexer takes the end of the text for a character.
		message = "missing '}'"
	}
	return fmt.Sprintf(`invalid substitution: %s; write \$ for a dollar sign`, message)
}
