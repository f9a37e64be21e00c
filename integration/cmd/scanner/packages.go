package main

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// pkg is a package; kind is the type of its package URL.
type pkg struct{ kind, name, version string }

// packages lists the packages below root in the order of their paths.
func packages(root string) ([]pkg, error) {
	var found []pkg
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		read := readerOf(path)
		if read == nil {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, p := range read(string(text)) {
			if p.name != "" {
				found = append(found, p)
			}
		}
		return nil
	})
	return found, err
}

// readerOf knows the files that Syft looks for, wherever they are: dpkg's records,
// those of a package manager or of images without one, Python's, npm's, and SPDX
// documents (which Syft reads when it is told to: +sbom-cataloger).
func readerOf(path string) func(text string) []pkg {
	dir, name := filepath.Split(path)
	switch dir = filepath.Clean(dir); {
	case strings.HasSuffix(path, "/lib/dpkg/status"), strings.HasSuffix(dir, "/lib/dpkg/status.d"):
		return debianPackages
	case name == "METADATA" && strings.HasSuffix(dir, ".dist-info"):
		return func(text string) []pkg {
			head, _, _ := strings.Cut(text, "\n\n")
			return []pkg{{"pypi", field(head, "Name"), field(head, "Version")}}
		}
	case name == "package.json":
		return npmPackage
	case strings.HasSuffix(name, ".spdx.json"):
		return spdxPackages
	}
	return nil
}

// debianPackages reads paragraphs of dpkg.
func debianPackages(text string) (found []pkg) {
	for paragraph := range strings.SplitSeq(text, "\n\n") {
		found = append(found, pkg{"deb/debian", field(paragraph, "Package"), field(paragraph, "Version")})
	}
	return found
}

// npmPackage reads a package.json; those of parts of packages have no version.
func npmPackage(text string) []pkg {
	var p struct{ Name, Version string }
	if err := json.Unmarshal([]byte(text), &p); err != nil || p.Version == "" {
		return nil
	}
	return []pkg{{"npm", p.Name, p.Version}}
}

func spdxPackages(text string) (found []pkg) {
	var doc struct {
		Packages []struct{ Name, VersionInfo string }
	}
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		return nil
	}
	for _, p := range doc.Packages {
		found = append(found, pkg{"generic", p.Name, p.VersionInfo})
	}
	return found
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
