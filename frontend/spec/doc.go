// Package spec owns the spec file, openhands.yaml: its keys, how it is read,
// and every message about a mistake in it.
//
// [Load] goes from bytes to a [Document] in one pass over the YAML nodes:
//
//	parse.go      bytes to one YAML node: encoding, syntax, one document
//	args.go       declared args, build args and the substitution of ${NAME}
//	decode.go     nodes to the types of spec.go, strictly, each value with its place
//	defaults.go   what is not given
//	validate*.go  rules about values
//
// No step stops the next one, so a file with three mistakes shows all three,
// in file order. Only text that is not YAML ends the pass early.
//
// The struct tags of spec.go are the table of keys: decoding, suggestions for
// unknown keys and [Marshal] follow them, and internal/genspec turns them and
// the comments beside them into schema.json and docs/spec.md.
//
// The package is a leaf: a pure function of its arguments, without I/O.
package spec

//go:generate go run ./internal/genspec
