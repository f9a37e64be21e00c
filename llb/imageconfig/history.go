package imageconfig

import (
	"slices"
	"time"

	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	"github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

const rootFSType = "layers"

// Layer describes a layer that is added to a base.
type Layer struct {
	CreatedBy string // what made it, as `docker history` shows it
	Comment   string
	// DiffID is the digest of the uncompressed layer; empty where only the build
	// will tell.
	DiffID digest.Digest
}

// LayersOf lists the layers of an image, with the text of its history where
// that has an entry for each, and createdBy where it has none.
func LayersOf(img dockerspec.DockerOCIImage, createdBy string) []Layer {
	history := slices.DeleteFunc(slices.Clone(img.History), func(h ocispecs.History) bool { return h.EmptyLayer })
	layers := make([]Layer, len(img.RootFS.DiffIDs))
	for i, id := range img.RootFS.DiffIDs {
		layers[i] = Layer{CreatedBy: createdBy, DiffID: id}
		if len(history) == len(layers) && history[i].CreatedBy != "" {
			layers[i].CreatedBy, layers[i].Comment = history[i].CreatedBy, history[i].Comment
		}
	}
	return layers
}

// BaseFor returns what BuildKit must take for the base of the image that Apply
// makes with the same arguments: the base, and of p.Layers those in front whose
// DiffID is known.
//
// With rewrite-timestamp, BuildKit's exporter (exporter/containerimage,
// rewriteRemoteWithEpoch and patchImageConfig) leaves layers alone as long as
// their diffIDs, from the lowest on, equal those of the base config, and history
// entries as long as they equal those of the base config in every field. It
// rewrites all that follows the first difference.
func BaseFor(base dockerspec.DockerOCIImage, p Patch) dockerspec.DockerOCIImage {
	known := p.Layers
	if i := slices.IndexFunc(known, func(l Layer) bool { return l.DiffID == "" }); i >= 0 {
		known = known[:i]
	}
	if missingDiffIDs(base) {
		known = nil
	}
	return withLayers(base, p, known)
}

// withLayers returns a copy of the base with layers on top of it. Each layer of
// the result has one history entry, and each entry a time: what is missing, the
// exporter would take from its cache, with the time at which this daemon pulled
// or made the layer, and two daemons would give two images.
func withLayers(base dockerspec.DockerOCIImage, p Patch, layers []Layer) dockerspec.DockerOCIImage {
	img := clone(base)
	created := fixedTime(base, p)
	img.RootFS.Type = rootFSType

	for range len(img.RootFS.DiffIDs) - countLayers(img.History) {
		img.History = append(img.History, ocispecs.History{CreatedBy: "base image layer without history"})
	}
	known := !missingDiffIDs(base)
	for _, l := range layers {
		img.History = append(img.History, ocispecs.History{CreatedBy: l.CreatedBy, Comment: l.Comment})
		if known = known && l.DiffID != ""; known {
			img.RootFS.DiffIDs = append(img.RootFS.DiffIDs, l.DiffID)
		}
	}
	for i := range img.History {
		if img.History[i].Created == nil {
			img.History[i].Created = ptr(created)
		}
	}
	return img
}

// missingDiffIDs tells whether the base has layers that its config does not
// list. A base that another target of the same build makes comes with the
// config that its frontend wrote: its history is complete, but only the exporter
// adds the diffIDs. What lies on top of such a base has no known position.
func missingDiffIDs(base dockerspec.DockerOCIImage) bool {
	return countLayers(base.History) > len(base.RootFS.DiffIDs)
}

// CountLayers counts the layers of an image by its config, which names them by
// diffID, by history or by both.
func CountLayers(img dockerspec.DockerOCIImage) int {
	return max(len(img.RootFS.DiffIDs), countLayers(img.History))
}

func countLayers(history []ocispecs.History) int {
	n := 0
	for _, h := range history {
		if !h.EmptyLayer {
			n++
		}
	}
	return n
}

// fixedTime is the time of all that has none of its own. It is in UTC, so that
// the machine's time zone does not reach the config.
func fixedTime(base dockerspec.DockerOCIImage, p Patch) time.Time {
	switch {
	case p.Created != nil:
		return p.Created.UTC()
	case base.Created != nil:
		return base.Created.UTC()
	}
	return time.Unix(0, 0).UTC()
}

func ptr[T any](v T) *T { return &v }
