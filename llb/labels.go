package llb

import (
	"cmp"
	"context"
	"maps"
	"strconv"
	"strings"

	"github.com/moby/buildkit/solver/pb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/openhands/llb-frontend/llb/imageconfig"
)

// Labels that say what an image is made of.
const (
	// LabelBaseName and LabelBaseDigest are OCI's names for the base image; both
	// are also annotations of the manifest.
	LabelBaseName   = ocispecs.AnnotationBaseImageName
	LabelBaseDigest = ocispecs.AnnotationBaseImageDigest
	// LabelBaseLayers counts the layers, from the lowest on, that are the base's.
	LabelBaseLayers = "dev.openhands.base.layers"
	// LabelLayers names the layers above those, the lowest first, separated by
	// commas.
	LabelLayers = "dev.openhands.layers"
	// LabelComponents lists the components of /openhands, the lowest first, and
	// after "@" their versions, as far as they are known before the build.
	LabelComponents = "dev.openhands.components"
	// LabelDepsName and LabelDepsDigest are the deps image, where there is one.
	LabelDepsName   = "dev.openhands.deps.name"
	LabelDepsDigest = "dev.openhands.deps.digest"
)

// baseLabels are labels that an image must not get from its base: they are about
// what the base is made of.
func baseLabels() []string {
	return []string{"dev.openhands.", LabelBaseName, LabelBaseDigest}
}

// labels say what the image is made of. Those that the request brings, the
// image's tags, are among them.
func (in Input) labels(layers []imageconfig.Layer) map[string]string {
	labels := maps.Clone(in.Config.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	set := func(key, value string) {
		if value != "" {
			labels[key] = value
		}
	}
	name, dgst := in.Base.Pinned()
	set(LabelBaseName, name)
	set(LabelBaseDigest, dgst)
	set(LabelBaseLayers, in.baseLayers())
	set(LabelLayers, names(layers))
	set(LabelComponents, in.Deps.describe())
	if in.Deps.Prebuilt != nil {
		name, dgst := in.Deps.Prebuilt.Pinned()
		set(LabelDepsName, name)
		set(LabelDepsDigest, dgst)
	}
	return labels
}

// baseLayers is empty where the base does not say how many layers it has: a
// directory of the client, say.
func (in Input) baseLayers() string {
	n := imageconfig.CountLayers(in.Base.Config)
	if n == 0 && in.Base.State.Output() != nil {
		return ""
	}
	return strconv.Itoa(n)
}

func names(layers []imageconfig.Layer) string {
	var list []string
	for _, l := range layers {
		name, ok := strings.CutPrefix(l.CreatedBy, createdBy)
		if !ok { // of a deps image that others made
			name = "deps"
		}
		list = append(list, name)
	}
	return strings.Join(list, ",")
}

// describe lists the components with their versions.
func (d Deps) describe() string {
	var list []string
	for _, part := range d.Parts {
		if v := d.Versions[part]; v != "" {
			part += "@" + v
		}
		list = append(list, part)
	}
	return strings.Join(list, ",")
}

// versionsOf is the inverse of describe, for the versions.
func versionsOf(label string) map[string]string {
	versions := map[string]string{}
	for _, part := range list(label) {
		if name, version, ok := strings.Cut(part, "@"); ok {
			versions[name] = version
		}
	}
	return versions
}

// Pinned gives the name and the digest of an image that comes from a registry, by
// the reference that the graph has for it, which a build context may have
// replaced. An image of an OCI layout has a digest alone, anything else neither.
func (img Image) Pinned() (name, dgst string) {
	def, err := img.State.Marshal(context.Background())
	if err != nil {
		return "", ""
	}
	var source *pb.SourceOp
	for _, dt := range def.Def {
		var op pb.Op
		if err := op.Unmarshal(dt); err != nil {
			return "", ""
		}
		switch {
		case op.GetOp() == nil: // names the result
		case op.GetSource() == nil || source != nil:
			return "", ""
		default:
			source = op.GetSource()
		}
	}
	scheme, ref, _ := strings.Cut(source.GetIdentifier(), "://")
	name, dgst, _ = strings.Cut(ref, "@")
	switch scheme {
	case "docker-image":
		return name, cmp.Or(dgst, img.Digest.String())
	case "oci-layout":
		return "", dgst
	}
	return "", ""
}

// Digest is that of the deps image or, where /openhands is built, of the builder;
// empty where it has none.
func (d Deps) Digest() string {
	_, dgst := d.origin.Pinned()
	return dgst
}

// HasBrowser tells whether /openhands has a browser.
func (in Input) HasBrowser() bool { return in.Deps.holds("browser") }
