package main

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

//go:embed intro.md
var intro string

// markdown returns the reference: intro.md with the examples, and then a
// heading a key.
func markdown(root *object, examples string) ([]byte, error) {
	text := strings.ReplaceAll(intro, "{{schema}}", schemaURL)
	for _, name := range []string{"minimal", "full"} {
		example, err := os.ReadFile(filepath.Join(examples, name, "openhands.yaml"))
		if err != nil {
			return nil, err
		}
		text = strings.ReplaceAll(text, "{{"+name+"}}", string(example))
	}
	var out strings.Builder
	out.WriteString(text)
	writeKeys(&out, root, "##")
	return []byte(out.String()), nil
}

func writeKeys(out *strings.Builder, o *object, heading string) {
	for _, k := range o.keys {
		fmt.Fprintf(out, "\n%s `%s`\n\n", heading, k.path)
		fmt.Fprintf(out, "- Type: %s\n", typeText(k))
		if text := k.directive("default"); text != "" {
			fmt.Fprintf(out, "- Default: `%s`\n", text)
		}
		for _, name := range []string{"enum", "items"} {
			if values := strings.Fields(k.directive(name)); len(values) > 0 {
				fmt.Fprintf(out, "- Values: `%s`\n", strings.Join(values, "`, `"))
			}
		}
		if k.unsupported() {
			out.WriteString("- Not supported by this version: the key is checked, and then refused\n")
		}
		for _, paragraph := range paragraphs(k.doc) {
			fmt.Fprintf(out, "\n%s\n", paragraph)
		}
		if example := k.directive("example"); example != "" {
			fmt.Fprintf(out, "\n```yaml\n%s\n```\n", example)
		}
		if k.object != nil {
			writeKeys(out, k.object, heading+"#")
		}
	}
}

func typeText(k key) string {
	switch k.typ {
	case "bool":
		return "`true` or `false`"
	case "*uint32":
		return "whole number"
	case "[]string":
		if k.has("scalar") {
			return "string or list of strings"
		}
		return "list of strings"
	case "map[string]string":
		return "mapping of names to values"
	case "object":
		text := ""
		for _, s := range k.object.shorts {
			text += fmt.Sprintf("%s (%s), or ", s.typ, s.meaning)
		}
		return text + "mapping"
	default:
		return k.typ
	}
}
