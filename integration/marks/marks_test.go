package marks

import (
	"os"
	"path/filepath"
	"testing"
)

func TestReplace(t *testing.T) {
	page := "a\n<!-- begin: x -->\nold\n<!-- end: x -->\nb\n"
	got, err := Replace(page, "x", "new\n")
	if want := "a\n<!-- begin: x -->\n\nnew\n\n<!-- end: x -->\nb\n"; err != nil || got != want {
		t.Errorf("got %q, %v", got, err)
	}
	if again, err := Replace(got, "x", "new\n"); err != nil || again != got {
		t.Errorf("a second time: %q, %v", again, err)
	}
	for _, name := range []string{"y", ""} {
		if _, err := Replace(page, name, ""); err == nil {
			t.Errorf("%q is found", name)
		}
	}
}

func TestWrite(t *testing.T) {
	file := filepath.Join(t.TempDir(), "page.md")
	if err := os.WriteFile(file, []byte("<!-- begin: x -->\n<!-- end: x -->\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Write(file, "x", "new"); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(file)
	if want := "<!-- begin: x -->\n\nnew\n\n<!-- end: x -->\n"; err != nil || string(got) != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	if err := Write(file, "y", "new"); err == nil {
		t.Error("a name that is not there is no error")
	}
}
