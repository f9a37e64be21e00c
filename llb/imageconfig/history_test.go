package imageconfig

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"
	"time"

	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	"github.com/opencontainers/go-digest"
)

var deps = []Layer{
	{CreatedBy: "deps lib", DiffID: "sha256:d1"},
	{CreatedBy: "deps tools", DiffID: "sha256:d2"},
	{CreatedBy: "identity"},
	{CreatedBy: "code", DiffID: "sha256:d4"},
}

// TestRewriteTimestamp holds Apply and BaseFor against what BuildKit's exporter
// keeps: see BaseFor.
func TestRewriteTimestamp(t *testing.T) {
	epoch := time.Unix(5, 0)
	for _, tt := range []struct {
		name        string
		base        string
		patch       Patch
		wantDiffIDs []digest.Digest
		wantKept    int // history entries that keep their time
		wantHistory int
	}{
		{
			name: "history complete", base: fullBase, patch: Patch{Layers: deps},
			wantDiffIDs: []digest.Digest{"sha256:b1", "sha256:b2", "sha256:d1", "sha256:d2"}, wantKept: 5, wantHistory: 7,
		},
		{
			name: "with an epoch", base: fullBase, patch: Patch{Layers: deps, Created: &epoch},
			wantDiffIDs: []digest.Digest{"sha256:b1", "sha256:b2", "sha256:d1", "sha256:d2"}, wantKept: 5, wantHistory: 7,
		},
		{
			name: "first layer unknown", base: fullBase, patch: Patch{Layers: deps[2:]},
			wantDiffIDs: []digest.Digest{"sha256:b1", "sha256:b2"}, wantKept: 3, wantHistory: 5,
		},
		{
			name: "all layers known", base: fullBase, patch: Patch{Layers: deps[:2]},
			wantDiffIDs: []digest.Digest{"sha256:b1", "sha256:b2", "sha256:d1", "sha256:d2"}, wantKept: 5, wantHistory: 5,
		},
		{
			name: "no history", base: `{"rootfs": {"diff_ids": ["sha256:b1", "sha256:b2"]}}`, patch: Patch{Layers: deps},
			wantDiffIDs: []digest.Digest{"sha256:b1", "sha256:b2", "sha256:d1", "sha256:d2"}, wantKept: 4, wantHistory: 6,
		},
		{
			name: "history too short and without times",
			base: `{"created": "2025-01-01T00:00:00Z", "rootfs": {"diff_ids": ["sha256:b1", "sha256:b2"]},
				"history": [{"created_by": "a"}, {"created_by": "b", "empty_layer": true}]}`,
			patch:       Patch{Layers: deps[:1], Created: &epoch},
			wantDiffIDs: []digest.Digest{"sha256:b1", "sha256:b2", "sha256:d1"}, wantKept: 4, wantHistory: 4,
		},
		{
			name: "config of a target, without its diffIDs",
			base: `{"rootfs": {"diff_ids": ["sha256:b1"]}, "history": [{"created_by": "a"}, {"created_by": "b"}]}`, patch: Patch{Layers: deps},
			wantDiffIDs: []digest.Digest{"sha256:b1"}, wantKept: 2, wantHistory: 6,
		},
		{
			name: "scratch", base: `{}`, patch: Patch{Layers: deps},
			wantDiffIDs: []digest.Digest{"sha256:d1", "sha256:d2"}, wantKept: 2, wantHistory: 4,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			base := parse(t, tt.base)
			image, baseFor := overTheWire(t, Apply(base, tt.patch)), overTheWire(t, BaseFor(base, tt.patch))

			if got := baseFor.RootFS.DiffIDs; !slices.Equal(got, tt.wantDiffIDs) {
				t.Errorf("diffIDs %q, want %q", got, tt.wantDiffIDs)
			}
			if len(image.History) != tt.wantHistory {
				t.Errorf("%d history entries, want %d", len(image.History), tt.wantHistory)
			}
			kept := 0
			for kept < min(len(image.History), len(baseFor.History)) && reflect.DeepEqual(image.History[kept], baseFor.History[kept]) {
				kept++
			}
			if kept != tt.wantKept || kept != len(baseFor.History) {
				t.Errorf("%d of the base's %d history entries are kept, want %d", kept, len(baseFor.History), tt.wantKept)
			}
			for i, h := range image.History {
				if h.Created == nil {
					t.Errorf("history entry %d has no time", i)
				}
			}
			if !reflect.DeepEqual(baseFor.Config, overTheWire(t, base).Config) {
				t.Error("BaseFor changes the base's settings")
			}
		})
	}
}

// overTheWire is what the exporter sees.
func overTheWire(t *testing.T, img dockerspec.DockerOCIImage) dockerspec.DockerOCIImage {
	t.Helper()
	dt, err := json.Marshal(img)
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, string(dt))
}

func TestFixedTime(t *testing.T) {
	epoch := time.Unix(5, 0).In(time.FixedZone("", 7200))
	for _, tt := range []struct {
		name, base string
		created    *time.Time
		want       string // of the image and of the layer that it adds
	}{
		{"epoch", fullBase, &epoch, "1970-01-01T00:00:05Z"},
		{"base's", fullBase, nil, "2025-05-01T08:00:00Z"},
		{"none", `{}`, nil, "1970-01-01T00:00:00Z"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			img := Apply(parse(t, tt.base), Patch{Created: tt.created, Layers: deps[:1]})
			added := img.History[len(img.History)-1].Created
			for _, at := range []*time.Time{img.Created, added} {
				if got := at.Format(time.RFC3339Nano); got != tt.want {
					t.Errorf("%s, want %s", got, tt.want)
				}
			}
		})
	}
}

func TestLayersOf(t *testing.T) {
	for _, tt := range []struct {
		name, img string
		want      []Layer
	}{
		{"none", `{}`, []Layer{}},
		{"without history", `{"rootfs": {"diff_ids": ["sha256:a", "sha256:b"]}}`,
			[]Layer{{CreatedBy: "deps", DiffID: "sha256:a"}, {CreatedBy: "deps", DiffID: "sha256:b"}}},
		{"with history", fullBase,
			[]Layer{{CreatedBy: "rootfs", Comment: "y", DiffID: "sha256:b1"}, {CreatedBy: "app", DiffID: "sha256:b2"}}},
		{"with too much history", `{"rootfs": {"diff_ids": ["sha256:a"]}, "history": [{"created_by": "x"}, {"created_by": "y"}]}`,
			[]Layer{{CreatedBy: "deps", DiffID: "sha256:a"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := LayersOf(parse(t, tt.img), "deps"); !slices.Equal(got, tt.want) {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
}
