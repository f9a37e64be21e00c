// Command genspec writes schema.json and docs/spec.md from the types of package
// spec: their struct tags, doc comments and //spec: directives. Run it with
// `go generate ./frontend/spec`.
//
// The directives, one a line in a field's or a type's comment:
//
//	//spec:default VALUE    what a missing key means
//	//spec:example YAML     part of a spec file; several lines make one example
//	//spec:enum A B         the values of a string
//	//spec:items A B        the values of a list's items
//	//spec:pattern REGEX    what a string must match
//	//spec:names REGEX      what the names of a mapping must match
//	//spec:short TYPE TEXT  (type) a scalar that stands for the mapping
//	//spec:unsupported      the key is refused by this version
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if err := run("."); err != nil {
		fmt.Fprintln(os.Stderr, "genspec:", err)
		os.Exit(1)
	}
}

// run generates the files of the spec package in dir.
func run(dir string) error {
	files, err := generate(dir)
	if err != nil {
		return err
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// generate returns the generated files by their path from dir.
func generate(dir string) (map[string][]byte, error) {
	root, err := parseModel(dir)
	if err != nil {
		return nil, err
	}
	schema, err := schemaJSON(root)
	if err != nil {
		return nil, err
	}
	reference, err := markdown(root, filepath.Join(dir, "../../examples"))
	if err != nil {
		return nil, err
	}
	return map[string][]byte{"schema.json": schema, "../../docs/spec.md": reference}, nil
}
