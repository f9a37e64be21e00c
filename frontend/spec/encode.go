package spec

import (
	"bytes"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// Marshal returns a spec file that loads as an equal Spec. The result depends on
// the spec alone: keys are in the order of the types, map keys sorted.
func Marshal(s Spec) ([]byte, error) {
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(structNode(reflect.ValueOf(s))); err != nil {
		return nil, err
	}
	if err := encoder.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// structNode leaves out what is not given: zero values, but not empty lists.
func structNode(v reflect.Value) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode}
	for _, f := range fieldsOf(v.Type()) {
		if value := v.Field(f.index); !value.IsZero() || f.has("false") {
			n.Content = append(n.Content, stringNode(f.key), valueNode(value, f))
		}
	}
	return n
}

func valueNode(v reflect.Value, f field) *yaml.Node {
	write := escape
	if f.has("raw") {
		write = func(text string) string { return text }
	}
	switch value := v.Interface().(type) {
	case string:
		return stringNode(write(value))
	case bool:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: strconv.FormatBool(value)}
	case *uint32:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: formatID(*value)}
	case []string:
		n := &yaml.Node{Kind: yaml.SequenceNode}
		for _, item := range value {
			n.Content = append(n.Content, stringNode(write(item)))
		}
		return n
	case map[string]string:
		n := &yaml.Node{Kind: yaml.MappingNode}
		for _, key := range slices.Sorted(maps.Keys(value)) {
			n.Content = append(n.Content, stringNode(key), stringNode(write(value[key])))
		}
		return n
	case User:
		if text, ok := value.short(); ok {
			return stringNode(text)
		}
	}
	return structNode(v)
}

// stringNode asks for quotes where the encoder would write a block, which loses
// white space at the ends, a raw line separator, or a merge key.
func stringNode(text string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
	if strings.ContainsAny(text, "\n\u2028\u2029") || strings.TrimSpace(text) != text || text == "<<" {
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

// escape is the inverse of substitution, which only looks at text with a dollar
// sign.
func escape(text string) string {
	if !strings.Contains(text, "$") {
		return text
	}
	return strings.NewReplacer(`\`, `\\`, `$`, `\$`).Replace(text)
}
