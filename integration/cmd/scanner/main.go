// Command scanner is the SBOM generator that the local registry serves under the
// name of BuildKit's default one: it speaks the same protocol (BuildKit's
// docs/attestations/sbom-protocol.md), and lists packages as Syft would,
// of the few kinds that images of this project have.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "scanner:", err)
		os.Exit(1)
	}
}

func run() error {
	to, source := os.Getenv("BUILDKIT_SCAN_DESTINATION"), os.Getenv("BUILDKIT_SCAN_SOURCE")
	if to == "" || source == "" {
		return errors.New("BUILDKIT_SCAN_DESTINATION and BUILDKIT_SCAN_SOURCE must be set")
	}
	sources := []string{source}
	if extras := os.Getenv("BUILDKIT_SCAN_SOURCE_EXTRAS"); extras != "" {
		more, err := filepath.Glob(filepath.Join(extras, "*"))
		if err != nil {
			return err
		}
		sources = append(sources, more...)
	}
	for _, root := range sources {
		if err := scan(root, filepath.Join(to, filepath.Base(root)+".spdx.json")); err != nil {
			return fmt.Errorf("scan %s: %w", root, err)
		}
	}
	return nil
}

// scan writes what stands below root as an in-toto statement whose predicate is
// an SPDX document.
func scan(root, file string) error {
	found, err := packages(root)
	if err != nil {
		return err
	}
	fmt.Printf("%s: %d packages\n", filepath.Base(root), len(found))
	b, err := json.MarshalIndent(map[string]any{
		"_type":         "https://in-toto.io/Statement/v0.1",
		"predicateType": "https://spdx.dev/Document",
		"predicate":     document(filepath.Base(root), found),
	}, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, b, 0o644)
}

// document is an SPDX 2.3 document of packages.
func document(name string, found []pkg) map[string]any {
	list := []map[string]any{}
	for i, p := range found {
		list = append(list, map[string]any{
			"SPDXID": fmt.Sprintf("SPDXRef-Package-%d", i), "name": p.name, "versionInfo": p.version,
			"downloadLocation": "NOASSERTION", "filesAnalyzed": false,
			"externalRefs": []map[string]string{{
				"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
				"referenceLocator": "pkg:" + p.kind + "/" + p.name + "@" + p.version,
			}},
		})
	}
	return map[string]any{
		"spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT",
		"name": name, "documentNamespace": "https://openhands.example.com/spdx/" + name,
		"creationInfo": map[string]any{"created": "1970-01-01T00:00:00Z", "creators": []string{"Tool: openhands-scanner"}},
		"packages":     list,
	}
}
