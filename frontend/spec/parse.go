package spec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// parse returns the top node of the file, nil for a file without content.
// A failure is reported, and is the only problem then: there is nothing to
// decode.
func (l *loader) parse(data []byte) (_ *yaml.Node, ok bool) {
	if at, message := checkText(data); message != "" {
		l.report("", l.src.line(at), "%s", message)
		return nil, false
	}
	documents, err := parseYAML(data)
	if err != nil {
		l.reportSyntax(data, err)
		return nil, false
	}
	if len(documents) == 0 {
		return nil, true
	}
	if len(documents) > 1 {
		l.report("", l.src.line(documents[1].Line), "a spec file holds one YAML document; remove the second one")
	}
	top := documents[0].Content[0]
	if !l.fits(top) {
		return nil, false
	}
	if top.Kind == yaml.ScalarNode && top.Tag == "!!null" {
		return nil, true
	}
	return top, true
}

// checkText refuses what is no readable text, with the line where it is found.
func checkText(data []byte) (line int, message string) {
	if len(data) > maxSize {
		return 1, fmt.Sprintf("the file has %d bytes, a spec file has at most %d; is it the right file?", len(data), maxSize)
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	line = 1
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			return line, "the file is not UTF-8 text; save it as UTF-8"
		case r == '\r' && !bytes.HasPrefix(data[i:], []byte("\r\n")):
			return line, `the line holds a carriage return that ends no line; save the file with line ends "\n" or "\r\n"`
		case r == '\u2028' || r == '\u2029' || isControl(r) && r != '\r' || turns(r):
			return line, fmt.Sprintf("the line holds the control character %U; remove it, or write it as an escape in double quotes", r)
		case r == '\n':
			line++
		}
		i += size
	}
	return 0, ""
}

// parseYAML reads up to two documents: a spec has one.
func parseYAML(data []byte) ([]*yaml.Node, error) {
	var documents []*yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	for len(documents) < 2 {
		var document yaml.Node
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			return documents, nil
		}
		if err != nil {
			return nil, err
		}
		documents = append(documents, &document)
	}
	return documents, nil
}

var yamlErrorPrefix = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

func (l *loader) reportSyntax(data []byte, err error) {
	number := 1
	if match := yamlErrorPrefix.FindStringSubmatch(err.Error()); match != nil && match[1] != "" {
		number, _ = strconv.Atoi(match[1])
	}
	if found, ok := syntaxErrorLine(data); ok {
		number = found
	}
	at := l.src.line(number)
	message := yamlErrorPrefix.ReplaceAllString(err.Error(), "")
	l.report("", at, "invalid YAML: %s%s", message, syntaxHint(message, string(l.src.lines[at.Start.Line-1])))
}

// syntaxErrorLine finds the line behind the longest run of lines that is YAML.
// The library names the line where the surrounding block began, or none at all.
func syntaxErrorLine(data []byte) (number int, ok bool) {
	lines := bytes.SplitAfter(data, []byte("\n"))
	if len(lines)*len(data) > maxSearch {
		return 0, false
	}
	end := len(data)
	for n := len(lines); n > 0; n-- {
		end -= len(lines[n-1])
		if _, err := parseYAML(data[:end]); err == nil {
			return n, true
		}
	}
	return 0, false
}

func syntaxHint(message, line string) string {
	indent := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
	switch {
	case strings.Contains(indent, "\t"):
		return "; indent with spaces, not with tabs"
	case strings.Contains(line, "${") && strings.ContainsAny(line, "[{,"):
		return "; put a value with ${...} in quotes inside [] and {}"
	case strings.Contains(message, "cannot start any token"), strings.Contains(message, "mapping values are not allowed"):
		return "; put the value in quotes"
	default:
		return ""
	}
}
