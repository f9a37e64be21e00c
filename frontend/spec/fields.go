package spec

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// field is one key of a mapping, as the struct tags of spec.go give it.
//
// The `spec` tag holds options, for the decoder:
//
//	raw     no substitution
//	scalar  a string stands for a list of one
//	number  a short form may be a number
//	empty   an item may be "", but not the first one
//	null    an entry of the mapping may have no value
//
// and one for [Marshal]:
//
//	false   false is written too: without the key the value may be true
type field struct {
	key     string
	index   int
	typ     reflect.Type
	options []string
}

func (f field) has(option string) bool {
	return slices.Contains(f.options, option)
}

// fieldsOf lists the keys of a struct type in the order of its declaration.
func fieldsOf(t reflect.Type) []field {
	fields := make([]field, t.NumField())
	for i := range fields {
		f := t.Field(i)
		fields[i] = field{
			key:     f.Tag.Get("yaml"),
			index:   i,
			typ:     f.Type,
			options: strings.Split(f.Tag.Get("spec"), ","),
		}
	}
	return fields
}

func keysOf(t reflect.Type) []string {
	var keys []string
	for _, f := range fieldsOf(t) {
		keys = append(keys, f.key)
	}
	return keys
}

// shortForm is a struct that may also be written as one scalar.
type shortForm interface {
	// setShort takes the scalar's text. An error states the rule, as in
	// "must be ...".
	setShort(text string) error
}

// shortOf returns the short form of an addressable struct value.
func shortOf(v reflect.Value) (shortForm, bool) {
	short, ok := v.Addr().Interface().(shortForm)
	return short, ok
}

// otherNames are keys that other tools use for ours.
var otherNames = map[string]string{
	"arch":          "platforms",
	"architectures": "platforms",
	"base":          "base_image",
	"cmd":           "command",
	"dependencies":  "deps",
	"env":           "environment",
	"envs":          "environment",
	"from":          "base_image",
	"group":         "gid",
	"image":         "base_image",
	"username":      "name",
	"workdir":       "working_dir",
}

// unknownKey tells what is wrong with a key that the struct type t lacks, and
// what was probably meant.
func unknownKey(key string, t reflect.Type) string {
	keys := keysOf(t)
	if hint := didYouMean(key, keys); hint != "" {
		return fmt.Sprintf("unknown key %q%s", key, hint)
	}
	if other := otherNames[key]; slices.Contains(keys, other) {
		return fmt.Sprintf("unknown key %q, did you mean %q?", key, other)
	}
	if homes := homesOf(key, "", reflect.TypeFor[Spec]()); len(homes) > 0 {
		return fmt.Sprintf("unknown key %q here; it belongs to %s", key, strings.Join(homes, " or "))
	}
	return fmt.Sprintf("unknown key %q; the keys here are %s", key, strings.Join(keys, ", "))
}

// homesOf lists the mappings in which a key is valid.
func homesOf(key, path string, t reflect.Type) []string {
	var homes []string
	for _, f := range fieldsOf(t) {
		switch {
		case f.key == key && path == "":
			homes = append(homes, "the top level")
		case f.key == key:
			homes = append(homes, fmt.Sprintf("%q", path))
		}
		if f.typ.Kind() == reflect.Struct {
			homes = append(homes, homesOf(key, join(path, f.key), f.typ)...)
		}
	}
	return homes
}
