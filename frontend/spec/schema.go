package spec

import (
	_ "embed"
	"slices"
)

//go:embed schema.json
var schema []byte

// Schema returns the JSON Schema (draft-07) of a spec file, as editors use it.
func Schema() []byte {
	return slices.Clone(schema)
}
