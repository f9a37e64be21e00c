package llb_test

import (
	"os"
	"strings"
	"testing"

	"github.com/openhands/llb-frontend/frontend/spec"
	"github.com/openhands/llb-frontend/llb/secret"
)

// docs/closed-networks.md has a row for each mirror and each secret, and its
// example of a spec is one.
func TestClosedNetworksPage(t *testing.T) {
	if _, err := os.Stat("../docs"); err != nil {
		t.Skip("the documents are not here: the image that the Dockerfile tests in has the code alone")
	}
	b, err := os.ReadFile("../docs/closed-networks.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	for _, s := range secret.All() {
		if row := "\n| `" + s.ID + "` | " + s.Holds; !strings.Contains(page, row) {
			t.Errorf("no row for the secret %s: %q", s.ID, row)
		}
	}
	_, example, _ := strings.Cut(page, "```yaml\n")
	example, _, _ = strings.Cut(example, "```")
	doc, err := spec.Load("page.yaml", []byte("base_image: scratch\n"+example), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(doc.Spec.Mirrors) < 7 {
		t.Errorf("the example has the mirrors %v", doc.Spec.Mirrors)
	}
	for name := range doc.Spec.Mirrors {
		if !strings.Contains(page, "| `"+name+"` | ") {
			t.Errorf("no row for the mirror %s", name)
		}
	}
}
