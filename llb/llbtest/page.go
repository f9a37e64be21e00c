package llbtest

import (
	"os"
	"strings"
	"testing"
)

// envWrite is that of package integration/reliability, which keeps the other
// tables of the page.
const envWrite = "OPENHANDS_WRITE_DOCS"

// Page compares a table with the one between the marks of a name in a page of the
// documentation, or writes it. The first row is the table's head.
func Page(t *testing.T, file, name string, rows [][]string) {
	t.Helper()
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	begin, end := "<!-- begin: "+name+" -->\n", "<!-- end: "+name+" -->"
	before, rest, ok := strings.Cut(string(page), begin)
	have, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no marks %q", file, name)
	}
	want := "\n" + markdown(rows) + "\n"
	switch {
	case have == want:
	case os.Getenv(envWrite) != "": //nolint:forbidigo // tests alone import this package
		if err := os.WriteFile(file, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("the table %q of %s is not what this run has seen: run the test with %s=1\n%s", name, file, envWrite, want)
	}
}

// Text compares a file that is made by a test with what the test gives, or writes it.
func Text(t *testing.T, file, want string) {
	t.Helper()
	have, err := os.ReadFile(file)
	if os.Getenv(envWrite) != "" { //nolint:forbidigo // tests alone import this package
		have, err = []byte(want), os.WriteFile(file, []byte(want), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != want {
		t.Errorf("%s is not what this run has seen: run the test with %s=1", file, envWrite)
	}
}

func markdown(rows [][]string) string {
	var b strings.Builder
	for i, row := range rows {
		for _, cell := range row {
			b.WriteString("| " + strings.ReplaceAll(cell, "|", `\|`) + " ")
		}
		b.WriteString("|\n")
		if i == 0 {
			b.WriteString(strings.Repeat("|---", len(row)) + "|\n")
		}
	}
	return b.String()
}
