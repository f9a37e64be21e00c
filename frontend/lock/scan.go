package lock

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// scan reads the nodes of a lock that looks as Encode writes it. It gives what the
// YAML library gives, many times quicker: each of five hundred builds reads the file.
// It gives nil for any other text, which is then the library's to read or refuse.
func scan(data []byte) *yaml.Node {
	s := &scanner{rest: string(data), number: 1}
	if rest, ok := strings.CutPrefix(s.rest, head); ok {
		s.rest, s.number = rest, 1+strings.Count(head, "\n")
	}
	top := s.mapping(0)
	if s.failed || s.rest != "" {
		return nil
	}
	return top
}

// maxKey is how long YAML allows a key to be, in bytes.
const maxKey = 1024

type scanner struct {
	rest   string // begins with the line of that number
	number int
	failed bool
	nodes  []yaml.Node // room for those to come
}

// next takes a line.
func (s *scanner) next() string {
	line, rest, ended := strings.Cut(s.rest, "\n")
	s.rest = rest
	s.failed = s.failed || !ended // the last line of what Encode writes has its end
	s.number++
	return line
}

func (s *scanner) fail() *yaml.Node {
	s.failed = true
	return nil
}

func (s *scanner) node(kind yaml.Kind, column int) *yaml.Node {
	if len(s.nodes) == 0 {
		s.nodes = make([]yaml.Node, 128)
	}
	n := &s.nodes[0]
	s.nodes = s.nodes[1:]
	n.Kind, n.Line, n.Column = kind, s.number, column
	return n
}

// mapping takes the lines of one depth, with those below them.
func (s *scanner) mapping(depth int) *yaml.Node {
	m := s.node(yaml.MappingNode, len(indent(depth))+1)
	for !s.failed && s.deep(depth) && s.rest != "" {
		m.Content = append(m.Content, s.entry(depth)...)
	}
	if len(m.Content) == 0 {
		return s.fail()
	}
	return m
}

// deep tells whether the next line is indented so far; what is deeper still is no key.
func (s *scanner) deep(depth int) bool {
	return strings.HasPrefix(s.rest, indent(depth))
}

// entry takes a key and its value.
func (s *scanner) entry(depth int) []*yaml.Node {
	line, _, _ := strings.Cut(s.rest, "\n")
	line = line[len(indent(depth)):]
	name, value := cutKey(line)
	if name == "" || len(name) > maxKey {
		return []*yaml.Node{s.fail()}
	}
	key := s.scalar(name, len(indent(depth))+1)
	column := len(indent(depth)) + len(name) + len(": ") + 1
	switch value {
	case ":":
		s.next()
		return []*yaml.Node{key, s.mapping(depth + 1)}
	case ": |":
		return []*yaml.Node{key, s.literal(depth+1, column)}
	}
	text, ok := strings.CutPrefix(value, ": ")
	if !ok {
		return []*yaml.Node{s.fail()}
	}
	n := s.scalar(text, column)
	s.next()
	return []*yaml.Node{key, n}
}

// cutKey cuts a line before the colon behind its key.
func cutKey(line string) (key, rest string) {
	if strings.HasPrefix(line, `"`) {
		quoted, err := strconv.QuotedPrefix(line)
		if err != nil {
			return "", ""
		}
		return quoted, line[len(quoted):]
	}
	if i := strings.Index(line, ": "); i > 0 {
		return line[:i], line[i:]
	}
	if key, ok := strings.CutSuffix(line, ":"); ok {
		return key, ":"
	}
	return "", ""
}

// scalar is the reverse of the function scalar, and refuses what that does not write.
func (s *scanner) scalar(text string, column int) *yaml.Node {
	n := s.node(yaml.ScalarNode, column)
	if isPlain(text) {
		n.Value = text
		return n
	}
	// Go's \x80 is a byte, YAML's a code point.
	value, err := strconv.Unquote(text)
	if err != nil || !utf8.ValidString(value) || scalar(value) != text {
		return s.fail()
	}
	n.Value, n.Style = value, yaml.DoubleQuotedStyle
	return n
}

// literal takes the lines of a text, behind the line of its key.
func (s *scanner) literal(depth, column int) *yaml.Node {
	n := s.node(yaml.ScalarNode, column)
	n.Style = yaml.LiteralStyle
	s.next()
	var b strings.Builder
	for s.rest != "" && (s.deep(depth) || s.rest[0] == '\n') {
		line := s.next()
		if line != "" {
			b.WriteString(line[len(indent(depth)):])
		}
		b.WriteByte('\n')
	}
	if n.Value = b.String(); !isLiteral(n.Value) {
		return s.fail()
	}
	return n
}
