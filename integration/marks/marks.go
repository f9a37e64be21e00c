// Package marks keeps text that programs write in pages that people write: each piece
// stands between two marks that have its name.
package marks

import (
	"fmt"
	"os"
	"strings"
)

// Replace gives a page another text between the marks of a name.
func Replace(page, name, text string) (string, error) {
	begin, end := fmt.Sprintf("<!-- begin: %s -->\n", name), fmt.Sprintf("<!-- end: %s -->", name)
	before, rest, ok := strings.Cut(page, begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		return "", fmt.Errorf("there is no %q followed by %q", strings.TrimSpace(begin), end)
	}
	return before + begin + "\n" + strings.TrimSpace(text) + "\n\n" + end + after, nil
}

// Write replaces in a file.
func Write(file, name, text string) error {
	page, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	written, err := Replace(string(page), name, text)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return os.WriteFile(file, []byte(written), 0o644)
}
