package reliability

import "testing"

func TestReplace(t *testing.T) {
	page := "a\n<!-- begin: x -->\nold\n<!-- end: x -->\nb\n"
	table := Table{Header: []string{"in", "out"}, Rows: [][]string{{"a|b", "c"}}}
	got, err := Replace(page, "x", table.Markdown())
	if want := "a\n<!-- begin: x -->\n\n| in | out |\n|---|---|\n| a\\|b | c |\n\n<!-- end: x -->\nb\n"; err != nil || got != want {
		t.Errorf("got %q, %v", got, err)
	}
	if again, err := Replace(got, "x", table.Markdown()); err != nil || again != got {
		t.Errorf("a second time: %q, %v", again, err)
	}
	for _, name := range []string{"y", ""} {
		if _, err := Replace(page, name, ""); err == nil {
			t.Errorf("%q is found", name)
		}
	}
}
