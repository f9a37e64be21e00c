package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestScan(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{
		"var/lib/dpkg/status": "Package: tmux\nStatus: install ok installed\nVersion: 3.5a-3\n\nPackage: zlib1g\nVersion: 1:1.3\n",
		"openhands/python/lib/regex-2025.1.dist-info/METADATA":  "Metadata-Version: 2.1\nName: regex\nVersion: 2025.1\n\nName: not this\n",
		"openhands/python/lib/regex-2025.1.dist-info/top_level": "Name: nor this\n",
		"openhands/METADATA":                   "Name: nor that\n",
		"openhands/lib/dpkg/status.d/git":      "Package: git\nVersion: 1:2.47\nDescription: x\n",
		"openhands/lib/dpkg/info/git.list":     "Package: no\nVersion: 1\n",
		"openhands/node/npm/package.json":      `{"name": "npm", "version": "11.1.0"}`,
		"openhands/node/npm/lib/package.json":  `{"type": "module"}`,
		"openhands/browser/chromium.spdx.json": `{"packages": [{"name": "chromium", "versionInfo": "140.1"}]}`,
		"openhands/browser/broken.spdx.json":   `{`,
	} {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(t.TempDir(), "result.spdx.json")
	if err := scan(root, file); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var statement struct {
		PredicateType string
		Predicate     struct {
			Packages []struct {
				ExternalRefs []struct{ ReferenceLocator string }
			}
		}
	}
	if err := json.Unmarshal(b, &statement); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range statement.Predicate.Packages {
		got = append(got, p.ExternalRefs[0].ReferenceLocator)
	}
	want := []string{
		"pkg:generic/chromium@140.1", "pkg:deb/debian/git@1:2.47", "pkg:npm/npm@11.1.0", "pkg:pypi/regex@2025.1",
		"pkg:deb/debian/tmux@3.5a-3", "pkg:deb/debian/zlib1g@1:1.3",
	}
	if !slices.Equal(got, want) || statement.PredicateType != "https://spdx.dev/Document" {
		t.Errorf("%s lists %q, want %q", statement.PredicateType, got, want)
	}
}
