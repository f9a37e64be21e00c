// Command scaling writes the table of costs of docs/scaling.md from what
// integration/scale has measured and keeps beside docs/benchmarks.md.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/openhands/llb-frontend/integration/marks"
)

const (
	valuesFile = "benchmarks/scale.json" // below docs
	docFile    = "scaling.md"
	nothingYet = "No run of `make bench` is kept here: the table is written from one."
)

func main() {
	if err := writeDocs(filepath.Join("..", "docs")); err != nil {
		fmt.Fprintln(os.Stderr, "scaling:", err)
		os.Exit(1)
	}
}

// writeDocs gives the document the table of the values that are kept.
func writeDocs(docs string) error {
	written, err := document(docs)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(docs, docFile), []byte(written), 0o644)
}

// document is the text of the document, with the table.
func document(docs string) (string, error) {
	table, err := section(filepath.Join(docs, valuesFile))
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(filepath.Join(docs, docFile))
	if err != nil {
		return "", err
	}
	return marks.Replace(string(text), "costs", table)
}

// section is the table, or says that there are no values yet.
func section(values string) (string, error) {
	b, err := os.ReadFile(values)
	if errors.Is(err, fs.ErrNotExist) {
		return nothingYet, nil
	}
	if err != nil {
		return "", err
	}
	var r report
	if err := json.Unmarshal(b, &r); err != nil {
		return "", fmt.Errorf("%s: %w", values, err)
	}
	return r.table()
}
