// Package reliability keeps docs/reliability.md: each of its tables stands between
// two marks and is written from what a test run has seen.
package reliability

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/openhands/llb-frontend/integration/marks"
)

// EnvWrite makes [Check] write the tables in place of comparing them.
const EnvWrite = "OPENHANDS_WRITE_DOCS"

// Table is one table of the page: what was tried, and what was seen.
type Table struct {
	Header []string
	Rows   [][]string
}

// Markdown is the table as it stands in the page.
func (t Table) Markdown() string {
	var b strings.Builder
	line := func(cells []string) {
		for _, cell := range cells {
			b.WriteString("| " + strings.ReplaceAll(cell, "|", `\|`) + " ")
		}
		b.WriteString("|\n")
	}
	line(t.Header)
	b.WriteString(strings.Repeat("|---", len(t.Header)) + "|\n")
	for _, row := range t.Rows {
		line(row)
	}
	return b.String()
}

// Check fails a test whose table is not the one that the page has under a name; with
// [EnvWrite] set it writes the page. docs is the directory of the page.
func Check(t *testing.T, docs, name string, table Table) {
	t.Helper()
	file := filepath.Join(docs, "reliability.md")
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want, err := marks.Replace(string(page), name, table.Markdown())
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	switch {
	case want == string(page):
	case os.Getenv(EnvWrite) != "":
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("the table %q of %s is not what this run has seen: run the test with %s=1\n%s", name, file, EnvWrite, table.Markdown())
	}
}
