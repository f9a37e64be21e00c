package seal

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the table of patches to docs/seal.md")

const (
	sealDoc    = "../../docs/seal.md"
	tableBegin = "<!-- patches: go test ./llb/seal -update -->\n"
	tableEnd   = "<!-- end of patches -->"
)

// TestDocumentedPatches holds the table in docs/seal.md to the tables that are
// applied.
func TestDocumentedPatches(t *testing.T) {
	doc, err := os.ReadFile(sealDoc)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := bytes.Cut(doc, []byte(tableBegin))
	_, after, closed := bytes.Cut(rest, []byte(tableEnd))
	if !ok || !closed {
		t.Fatalf("%s has no table between %q and %q", sealDoc, tableBegin, tableEnd)
	}
	want := string(before) + tableBegin + patchTable(t) + tableEnd + string(after)
	if string(doc) == want {
		return
	}
	if !*update {
		t.Fatalf("the table in %s is not current: run go test ./llb/seal -update", sealDoc)
	}
	if err := os.WriteFile(sealDoc, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

func patchTable(t *testing.T) string {
	var b strings.Builder
	b.WriteString("| file | looked for | becomes | times | source |\n|---|---|---|---|---|\n")
	a := arch(t, "amd64")
	for _, soname := range []string{a.Loader, "libc.so.6", "libstdc++.so.6", "libtinfo.so.6", "libcrypto.so.3", "libcurl.so.4"} {
		_, patches := tables(soname, a)
		for _, p := range patches {
			old, replaced := quoted(p.old), quoted(p.new)
			if p.what != "" {
				old, replaced = p.what, "the same with `"+EnvPrefix+"`"
			}
			times := fmt.Sprint(p.want)
			if p.each != "" {
				times += fmt.Sprintf(", and once more for each `%s`", p.each)
			}
			if p.optional {
				times += ", or 0"
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", soname, old, replaced, times, p.source)
		}
	}
	return b.String()
}

// quoted shows the strings of a pattern, which NULs separate.
func quoted(pattern string) string {
	var list []string
	for _, s := range strings.Split(strings.Trim(pattern, "\x00"), "\x00") {
		list = append(list, "`"+s+"`")
	}
	return strings.Join(list, ", ")
}
