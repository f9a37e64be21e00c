package spec

import (
	"strings"
	"unicode"

	"gopkg.in/yaml.v3"
)

// Position is a place in a spec file. Line and Column count from 1; Column
// counts characters.
type Position struct{ Line, Column int }

// Range is a part of a spec file. End is the position just behind it.
type Range struct{ Start, End Position }

func (p Position) before(q Position) bool {
	return p.Line < q.Line || p.Line == q.Line && p.Column < q.Column
}

// fileStart is the range of what has no place of its own.
var fileStart = Range{Start: Position{1, 1}, End: Position{1, 1}}

// source is the text of a spec file, to find where the value of a YAML node
// ends: the YAML library only tells where it starts.
type source struct{ lines [][]rune }

func newSource(data []byte) source {
	// The YAML library does not count a byte order mark as a column.
	text := strings.TrimPrefix(string(data), "\ufeff")
	var s source
	for line := range strings.SplitSeq(text, "\n") {
		s.lines = append(s.lines, []rune(strings.TrimSuffix(line, "\r")))
	}
	return s
}

// rangeOf returns the range of a node's value.
func (s source) rangeOf(n *yaml.Node) Range {
	start := s.clamp(Position{n.Line, n.Column})
	end, ok := s.end(n, start)
	if !ok || end.before(start) {
		end = s.lineEnd(start)
	}
	return Range{start, end}
}

// firstLine cuts a range after its first line.
func (s source) firstLine(r Range) Range {
	if r.End.Line > r.Start.Line {
		r.End = s.lineEnd(r.Start)
	}
	return r
}

// line returns the range of a whole line, without its indentation.
func (s source) line(number int) Range {
	start := s.clamp(Position{number, 1})
	end := s.lineEnd(start)
	for _, c := range s.lines[start.Line-1] {
		if !unicode.IsSpace(c) {
			return Range{start, end}
		}
		start.Column++
	}
	return Range{s.clamp(Position{number, 1}), end}
}

func (s source) clamp(p Position) Position {
	p.Line = min(max(p.Line, 1), len(s.lines))
	p.Column = min(max(p.Column, 1), len(s.lines[p.Line-1])+1)
	return p
}

func (s source) lineEnd(p Position) Position {
	return Position{p.Line, len(s.lines[p.Line-1]) + 1}
}

// end finds the end of a node; ok is false when the text is not what the node
// promises, as behind a tag.
func (s source) end(n *yaml.Node, start Position) (_ Position, ok bool) {
	switch {
	case n.Kind == yaml.ScalarNode:
		return s.scalarEnd(n, start)
	case n.Style&yaml.FlowStyle != 0:
		return s.flowEnd(n, start)
	case len(n.Content) > 0:
		last := n.Content[len(n.Content)-1]
		return s.end(last, s.clamp(Position{last.Line, last.Column}))
	default:
		return start, true
	}
}

func (s source) scalarEnd(n *yaml.Node, p Position) (Position, bool) {
	switch {
	case n.Style&yaml.DoubleQuotedStyle != 0:
		return s.quoteEnd(p, '"')
	case n.Style&yaml.SingleQuotedStyle != 0:
		return s.quoteEnd(p, '\'')
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		header := s.lineEnd(p)
		if strings.TrimSpace(n.Value) == "" || p.Line == len(s.lines) {
			return header, true
		}
		return s.textEnd(n.Value, Position{p.Line + 1, 1})
	default:
		return s.textEnd(n.Value, p)
	}
}

// quoteEnd finds the end of the quoted text at p.
func (s source) quoteEnd(p Position, quote rune) (Position, bool) {
	if c, ok := s.at(p); !ok || c != quote {
		return p, false
	}
	for p = s.next(p); ; p = s.next(p) {
		c, ok := s.at(p)
		if !ok {
			return p, false
		}
		following, _ := s.at(s.next(p))
		switch {
		case quote == '"' && c == '\\', quote == '\'' && c == '\'' && following == '\'':
			p = s.next(p)
		case c == quote:
			return Position{p.Line, p.Column + 1}, true
		}
	}
}

// textEnd finds the end of a plain or block scalar by following its characters:
// the file holds the same ones, only with other white space between them.
func (s source) textEnd(value string, p Position) (Position, bool) {
	end := p
	for _, want := range value {
		if unicode.IsSpace(want) {
			continue
		}
		for c, ok := s.at(p); ok && unicode.IsSpace(c); c, ok = s.at(p) {
			p = s.next(p)
		}
		if c, ok := s.at(p); !ok || c != want {
			return p, false
		}
		p = s.next(p)
		end = Position{p.Line, p.Column}
	}
	return end, true
}

// flowEnd finds the bracket that closes a flow mapping or list.
func (s source) flowEnd(n *yaml.Node, p Position) (_ Position, ok bool) {
	if len(n.Content) == 0 {
		p = s.next(p)
	} else {
		last := n.Content[len(n.Content)-1]
		if p, ok = s.end(last, s.clamp(Position{last.Line, last.Column})); !ok {
			return p, false
		}
	}
	for {
		p = s.skip(p)
		switch c, ok := s.at(p); {
		case ok && c == ',':
			p = s.next(p)
		case ok && (c == ']' || c == '}'):
			return s.next(p), true
		default:
			return p, false
		}
	}
}

// skip passes white space and comments.
func (s source) skip(p Position) Position {
	for {
		c, ok := s.at(p)
		switch {
		case ok && c == '#':
			p = s.lineEnd(p)
		case ok && unicode.IsSpace(c):
			p = s.next(p)
		default:
			return p
		}
	}
}

// at returns the character at p, a newline behind each line, and false behind
// the last one.
func (s source) at(p Position) (rune, bool) {
	line := s.lines[p.Line-1]
	if p.Column <= len(line) {
		return line[p.Column-1], true
	}
	return '\n', p.Line < len(s.lines)
}

func (s source) next(p Position) Position {
	switch {
	case p.Column <= len(s.lines[p.Line-1]):
		return Position{p.Line, p.Column + 1}
	case p.Line < len(s.lines):
		return Position{p.Line + 1, 1}
	default:
		return p
	}
}
