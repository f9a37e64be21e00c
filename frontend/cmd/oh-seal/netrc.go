package main

import (
	"encoding/base64"
	"strings"
)

// login is what a netrc(5) file says about a host.
type login struct{ user, password string }

// basic is the value of the header Authorization.
func (l login) basic() string { return "Basic " + l.encoded() }

func (l login) encoded() string {
	return base64.StdEncoding.EncodeToString([]byte(l.user + ":" + l.password))
}

// netrc holds logins by host; that of "default" has the key "".
type netrc map[string]login

// parseNetrc reads netrc(5) as curl and Python do: words in any number of
// lines, quoted where they hold spaces, and comments. Macros are skipped.
func parseNetrc(text string) netrc {
	n := netrc{}
	words := netrcWords(text)
	host, known := "", false
	for i := 0; i < len(words); i++ {
		word := words[i]
		if word == "default" {
			host, known = "", true
			n[host] = login{}
			continue
		}
		if i++; i == len(words) {
			break
		}
		l := n[host]
		switch word {
		case "machine":
			host = strings.ToLower(words[i])
			_, twice := n[host] // the first one counts
			if known = !twice; known {
				n[host] = login{}
			}
			continue
		case "login":
			l.user = words[i]
		case "password":
			l.password = words[i]
		}
		if known {
			n[host] = l
		}
	}
	return n
}

// netrcWords splits a file into words, without comments and macros.
func netrcWords(text string) []string {
	var words []string
	macro := false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case line == "":
			macro = false // an empty line ends one
		case strings.HasPrefix(line, "macdef "):
			macro = true
		case !macro && !strings.HasPrefix(line, "#"):
			words = append(words, splitWords(line)...)
		}
	}
	return words
}

// splitWords splits at spaces outside of double quotes; a backslash in quotes
// takes the next byte as it is.
func splitWords(line string) []string {
	var words []string
	var word strings.Builder
	inWord, quoted := false, false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '"' && (quoted || !inWord):
			quoted, inWord = !quoted, true
		case c == '\\' && quoted && i+1 < len(line):
			i++
			word.WriteByte(line[i])
		case !quoted && (c == ' ' || c == '\t'):
			if inWord {
				words = append(words, word.String())
			}
			word.Reset()
			inWord = false
		default:
			inWord = true
			word.WriteByte(c)
		}
	}
	if inWord {
		words = append(words, word.String())
	}
	return words
}

// of is the login for a host.
func (n netrc) of(host string) (login, bool) {
	l, ok := n[strings.ToLower(host)]
	if !ok {
		l, ok = n[""]
	}
	return l, ok && l.password != ""
}
