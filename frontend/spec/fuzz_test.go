package spec

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode"
)

// FuzzLoad holds Load to these rules: it never panics, an accepted spec survives
// Marshal and Load unchanged and is within the limits, every problem lies inside
// the file and is one printable line, and problems are in file order.
func FuzzLoad(f *testing.F) {
	names, err := filepath.Glob("../../examples/*/openhands.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, "", "")
	}
	f.Add([]byte(rangeSpec), "A", "1")
	f.Add([]byte("args: {A: , B: '$A${A#x*}'}\nbase_image: ${B:-debian}\nlabels: {a: '\\$\\\\${A//b/$B}<< x'}\n"), "A", "a\\b")
	f.Add([]byte("user: {uid: $U, sudo: true}\nserver: {name: none}\ndeps: {node: {version: \"1\"}}\nmirrors: {apt: x}\n"), "BASE_IMAGE", "scratch")
	f.Add([]byte("base_image: a\nserver: action-execution-server\ndeps: {uv: $B, vscode: none, browser: {version: \"1.55.0\"}}\nuser: {create: build}\n"), "B", "false")
	f.Add([]byte("base_image: a\nserver: {name: action-execution-server, source: .}\ndeps_image: d\nmirrors: {pypi: \"https://a:b@c/\", npm: x}\n"), "", "")
	f.Add([]byte("base_image: a\ndeps: {python: {provider: uv, version: \"3.13.9+20251120\", digests: {amd64: \"sha256:0\"}, requirements: [\"a==1\"]}, node: \"1\"}\nuser: {create: start}\n"), "", "")
	f.Add([]byte("a: &a [*a, !!x y]\n? b\n<<: *a\ncommand: ['', \"\\x41\", |\n x]\n---\n"), "TARGETOS", "")
	f.Fuzz(func(t *testing.T, data []byte, name, value string) {
		d, err := Load("f", data, map[string]string{name: value})
		if err != nil {
			checkError(t, data, err)
			return
		}
		checkPlaces(t, data, d.Warnings)
		text, err := Marshal(d.Spec)
		if err != nil {
			t.Fatalf("marshal: %v", err)
		}
		again, err := Load("f", text, nil)
		if err != nil {
			t.Fatalf("marshalled spec does not load: %v\n%s", err, text)
		}
		checkLimits(t, d.Spec)
		if !reflect.DeepEqual(d.Spec, again.Spec) {
			t.Fatalf("changed by Marshal and Load:\n%#v\n%#v\n%s", d.Spec, again.Spec, text)
		}
	})
}

// checkLimits fails if a value is larger than docs/spec.md allows, or holds what
// no value may.
func checkLimits(t *testing.T, s Spec) {
	total := 0
	for path, text := range textsOf(s) {
		total += len(text)
		if len(text) > maxValue || strings.ContainsFunc(text, isControl) {
			t.Fatalf("%s has %d bytes, or a control character: %.100q", path, len(text), text)
		}
	}
	if total > maxTotal {
		t.Fatalf("the values have %d bytes", total)
	}
}

func checkError(t *testing.T, data []byte, err error) {
	var specErr *Error
	if !errors.As(err, &specErr) || len(specErr.Problems) == 0 {
		t.Fatalf("error without problems: %v", err)
	}
	checkPlaces(t, data, specErr.Problems)
}

func checkPlaces(t *testing.T, data []byte, problems []Problem) {
	lines := newSource(data).lines
	inside := func(p Position) bool {
		return p.Line >= 1 && p.Line <= len(lines) && p.Column >= 1 && p.Column <= len(lines[p.Line-1])+1
	}
	last := fileStart.Start
	for _, p := range problems {
		if !inside(p.Range.Start) || !inside(p.Range.End) || p.Range.End.before(p.Range.Start) {
			t.Fatalf("place outside the file of %d lines: %+v", len(lines), p)
		}
		if p.Message == "" || strings.ContainsFunc(p.Message, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Fatalf("problem without a message of one printable line: %+v", p)
		}
		if p.Range.Start.before(last) {
			t.Fatalf("problems out of order: %+v", problems)
		}
		last = p.Range.Start
	}
}
