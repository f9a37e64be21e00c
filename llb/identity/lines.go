package identity

import (
	"bytes"
	"iter"
	"slices"
	"strconv"
	"strings"
)

// lines yields the offset of each line and its text without the line ending.
func lines(file []byte) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		offset := 0
		for line := range bytes.Lines(file) {
			if !yield(offset, strings.TrimRight(string(line), "\r\n")) {
				return
			}
			offset += len(line)
		}
	}
}

// insert puts line where a reader finds it first: before the first line that
// carries the same name (malformed, or it would have been used) or the same id,
// and before NIS compat lines ("+", "-"), behind which the C library may not
// read the file any further. Nothing is removed, so the base's account of that
// id lives on under its name. Without such a line it goes to the end.
//
// Id 0 is the exception: it keeps reading as root, whoever shares it.
func insert(file []byte, line, name string, id *uint32) []byte {
	if id != nil && *id == 0 && name != rootName {
		id = nil
	}
	for offset, text := range lines(file) {
		if comesBefore(text, name, id) {
			return slices.Concat(file[:offset], []byte(line), file[offset:])
		}
	}
	if len(file) > 0 && file[len(file)-1] != '\n' {
		line = "\n" + line
	}
	return slices.Concat(file, []byte(line))
}

// comesBefore tells whether a reader that takes the first match could stop at
// the line text instead of at ours. It reads loosely, because some readers do:
// the C library accepts a sign, container runtimes (moby/sys/user) take spaces
// around the line, missing fields and even comments for accounts. The id is the
// third field in passwd as in group.
func comesBefore(text, name string, id *uint32) bool {
	fields := strings.Split(text, ":")
	first := strings.TrimSpace(fields[0])
	if first == name || isCompat(first) {
		return true
	}
	if id == nil || len(fields) < 3 {
		return false
	}
	have, ok := parseID(strings.TrimPrefix(strings.TrimSpace(fields[2]), "+"))
	return ok && have == *id
}

// names tells whether a line of a shadow file begins with the name.
func names(file []byte, name string) bool {
	for _, text := range lines(file) {
		if strings.HasPrefix(text, name+":") {
			return true
		}
	}
	return false
}

// find returns the first well-formed account that matches.
func find(passwd []byte, match func(Account) bool) (Account, bool) {
	for _, text := range lines(passwd) {
		if a, ok := parseAccount(text); ok && match(a) {
			return a, true
		}
	}
	return Account{}, false
}

// parseAccount reads a line of passwd, see passwd(5): seven fields. An empty
// home is "/", an empty shell "/bin/sh".
func parseAccount(text string) (Account, bool) {
	fields := strings.SplitN(text, ":", 7)
	if len(fields) != 7 || !isName(fields[0]) {
		return Account{}, false
	}
	uid, ok := parseID(fields[2])
	gid, ok2 := parseID(fields[3])
	if !ok || !ok2 {
		return Account{}, false
	}
	a := Account{Name: fields[0], UID: uid, GID: gid, Home: fields[5], Shell: fields[6], Existed: true}
	if a.Home == "" {
		a.Home = "/"
	}
	if a.Shell == "" {
		a.Shell = "/bin/sh"
	}
	return a, true
}

// findGroup returns the gid of the first well-formed group of that name, see
// group(5): four fields.
func findGroup(group []byte, name string) (uint32, bool) {
	for _, text := range lines(group) {
		fields := strings.SplitN(text, ":", 4)
		if len(fields) != 4 || fields[0] != name {
			continue
		}
		if gid, ok := parseID(fields[2]); ok {
			return gid, true
		}
	}
	return 0, false
}

func parseID(s string) (uint32, bool) {
	id, err := strconv.ParseUint(s, 10, 32)
	return uint32(id), err == nil
}

func isName(s string) bool { return s != "" && !isCompat(s) && !isComment(s) }

func isCompat(s string) bool { return strings.HasPrefix(s, "+") || strings.HasPrefix(s, "-") }

func isComment(s string) bool { return strings.HasPrefix(s, "#") }
