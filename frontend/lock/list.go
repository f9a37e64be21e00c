package lock

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/openhands/llb-frontend/frontend/spec"
)

// ListName is the name of the list of bases that a lock is written for, in the
// directory of the lock.
const ListName = "openhands.bases.txt"

const (
	// maxListed limits a list, in bases: a lock of so many is near to its own limit.
	maxListed = 10_000
	// maxLine limits a line of it, in bytes. A reference has a few hundred at most.
	maxLine = 1 << 10
)

// Listed is a base of the list.
type Listed struct {
	Ref   string
	Range spec.Range
}

// ParseList reads a list of bases: a reference on each line, and comments behind #.
// The error is a *[spec.Error] with every problem, in file order.
func ParseList(filename string, data []byte) ([]Listed, error) {
	p := &listParser{lines: map[string]int{}}
	number := 0
	for line := range bytes.Lines(bytes.TrimPrefix(data, []byte("\ufeff"))) {
		number++
		if len(p.list) == maxListed {
			p.report(number, "", 1, "the list is longer than %d bases: lock them in parts, what is in the lock stays there", maxListed)
			break
		}
		p.line(number, string(bytes.TrimRight(line, "\r\n")))
	}
	if len(p.list) == 0 && len(p.problems) == 0 {
		p.report(1, "", 1, "the list names no base: write a reference on each line, or remove the file")
	}
	if len(p.problems) > 0 {
		return nil, &spec.Error{Filename: filename, Problems: p.problems}
	}
	return p.list, nil
}

type listParser struct {
	list     []Listed
	lines    map[string]int // where a base is named first, by its [Named] form
	problems []spec.Problem
}

func (p *listParser) line(number int, text string) {
	if len(text) > maxLine || !utf8.ValidString(text) {
		p.report(number, "", 1, "the line is no text of at most %d bytes: is this the right file?", maxLine)
		return
	}
	if strings.HasPrefix(strings.TrimSpace(text), "#") {
		return
	}
	if comment := strings.Index(text, " #"); comment >= 0 {
		text = text[:comment]
	}
	ref := strings.TrimSpace(text)
	if ref == "" {
		return
	}
	before, _, _ := strings.Cut(text, ref)
	column := utf8.RuneCountInString(before) + 1
	name, ok := Named(ref)
	switch first, twice := p.lines[name]; {
	case len(strings.Fields(ref)) > 1:
		p.report(number, ref, column, "%q is more than one word: write one reference on each line, and comments behind #", ref)
	case !ok:
		p.report(number, ref, column, "%q is no reference of an image: write it in lower case, as debian:trixie-slim or registry.example.com/team/base:1", ref)
	case twice:
		p.report(number, ref, column, "%q is named twice, first on line %d: remove one of the two lines", ref, first)
	default:
		p.lines[name] = number
		p.list = append(p.list, Listed{Ref: ref, Range: wordAt(number, column, ref)})
	}
}

func (p *listParser) report(number int, word string, column int, format string, args ...any) {
	p.problems = append(p.problems, spec.Problem{Range: wordAt(number, column, word), Message: fmt.Sprintf(format, args...)})
}

func wordAt(number, column int, word string) spec.Range {
	return spec.Range{
		Start: spec.Position{Line: number, Column: column},
		End:   spec.Position{Line: number, Column: column + utf8.RuneCountInString(word)},
	}
}
