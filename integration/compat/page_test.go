package compat

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// update writes the page instead of comparing it.
var update = flag.Bool("update", false, "write docs/compatibility.md")

const repo = "../.."

// The page is the one that the table makes, and every test that it names is
// there.
func TestPage(t *testing.T) {
	file := filepath.Join(repo, "docs", "compatibility.md")
	want, err := Page(Rows(), link)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is not what the table makes: run go generate ./compat in integration", file)
	}
}

// Every row says something of every peer, and what is left out has a reason
// that stands beside what is proven.
func TestRows(t *testing.T) {
	names := map[string]bool{}
	for _, r := range Rows() {
		if names[r.Name] {
			t.Errorf("%s is there twice", r.Name)
		}
		names[r.Name] = true
		for i, mark := range r.Peers {
			if !slices.Contains([]string{"Y", "P", "N", "-", "?"}, mark) {
				t.Errorf("%s: %q for %s", r.Name, mark, peers()[i])
			}
		}
		if r.Ours == "" || r.Mark() != "Y" && r.Lacks == "" {
			t.Errorf("%s is %s and does not say why", r.Name, r.Mark())
		}
	}
}

func TestMissingTestsAreFound(t *testing.T) {
	for _, proof := range []string{"TestNoSuchTest", "TestMistakes/no such row", "frontend.TestMistakes", "nowhere.TestMistakes"} {
		if file, err := link(proof); err == nil {
			t.Errorf("%s is found in %s", proof, file)
		}
	}
	for proof, want := range map[string]string{
		"TestMistakes/unknown target": "../integration/errors_test.go",
		"frontend.TestPlatforms":      "../frontend/build_test.go",
	} {
		if file, err := link(proof); err != nil || file != want {
			t.Errorf("%s: %s, %v, want %s", proof, file, err, want)
		}
	}
}

// link finds the file of a test. A subtest is there when the test's own
// function has its name as a string.
func link(proof string) (string, error) {
	dir, test := split(proof)
	name, sub, isSub := strings.Cut(test, "/")
	files, err := filepath.Glob(filepath.Join(repo, dir, "*_test.go"))
	if err != nil {
		return "", err
	}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			return "", err
		}
		for _, d := range parsed.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Recv != nil || f.Name.Name != name {
				continue
			}
			if isSub && !holds(f, sub) {
				return "", fmt.Errorf("%s has no subtest %q", name, sub)
			}
			return "../" + dir + "/" + filepath.Base(file), nil
		}
	}
	return "", fmt.Errorf("there is no test %s in %s", name, dir)
}

func holds(f *ast.FuncDecl, text string) (found bool) {
	ast.Inspect(f, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if s, err := strconv.Unquote(lit.Value); err == nil && s == text {
				found = true
			}
		}
		return !found
	})
	return found
}
