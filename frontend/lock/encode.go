package lock

import (
	"bytes"
	"strconv"
	"strings"

	digest "github.com/opencontainers/go-digest"
)

// head stands above the file.
const head = `# What builds of the specs beside this file take, by digest. Do not edit: it is
# written by
#
#   docker buildx build -f openhands.yaml --target lock -o . .
#
# and refreshed by the same command; entries of other bases and specs stay.
`

// Encode writes a lock. The same content gives the same bytes. Facts that no base
// has any more are left out.
func (l *Lock) Encode() []byte {
	w := &writer{}
	w.WriteString(head)
	w.entry(0, "version", version)
	w.digests("images", l.Images)
	w.digests("downloads", l.Downloads)
	if len(l.Packages) > 0 {
		w.open(0, "packages")
	}
	for _, image := range sorted(l.Packages) {
		w.open(1, image)
		if p := l.Packages[image]; p.Snapshot != "" {
			w.entry(2, "snapshot", p.Snapshot)
		} else {
			w.entry(2, "unpinned", p.Unpinned)
		}
	}
	l.encodeBases(w)
	return w.Bytes()
}

func (l *Lock) encodeBases(w *writer) {
	used := map[digest.Digest]bool{}
	if len(l.Bases) > 0 {
		w.open(0, "bases")
	}
	for _, base := range sorted(l.Bases) {
		w.open(1, base.String())
		for _, platform := range sorted(l.Bases[base]) {
			id := l.Bases[base][platform]
			if id == "" {
				w.entry(2, platform, kindNone)
				continue
			}
			w.entry(2, platform, id.String())
			used[id] = true
		}
	}
	if len(used) > 0 {
		w.open(0, "facts")
	}
	for _, id := range sorted(used) {
		w.open(1, id.String())
		w.facts(l.Facts[id])
	}
}

// writer writes YAML: mappings of plain, quoted and literal scalars.
type writer struct{ bytes.Buffer }

func (w *writer) facts(f Facts) {
	w.entry(2, "distribution", f.Distribution)
	if len(f.Files) > 0 {
		w.open(2, "files")
	}
	for _, p := range sorted(f.Files) {
		w.entry(3, p, f.Files[p].String())
	}
	if len(f.Accounts) > 0 {
		w.open(2, "accounts")
	}
	for _, name := range accountFiles {
		if data, ok := f.Accounts[name]; ok {
			w.text(3, name, string(data))
		}
	}
}

func (w *writer) digests(key string, m map[string]digest.Digest) {
	if len(m) > 0 {
		w.open(0, key)
	}
	for _, k := range sorted(m) {
		w.entry(1, k, m[k].String())
	}
}

func (w *writer) open(depth int, key string) {
	w.line(indent(depth), scalar(key), ":\n")
}

func (w *writer) entry(depth int, key, value string) {
	w.line(indent(depth), scalar(key), ": ", scalar(value), "\n")
}

// text writes lines as they are where YAML can hold them so.
func (w *writer) text(depth int, key, value string) {
	if !isLiteral(value) {
		w.entry(depth, key, value)
		return
	}
	w.line(indent(depth), scalar(key), ": |\n")
	for line := range strings.Lines(value) {
		if line != "\n" {
			w.WriteString(indent(depth + 1))
		}
		w.WriteString(line)
	}
}

func (w *writer) line(parts ...string) {
	for _, p := range parts {
		w.WriteString(p)
	}
}

// indent is what stands before the keys of a depth; no lock is deeper than four.
func indent(depth int) string { return "          "[:2*depth] }

// isPlain tells scalars that need no quotes: they hold no character that YAML knows,
// but for a colon inside, and for single spaces between words. Three dots end a
// document where a line begins with them (YAML 1.2.2, 9.1.2).
func isPlain(text string) bool {
	if strings.HasPrefix(text, "...") {
		return false
	}
	before := byte(' ')
	for i := range len(text) {
		c := text[i]
		switch {
		case isWord(c) || c == '/' || c == '.':
		case c == ' ' || c == ':':
			if before == ' ' || before == ':' {
				return false
			}
		case strings.IndexByte("+@=-", c) >= 0:
			if before == ' ' {
				return false
			}
		case strings.IndexByte(",;()", c) >= 0:
			if before == ':' || before == ' ' && (c != '(' || i == 0) {
				return false
			}
		default:
			return false
		}
		before = c
	}
	return before != ' ' && before != ':'
}

func isWord(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_'
}

// isLiteral tells texts that can stand as they are: printable lines that begin with
// what is no white space, each with its end, and between them empty ones.
func isLiteral(text string) bool {
	before := byte('\n')
	for i := range len(text) {
		c := text[i]
		switch {
		case c == '\n':
			if i == 0 {
				return false
			}
		case c < ' ' || c > '~' || c == ' ' && before == '\n':
			return false
		}
		before = c
	}
	return before == '\n' && text != "" && !strings.HasSuffix(text, "\n\n")
}

// scalar writes a key or a value. YAML has all the escapes of Go.
func scalar(text string) string {
	if isPlain(text) {
		return text
	}
	return strconv.QuoteToASCII(text)
}
