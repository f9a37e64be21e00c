package spec

import (
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// decode fills the spec from the top node; ok is false when that cannot hold
// one.
func (l *loader) decode(top *yaml.Node, spec *Spec) (ok bool) {
	if !l.plainNode(top, "") {
		return false
	}
	if top.Kind != yaml.MappingNode {
		l.report("", l.src.rangeOf(top), "a spec must be a mapping of keys to values, is %s; a whole spec is: base_image: debian:trixie-slim", kindOf(top))
		return false
	}
	l.place("", top)
	l.declareArgs(top)
	l.structure(top, "", reflect.ValueOf(spec).Elem())
	spec.Args = l.args.declared()
	return true
}

// structure fills a struct from a mapping node.
func (l *loader) structure(n *yaml.Node, path string, v reflect.Value) {
	fields := map[string]field{}
	for _, f := range fieldsOf(v.Type()) {
		fields[f.key] = f
	}
	for _, e := range l.entries(n, path) {
		f, known := fields[e.name]
		switch {
		case known && e.path == "args":
			// Decoded before everything else, by declareArgs.
		case known:
			l.value(e.value, e.path, f, v.Field(f.index))
		case path == "" && strings.HasPrefix(e.name, "x-"):
			// Free for the user.
		default:
			l.report(e.path, l.src.rangeOf(e.key), "%s", unknownKey(e.name, v.Type()))
		}
	}
}

// value fills one field. What cannot be used is reported and leaves the field
// as it is.
func (l *loader) value(n *yaml.Node, path string, f field, v reflect.Value) {
	l.place(path, n)
	if !l.plainNode(n, path) {
		return
	}
	if isNull(n) {
		l.problem(path, "%s has no value; give it one or remove the key", path)
		return
	}
	switch target := v.Addr().Interface().(type) {
	case *string:
		if text, ok := l.str(n, path, f); ok {
			*target = text
		}
	case *bool:
		l.boolean(n, path, target)
	case **uint32:
		l.id(n, path, target)
	case *[]string:
		l.list(n, path, f, target)
	case *map[string]string:
		l.stringMap(n, path, target)
	default:
		l.structOrShort(n, path, f, v)
	}
}

func (l *loader) structOrShort(n *yaml.Node, path string, f field, v reflect.Value) {
	if n.Kind == yaml.MappingNode {
		l.structure(n, path, v)
		return
	}
	short, hasShort := shortOf(v)
	isNumber := n.Kind == yaml.ScalarNode && n.Tag == "!!int" && f.has("number")
	if !hasShort || !isNumber && !isString(n) {
		want := "a mapping"
		if hasShort {
			want = "a string or a mapping"
		}
		l.problem(path, "%s must be %s with the keys %s, is %s", path, want, strings.Join(keysOf(v.Type()), ", "), kindOf(n))
		return
	}
	text, ok := l.text(n, path, f)
	if !ok {
		return
	}
	if err := short.setShort(text); err != nil {
		l.problem(path, "%s %v", path, err)
	}
}

// str reads a string that is not empty.
func (l *loader) str(n *yaml.Node, path string, f field) (string, bool) {
	if !isString(n) {
		remedy := ""
		if n.Kind == yaml.ScalarNode {
			remedy = "; put it in quotes"
		}
		l.problem(path, "%s must be a string, is %s%s", path, kindOf(n), remedy)
		return "", false
	}
	return l.text(n, path, f)
}

// text substitutes the args in a scalar and refuses an empty one.
func (l *loader) text(n *yaml.Node, path string, f field) (string, bool) {
	read := l.substitute
	if f.has("raw") {
		read = l.literal
	}
	text, ok := read(n, path)
	switch {
	case !ok:
	case strings.TrimSpace(text) != "":
		return text, true
	case n.Value != text:
		l.problem(path, "%s is empty after substitution of %q; use ${NAME:-default} or remove the key", path, n.Value)
	default:
		l.problem(path, "%s must not be empty; give it a value or remove it", path)
	}
	return "", false
}

// literal returns a scalar's text as it is.
func (l *loader) literal(n *yaml.Node, path string) (string, bool) {
	if len(n.Value) > maxValue {
		l.problem(path, "%s has %d bytes; at most %d are allowed: put data into a file", path, len(n.Value), maxValue)
		return "", false
	}
	return n.Value, l.readable(n.Value, path)
}

// readable refuses control characters, and what is no text at all: a build arg may
// hold any bytes.
func (l *loader) readable(text, path string) bool {
	if !utf8.ValidString(text) {
		l.problem(path, "%s is not UTF-8 text; give it another value", path)
		return false
	}
	for _, r := range text {
		if isControl(r) {
			l.problem(path, "%s holds the control character %U; remove it", path, r)
			return false
		}
	}
	return true
}

func (l *loader) boolean(n *yaml.Node, path string, target *bool) {
	text, ok := "", n.Kind == yaml.ScalarNode
	if ok {
		if text, ok = l.substitute(n, path); !ok {
			return
		}
	}
	quoted := isString(n) && n.Value == text
	if !ok || quoted || text != "true" && text != "false" {
		l.problem(path, "%s must be true or false, without quotes, is %s", path, describe(n, text))
		return
	}
	*target = text == "true"
}

func (l *loader) id(n *yaml.Node, path string, target **uint32) {
	text, ok := "", n.Kind == yaml.ScalarNode
	if ok {
		if text, ok = l.substitute(n, path); !ok {
			return
		}
	}
	if !ok || isString(n) && n.Value == text {
		l.problem(path, "%s must be a whole number, without quotes, is %s", path, describe(n, text))
		return
	}
	id, err := parseID(text)
	if err != nil {
		l.problem(path, "%s %v", path, err)
		return
	}
	*target = &id
}

func describe(n *yaml.Node, text string) string {
	if n.Kind != yaml.ScalarNode {
		return kindOf(n)
	}
	return fmt.Sprintf("%s %q", kindOf(n), text)
}

// list reads a list of strings. An item that cannot be used stays in it as "",
// so that the other items keep their places.
func (l *loader) list(n *yaml.Node, path string, f field, target *[]string) {
	if f.has("scalar") && isString(n) {
		if text, ok := l.text(n, path, f); ok {
			*target = []string{text}
		}
		return
	}
	if n.Kind != yaml.SequenceNode {
		want, remedy := "a list of strings", ""
		if f.has("scalar") {
			want = "a string or a list of strings"
		} else if n.Kind == yaml.ScalarNode {
			remedy = fmt.Sprintf("; write [%s]", n.Value)
		}
		l.problem(path, "%s must be %s, is %s%s", path, want, kindOf(n), remedy)
		return
	}
	items := make([]string, len(n.Content))
	for i, c := range n.Content {
		l.listItem(c, item(path, i), f, i, &items[i])
	}
	*target = items
}

func (l *loader) listItem(n *yaml.Node, path string, f field, i int, target *string) {
	l.place(path, n)
	if !l.plainNode(n, path) {
		return
	}
	if isNull(n) {
		l.problem(path, "%s has no value; give it one or remove the item", path)
		return
	}
	var text string
	var ok bool
	if f.has("empty") && i > 0 && isString(n) {
		text, ok = l.substitute(n, path)
	} else {
		text, ok = l.str(n, path, f)
	}
	if ok {
		*target = text
	}
}

// stringMap reads a mapping of names to strings. Numbers and booleans stand for
// their literal text.
func (l *loader) stringMap(n *yaml.Node, path string, target *map[string]string) {
	if n.Kind != yaml.MappingNode {
		l.problem(path, "%s must be a mapping of names to values, is %s; write it as {NAME: value}", path, kindOf(n))
		return
	}
	values := map[string]string{}
	for _, e := range l.entries(n, path) {
		l.place(e.path, e.value)
		if text, ok := l.scalar(e.value, e.path); ok {
			values[e.name] = text
		}
	}
	*target = values
}

// scalar reads the value of a map's entry: any scalar but null.
func (l *loader) scalar(n *yaml.Node, path string) (string, bool) {
	switch {
	case !l.plainNode(n, path):
	case isNull(n):
		l.problem(path, `%s has no value; write "" for an empty one`, path)
	case n.Kind != yaml.ScalarNode:
		l.problem(path, "%s must be a string, is %s", path, kindOf(n))
	default:
		return l.substitute(n, path)
	}
	return "", false
}
