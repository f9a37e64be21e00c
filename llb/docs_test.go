package llb_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// testsByPackage are the names of all tests, by the directory of their package.
// Where only a part of the repository is there, as in the image that the
// Dockerfile tests in, it skips.
func testsByPackage(t *testing.T) map[string]map[string]bool {
	t.Helper()
	const root = ".."
	if _, err := os.Stat(filepath.Join(root, "integration")); err != nil {
		t.Skip("the tests of the integration module are not here")
	}
	function := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)\w+)\(`)
	tests := map[string]map[string]bool{}
	err := filepath.WalkDir(root, func(file string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(file, "_test.go") {
			return err
		}
		b, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		dir, err := filepath.Rel(root, filepath.Dir(file))
		if err != nil {
			return err
		}
		if tests[dir] == nil {
			tests[dir] = map[string]bool{}
		}
		for _, m := range function.FindAllSubmatch(b, -1) {
			tests[dir][string(m[1])] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return tests
}

// TestDefects holds docs/defects.md to the code: a row for each of the forty
// defects, and every test that a row names is there.
func TestDefects(t *testing.T) {
	tests := testsByPackage(t)
	b, err := os.ReadFile("../docs/defects.md")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`([a-z/-]+)\\.((?:Test|Fuzz|Benchmark)\\w+)`")
	next := 1
	for line := range strings.Lines(string(b)) {
		names := named.FindAllStringSubmatch(line, -1)
		for _, m := range names {
			if !tests[m[1]][m[2]] {
				t.Errorf("%s has no test %s", m[1], m[2])
			}
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		n, err := strconv.Atoi(strings.TrimSpace(cells[0]))
		if err != nil {
			continue
		}
		if n != next {
			t.Errorf("row %d stands where %d is expected", n, next)
		}
		if len(cells) != 4 || len(names) == 0 {
			t.Errorf("row %d has %d cells and names %d tests, want 4 and one or more", n, len(cells), len(names))
		}
		next = n + 1
	}
	if next != 41 {
		t.Errorf("the last row is %d, want 40", next-1)
	}
}

// TestDocumentedTests says that every test that the documents name is there,
// whatever its package.
func TestDocumentedTests(t *testing.T) {
	all := map[string]bool{}
	for _, names := range testsByPackage(t) {
		for name := range names {
			all[name] = true
		}
	}
	files, err := filepath.Glob("../docs/*.md")
	if err != nil || len(files) == 0 {
		t.Fatalf("found %d documents, error %v", len(files), err)
	}
	named := regexp.MustCompile(`\b((?:Test|Fuzz|Benchmark)[A-Z]\w*)(\*?)`)
	for _, file := range append(files, "../README.md", "../integration/README.md") {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range named.FindAllStringSubmatch(string(b), -1) {
			found := all[m[1]]
			for name := range all {
				found = found || m[2] == "*" && strings.HasPrefix(name, m[1])
			}
			if !found {
				t.Errorf("%s names %s, which is no test", file, m[0])
			}
		}
	}
}
