package seal

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// patch replaces a byte pattern by one of equal length.
type patch struct {
	old, new string
	// want is how often old is there.
	want int
	// each is a marker: for each of its occurrences, old is there once more.
	each string
	// optional allows that old is not there at all.
	optional bool
	// what describes a pattern that is no text.
	what string
	// source says where the pattern comes from.
	source string
}

// String names what is looked for, for messages and the documentation.
func (p patch) String() string {
	if p.what != "" {
		return p.what
	}
	return strconv.Quote(strings.Trim(p.old, "\x00"))
}

// apply performs all patches or none. A file in which all of them have been
// performed before is left alone.
func apply(b []byte, patches []patch) (changed bool, err error) {
	var todo []patch
	for _, p := range patches {
		want := p.want
		if p.each != "" {
			want += bytes.Count(b, []byte(p.each))
		}
		before, after := bytes.Count(b, []byte(p.old)), bytes.Count(b, []byte(p.new))
		switch {
		case before == want && after == 0:
			todo = append(todo, p)
		case before == 0 && after == want, before+after == 0 && p.optional:
		default:
			return false, fmt.Errorf("looked for %s (%s), found it %d times, want %d", p, p.source, before, want)
		}
	}
	for _, p := range todo {
		replace(b, []byte(p.old), []byte(p.new))
	}
	return len(todo) > 0, nil
}

func replace(b, old, new []byte) {
	for at := bytes.Index(b, old); at >= 0; {
		copy(b[at:], new)
		next := bytes.Index(b[at+len(old):], old)
		if next < 0 {
			return
		}
		at += len(old) + next
	}
}

// ReplacePath overwrites every mention of the path old, or of a path below it,
// by the equally long path new, and returns how many there were. A longer name
// that merely starts or ends like old is left alone, and so is a longer path
// that a relative old is the end of.
func ReplacePath(b []byte, old, new string) (int, error) {
	if old == "" || len(old) != len(new) {
		return 0, fmt.Errorf("path %q and its replacement %q differ in length", old, new)
	}
	count := 0
	for at := 0; ; {
		next := bytes.Index(b[at:], []byte(old))
		if next < 0 {
			return count, nil
		}
		at += next
		end := at + len(old)
		if !continues(b[:at], old) && (end == len(b) || !nameByte(b[end])) {
			copy(b[at:], new)
			count++
		}
		at = end
	}
}

// continues says whether path is but the rest of a name or path that begins in
// before.
func continues(before []byte, path string) bool {
	if len(before) == 0 {
		return false
	}
	last := before[len(before)-1]
	return nameByte(last) || last == '/' && path[0] != '/'
}

func nameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
		c == '_' || c == '-' || c == '+' || c == '.'
}
