package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

const (
	// schemaURL is where editors find the schema.
	schemaURL = "https://raw.githubusercontent.com/openhands/llb-frontend/main/frontend/spec/schema.json"
	// substituted matches every value that uses an arg: its real value is only
	// known to a build.
	substituted = `\$`
	maxID       = 1<<32 - 2
)

// schema is the part of JSON Schema draft-07 that the spec needs.
type schema struct {
	Draft                string      `json:"$schema,omitempty"`
	ID                   string      `json:"$id,omitempty"`
	Title                string      `json:"title,omitempty"`
	Description          string      `json:"description,omitempty"`
	Default              any         `json:"default,omitempty"`
	Type                 any         `json:"type,omitempty"`
	Enum                 []string    `json:"enum,omitempty"`
	Pattern              string      `json:"pattern,omitempty"`
	MinLength            int         `json:"minLength,omitempty"`
	Minimum              *int        `json:"minimum,omitempty"`
	Maximum              *int        `json:"maximum,omitempty"`
	Items                *schema     `json:"items,omitempty"`
	OneOf                []*schema   `json:"oneOf,omitempty"`
	AnyOf                []*schema   `json:"anyOf,omitempty"`
	Properties           *properties `json:"properties,omitempty"`
	PatternProperties    *properties `json:"patternProperties,omitempty"`
	PropertyNames        *schema     `json:"propertyNames,omitempty"`
	AdditionalProperties any         `json:"additionalProperties,omitempty"`
}

// properties keeps the order of the types.
type properties struct {
	names   []string
	schemas []*schema
}

func (p *properties) add(name string, s *schema) {
	p.names = append(p.names, name)
	p.schemas = append(p.schemas, s)
}

// MarshalJSON writes the properties in their order.
func (p *properties) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	separator := "{"
	for i, name := range p.names {
		value, err := json.Marshal(p.schemas[i])
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&out, "%s%q:%s", separator, name, value)
		separator = ","
	}
	return append(out.Bytes(), '}'), nil
}

func schemaJSON(root *object) ([]byte, error) {
	s := objectSchema(root)
	s.Draft, s.ID = "http://json-schema.org/draft-07/schema#", schemaURL
	s.Title = "OpenHands runtime image spec"
	s.Description = "What goes into an image with the OpenHands runtime. Keys that begin with x- are free."
	s.PatternProperties = &properties{}
	s.PatternProperties.add("^x-", &schema{})
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(s); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func objectSchema(o *object) *schema {
	s := &schema{Type: "object", Properties: &properties{}, AdditionalProperties: false}
	for _, k := range o.keys {
		s.Properties.add(k.name, keySchema(k))
	}
	return s
}

func keySchema(k key) *schema {
	s := typeSchema(k)
	s.Description = strings.ReplaceAll(strings.Join(paragraphs(k.doc), "\n\n"), "`", "")
	if k.unsupported() {
		s.Description += " Not supported by this version."
	}
	s.Default = defaultValue(k)
	return s
}

func typeSchema(k key) *schema {
	switch k.typ {
	case "string":
		return stringSchema(k)
	case "bool":
		return &schema{Type: []string{"boolean", "string"}, Pattern: substituted}
	case "*uint32":
		lowest, highest := 0, maxID
		return &schema{Type: []string{"integer", "string"}, Minimum: &lowest, Maximum: &highest, Pattern: substituted}
	case "[]string":
		return listSchema(k)
	case "map[string]string":
		return mapSchema(k)
	default:
		return shortSchema(k.object)
	}
}

func stringSchema(k key) *schema {
	if values := k.directive("enum"); values != "" {
		return oneOfValues(values)
	}
	s := &schema{Type: "string", MinLength: 1}
	if pattern := k.directive("pattern"); pattern != "" {
		s.Pattern = pattern + "|" + substituted
	}
	return s
}

func oneOfValues(values string) *schema {
	return &schema{AnyOf: []*schema{
		{Type: "string", Enum: strings.Fields(values)},
		{Type: "string", Pattern: substituted},
	}}
}

func listSchema(k key) *schema {
	items := &schema{Type: "string", MinLength: 1}
	if k.has("empty") {
		items.MinLength = 0
	}
	if values := k.directive("items"); values != "" {
		items = oneOfValues(values)
	}
	list := &schema{Type: "array", Items: items}
	if k.has("scalar") {
		return &schema{OneOf: []*schema{{Type: "string", MinLength: 1}, list}}
	}
	return list
}

func mapSchema(k key) *schema {
	values := []string{"string", "number", "boolean"}
	if k.has("null") {
		values = append(values, "null")
	}
	s := &schema{Type: "object", AdditionalProperties: &schema{Type: values}}
	if names := k.directive("names"); names != "" {
		s.PropertyNames = &schema{Pattern: names}
	}
	return s
}

// shortSchema allows the short forms of a mapping.
func shortSchema(o *object) *schema {
	s := objectSchema(o)
	if len(o.shorts) == 0 {
		return s
	}
	either := &schema{}
	for _, short := range o.shorts {
		scalar := &schema{Type: short.typ, Description: short.meaning}
		if short.typ == "string" {
			scalar.MinLength = 1
		} else {
			lowest, highest := 0, maxID
			scalar.Minimum, scalar.Maximum = &lowest, &highest
		}
		either.OneOf = append(either.OneOf, scalar)
	}
	either.OneOf = append(either.OneOf, s)
	return either
}

// defaultValue reads a default directive: a boolean, a list or a string.
func defaultValue(k key) any {
	text := k.directive("default")
	list, isList := strings.CutPrefix(text, "[")
	switch {
	case text == "":
		return nil
	case isList:
		return strings.Split(strings.TrimSuffix(list, "]"), ", ")
	case k.typ == "bool":
		return text == "true"
	default:
		return text
	}
}
