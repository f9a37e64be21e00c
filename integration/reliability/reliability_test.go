package reliability

import "testing"

func TestMarkdown(t *testing.T) {
	table := Table{Header: []string{"in", "out"}, Rows: [][]string{{"a|b", "c"}}}
	if got, want := table.Markdown(), "| in | out |\n|---|---|\n| a\\|b | c |\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
