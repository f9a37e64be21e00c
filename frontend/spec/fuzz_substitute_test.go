package spec

import (
	"regexp"
	"strings"
	"testing"
	"unicode"

	"gopkg.in/yaml.v3"
)

// FuzzSubstitute holds substitution to five rules: what comes out has no control
// character and no more than the documented bytes, the documented forms mean
// what the documentation says, escaped text comes back as it was, and a message
// is one printable line.
func FuzzSubstitute(f *testing.F) {
	for _, template := range []string{
		"plain \\ text", "$A", "${A}-${A:-x}", `\$A \\ \a`, "${B:-}", "${B:?no \n value}", "${A:+y}${A#x*}${A//b/$A}",
		"$", "${", "${}", "$5", "${A:-${A}}", "a\x1b[1m$A", "${A%%\xff}", strings.Repeat("$A", 9000),
	} {
		f.Add(template, "a\\b$c")
	}
	f.Add("${A}", "\x1b]0;x\x07")
	f.Add("${A}", strings.Repeat("a", maxSubstituted))
	f.Fuzz(func(t *testing.T, template, value string) {
		load := func(text string) (string, bool, []Problem) {
			l := &loader{src: newSource(nil), args: newArguments(nil), places: map[string]Range{}, failed: map[string]bool{}}
			l.args.names, l.args.values = []string{"A", "B"}, map[string]string{"A": value}
			result, ok := l.substitute(&yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}, "labels.x")
			return result, ok, l.problems
		}
		result, ok, problems := load(template)
		for _, p := range problems {
			if strings.ContainsFunc(p.Message, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Fatalf("message %q is not one printable line", p.Message)
			}
		}
		if !ok {
			if len(problems) == 0 {
				t.Fatal("no result and no problem")
			}
			return
		}
		if strings.ContainsFunc(result, isControl) {
			t.Fatalf("%q with A=%q has a control character: %q", template, value, result)
		}
		if strings.Contains(template, "$") && len(result) > maxSubstituted {
			t.Fatalf("%d bytes come out", len(result))
		}
		if want, documented := expand(template, map[string]string{"A": value}); documented && want != result {
			t.Fatalf("%q with A=%q is %q, want %q", template, value, result, want)
		}
		if back, ok, _ := load(escape(result)); len(result) < maxSubstituted && (!ok || back != result) {
			t.Fatalf("%q, escaped, is %q (%t)", result, back, ok)
		}
	})
}

var documentedForm = regexp.MustCompile(`^(?:\$([A-Za-z_][A-Za-z0-9_]*)|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^$}{\\]*))?\}|\\([^\n])|([^$\\]+))`)

// expand is the documentation of args in values, for texts of its forms alone.
func expand(text string, args map[string]string) (result string, documented bool) {
	if !strings.Contains(text, "$") {
		return text, true
	}
	for text != "" {
		m := documentedForm.FindStringSubmatch(text)
		if m == nil {
			return "", false
		}
		text = text[len(m[0]):]
		value := args[m[1]+m[2]]
		if value == "" {
			value = m[3]
		}
		result += value + m[4] + m[5]
	}
	return result, true
}
