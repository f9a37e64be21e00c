package lock

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/openhands/llb-frontend/frontend/spec"
)

// maxSize limits a lock, in bytes: ten thousand bases that are not alike.
const maxSize = 12 << 20

// remedy is what helps against most mistakes in a file that nobody writes by hand.
const remedy = "write the lock again with --target lock, if need be without this file"

// Parse reads a lock. The error is a *[spec.Error] with every problem, in file
// order.
func Parse(filename string, data []byte) (*Lock, error) {
	d := &decoder{lines: bytes.Split(data, []byte("\n")), lock: New(), entries: map[string]*File{}}
	if top := d.parse(data); top != nil {
		d.decode(top)
	}
	if len(d.problems) == 0 {
		return d.lock, nil
	}
	slices.SortStableFunc(d.problems, func(a, b spec.Problem) int {
		return cmp.Or(cmp.Compare(a.Range.Start.Line, b.Range.Start.Line), cmp.Compare(a.Range.Start.Column, b.Range.Start.Column))
	})
	return nil, &spec.Error{Filename: filename, Problems: d.problems}
}

type decoder struct {
	lines    [][]byte
	problems []spec.Problem
	lock     *Lock
	// entries are those of files: most stand in the facts of many bases.
	entries map[string]*File
}

// report adds a problem at a place; its range ends with the line.
func (d *decoder) report(line, column int, format string, args ...any) {
	line = min(max(line, 1), len(d.lines))
	end := utf8.RuneCount(d.lines[line-1]) + 1
	at := spec.Position{Line: line, Column: min(max(column, 1), end)}
	d.problems = append(d.problems, spec.Problem{
		Range:   spec.Range{Start: at, End: spec.Position{Line: line, Column: end}},
		Message: spec.Printable(fmt.Sprintf(format, args...)),
	})
}

func (d *decoder) at(n *yaml.Node, format string, args ...any) {
	d.report(n.Line, n.Column, format, args...)
}

var yamlError = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// parse gives the top node of the only document.
func (d *decoder) parse(data []byte) *yaml.Node {
	if len(data) > maxSize {
		d.report(1, 1, "the lock has %d bytes, it may have %d: %s", len(data), maxSize, remedy)
		return nil
	}
	if top := scan(data); top != nil {
		return top
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document, second yaml.Node
	err := decoder.Decode(&document)
	if errors.Is(err, io.EOF) || err == nil && len(document.Content) == 0 {
		d.report(1, 1, "the lock is empty: %s", remedy)
		return nil
	}
	if err == nil {
		if err = decoder.Decode(&second); errors.Is(err, io.EOF) {
			return document.Content[0]
		}
	}
	if err == nil {
		d.at(&second, "a lock holds one YAML document: %s", remedy)
		return nil
	}
	line := 1
	if m := yamlError.FindStringSubmatch(err.Error()); m != nil && m[1] != "" {
		line, _ = strconv.Atoi(m[1])
	}
	if n := slices.IndexFunc(d.lines, conflict); n >= 0 {
		d.report(n+1, 1, "a merge of two versions was left unfinished here: take one of them, and %s", remedy)
		return nil
	}
	d.report(line, 1, "invalid YAML: %s: %s", yamlError.ReplaceAllString(err.Error(), ""), remedy)
	return nil
}

// conflict tells a line that git leaves between two versions.
func conflict(line []byte) bool {
	return bytes.HasPrefix(line, []byte("<<<<<<< ")) || bytes.HasPrefix(line, []byte(">>>>>>> "))
}

// pair is an entry of a mapping.
type pair struct{ key, value *yaml.Node }

// mapping lists the entries of a mapping, and reports what is none.
func (d *decoder) mapping(n *yaml.Node, what string) []pair {
	if n.Kind != yaml.MappingNode || !d.ordinary(n) {
		d.at(n, "%s must be a mapping: %s", what, remedy)
		return nil
	}
	pairs := make([]pair, 0, len(n.Content)/2)
	lines := make(map[string]int, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		p := pair{n.Content[i], n.Content[i+1]}
		if p.key.Kind != yaml.ScalarNode || !d.ordinary(p.key) {
			d.at(p.key, "a key of %s must be plain text: %s", what, remedy)
			continue
		}
		if first, twice := lines[p.key.Value]; twice {
			d.at(p.key, "%s has %q twice, first on line %d: remove one of the two entries", what, p.key.Value, first)
			continue
		}
		lines[p.key.Value] = p.key.Line
		pairs = append(pairs, p)
	}
	return pairs
}

// ordinary refuses aliases, anchors and tags, which a lock never has.
func (d *decoder) ordinary(n *yaml.Node) bool {
	return n.Kind != yaml.AliasNode && n.Anchor == "" && n.Style&yaml.TaggedStyle == 0
}

// text is the value of an entry. What looks like a number is text too.
func (d *decoder) text(p pair) (string, bool) {
	if p.value.Kind != yaml.ScalarNode || !d.ordinary(p.value) || p.value.Value == "" && p.value.Style == 0 {
		d.at(p.value, "%q must have a value that is text: %s", p.key.Value, remedy)
		return "", false
	}
	return p.value.Value, true
}

func (d *decoder) decode(top *yaml.Node) {
	sections := map[string]func(pair){
		"images": d.images, "downloads": d.downloads, "packages": d.packages, "facts": d.facts, "bases": d.bases,
	}
	given := map[string]pair{}
	for _, p := range d.mapping(top, "a lock") {
		if _, ok := sections[p.key.Value]; !ok && p.key.Value != "version" {
			d.at(p.key, "unknown key %q: a lock has version, %s", p.key.Value, strings.Join(sorted(sections), ", "))
			continue
		}
		given[p.key.Value] = p
	}
	p, ok := given["version"]
	if !ok {
		d.at(top, "the lock has no version: %s", remedy)
		return
	}
	if v, ok := d.text(p); ok && v != version {
		d.at(p.value, "this frontend knows version %s of the lock, not %q: use a newer frontend, or %s", version, v, remedy)
		return
	}
	// Bases come last: they refer to facts.
	for _, name := range []string{"images", "downloads", "packages", "facts", "bases"} {
		if p, ok := given[name]; ok {
			sections[name](p)
		}
	}
}
