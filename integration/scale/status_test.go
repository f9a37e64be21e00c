package main

import (
	"maps"
	"strings"
	"testing"
	"time"
)

// What buildx prints with --progress=rawjson, shortened: a vertex comes again when
// more of it is known.
const rawStatus = `
{"vertexes":[{"digest":"sha256:00","name":"[internal] load local bake definitions","started":"2025-12-31T00:00:00Z","completed":"2025-12-31T00:00:01Z"}]}
{"vertexes":[{"digest":"sha256:01","name":"[internal] load build definition from build","started":"2026-01-01T00:00:00Z"}]}
{"vertexes":[{"digest":"sha256:01","name":"[internal] load build definition from build","started":"2026-01-01T00:00:00Z","completed":"2026-01-01T00:00:00.1Z"}],"statuses":[{"id":"x","vertex":"sha256:01","current":1}]}
{"vertexes":[{"digest":"sha256:02","name":"[internal] load metadata for example.com/base:1","started":"2026-01-01T00:00:00.3Z","completed":"2026-01-01T00:00:00.5Z"}]}
{"vertexes":[{"digest":"sha256:03","name":"[internal] load metadata for example.com/deps:1","started":"2026-01-01T00:00:00.4Z","completed":"2026-01-01T00:00:00.6Z"}]}
{"vertexes":[{"digest":"sha256:04","name":"[compose] put /openhands on base","started":"2026-01-01T00:00:00.6Z","completed":"2026-01-01T00:00:00.6Z"}]}
WARNING: not JSON
{"vertexes":[{"digest":"sha256:05","name":"exporting to image","started":"2026-01-01T00:00:00.7Z","completed":"2026-01-01T00:00:01Z"},{"digest":"sha256:06","name":"never ran"}]}
`

func TestPhases(t *testing.T) {
	images, err := readStatus(strings.NewReader(rawStatus))
	if err != nil || len(images) != 1 {
		t.Fatalf("%d images, error %v", len(images), err)
	}
	if got := images[""].span(); got != time.Second {
		t.Errorf("the build took %s, want a second", got)
	}
	got := images[""].phases(1.5)
	for k, v := range got {
		got[k] = round(v)
	}
	// The two resolves overlap: side by side they count once.
	want := map[phase]float64{contextPhase: 0.1, resolvePhase: 0.3, composePhase: 0, exportPhase: 0.3, otherPhase: 0.8}
	if !maps.Equal(got, want) {
		t.Errorf("phases are %v, want %v", got, want)
	}
}

// Images of one bake call come apart, also where they share vertices.
func TestBakeProgress(t *testing.T) {
	_, builds, _ := strings.Cut(strings.TrimLeft(rawStatus, "\n"), "\n") // bake's own line has no target
	text := strings.ReplaceAll(builds, `"name":"[`, `"name":"[scale-0 `)
	text = strings.ReplaceAll(text, `"name":"e`, `"name":"[scale-0] e`)
	text = strings.ReplaceAll(text, `"name":"n`, `"name":"[scale-0] n`)
	images, err := readStatus(strings.NewReader(text + strings.ReplaceAll(text, "scale-0", "scale-1")))
	if err != nil || len(images) != 2 {
		t.Fatalf("%d images, error %v", len(images), err)
	}
	for _, image := range images {
		if image.span() != time.Second || round(image.phases(1)[resolvePhase]) != 0.3 {
			t.Errorf("an image took %s, of it %v", image.span(), image.phases(1))
		}
	}
}

func TestSplitTarget(t *testing.T) {
	for name, want := range map[string][2]string{
		"[scale-7 internal] load build definition": {"scale-7", "[internal] load build definition"},
		"[scale-12] exporting to image":            {"scale-12", "exporting to image"},
		"[internal] load build definition":         {"", "[internal] load build definition"},
		"[scale-":                                  {"", "[scale-"},
	} {
		if target, rest := splitTarget(name); target != want[0] || rest != want[1] {
			t.Errorf("%q is %q of target %q, want %q of %q", name, rest, target, want[1], want[0])
		}
	}
}
