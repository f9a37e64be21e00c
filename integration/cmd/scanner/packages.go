package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// pkg is a package; kind is the type of its package URL.
type pkg struct{ kind, name, version string }

// packages lists the packages below root in the order of their paths.
func packages(root string) ([]pkg, error) {
	found, err := debianPackages(filepath.Join(root, "var/lib/dpkg/status"))
	if err != nil {
		return nil, err
	}
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() != "METADATA" || !strings.HasSuffix(filepath.Dir(path), ".dist-info") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		head, _, _ := strings.Cut(string(text), "\n\n")
		if p := (pkg{"pypi", field(head, "Name"), field(head, "Version")}); p.name != "" {
			found = append(found, p)
		}
		return nil
	})
	return found, err
}

// debianPackages reads dpkg's status file; a root without one has none.
func debianPackages(status string) ([]pkg, error) {
	text, err := os.ReadFile(status)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var found []pkg
	for paragraph := range strings.SplitSeq(string(text), "\n\n") {
		if p := (pkg{"deb/debian", field(paragraph, "Package"), field(paragraph, "Version")}); p.name != "" {
			found = append(found, p)
		}
	}
	return found, err
}

// field is a field of a paragraph "Name: value".
func field(paragraph, name string) string {
	for line := range strings.Lines(paragraph) {
		if v, ok := strings.CutPrefix(line, name+": "); ok {
			return strings.TrimSpace(v)
		}
	}
	return ""
}
