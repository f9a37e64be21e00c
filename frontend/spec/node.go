package spec

import (
	"fmt"
	"unicode"

	"gopkg.in/yaml.v3"
)

// kindOf names what a node is, for "must be a list, is a number".
func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.Tag {
	case "!!int", "!!float":
		return "a number"
	case "!!bool":
		return "a boolean"
	case "!!null":
		return "empty"
	default:
		return "a string"
	}
}

func isNull(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Tag == "!!null"
}

// isString reports whether the node is a string to everybody. A plain date and
// "<<" are strings here: no key takes a date, and merging is for keys.
func isString(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && (n.Tag == "!!str" || n.Tag == "!!timestamp" || n.Tag == "!!merge")
}

// plainNode refuses the parts of YAML that make a spec hard to read and its
// values hard to place.
func (l *loader) plainNode(n *yaml.Node, path string) bool {
	at := l.src.rangeOf(n)
	switch {
	case n.Kind == yaml.AliasNode:
		l.report(path, at, "YAML aliases are not supported; write the value out, or declare it under args and use ${NAME}")
	case n.Anchor != "":
		l.report(path, at, "YAML anchors are not supported; remove %q, or declare the value under args and use ${NAME}", "&"+n.Anchor)
	case n.Style&yaml.TaggedStyle != 0:
		l.report(path, at, "YAML tags are not supported; remove %q (quotes make a value a string)", n.Tag)
	default:
		return true
	}
	return false
}

// entry is one key of a mapping with its value.
type entry struct {
	name       string
	path       string
	key, value *yaml.Node
}

// entries lists the usable entries of a mapping and reports the others.
func (l *loader) entries(n *yaml.Node, path string) []entry {
	var entries []entry
	lines := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		e := entry{key: n.Content[i], value: n.Content[i+1]}
		e.name, e.path = e.key.Value, join(path, e.key.Value)
		at := l.src.rangeOf(e.key)
		first, duplicate := lines[e.name]
		switch {
		case e.key.Kind == yaml.ScalarNode && e.key.Tag == "!!merge":
			l.report(path, at, "YAML merge keys are not supported; write the keys out")
		case !l.plainNode(e.key, path):
		case e.key.Kind != yaml.ScalarNode:
			l.report(path, at, "a key must be a string, is %s", kindOf(e.key))
		case len(e.name) > maxKey:
			l.report(path, at, "the key %q has %d bytes; at most %d are allowed", e.name, len(e.name), maxKey)
		case e.name == "":
			l.report(path, at, "a key must not be empty; name the value or remove the line")
		case duplicate:
			l.report(path, at, "duplicate key %q, first given on line %d; remove one", e.name, first)
		default:
			lines[e.name] = e.key.Line
			entries = append(entries, e)
		}
	}
	return entries
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func item(path string, i int) string {
	return fmt.Sprintf("%s[%d]", path, i)
}

// turns reports characters that show the rest of a line in another order than it
// has: what a person reads is then not what a build runs (CVE-2021-42574).
func turns(r rune) bool {
	return '\u202a' <= r && r <= '\u202e' || '\u2066' <= r && r <= '\u2069'
}

// isControl reports characters that no value may hold. Tabs and newlines are
// for each key's own rule.
func isControl(r rune) bool {
	return unicode.IsControl(r) && r != '\n' && r != '\t' || r == '\ufeff'
}
