package main

import (
	"slices"
	"strings"
)

// environ is an environment, NAME=VALUE each.
type environ []string

func (e environ) get(name string) string {
	for _, entry := range e {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value
		}
	}
	return ""
}

// has tells whether a variable is set, if only to nothing.
func (e environ) has(name string) bool {
	return slices.ContainsFunc(e, func(entry string) bool { return strings.HasPrefix(entry, name+"=") })
}

// with returns the environment with one more variable, in place of any other
// of that name.
func (e environ) with(name, value string) environ {
	rest := slices.DeleteFunc(slices.Clone(e), func(entry string) bool {
		return strings.HasPrefix(entry, name+"=")
	})
	return append(rest, name+"="+value)
}

// orDefault sets a variable that is unset or empty.
func (e environ) orDefault(name, value string) environ {
	if e.get(name) != "" {
		return e
	}
	return e.with(name, value)
}
