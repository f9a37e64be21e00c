package frontend

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/exporter/containerimage/exptypes"
	"github.com/moby/buildkit/frontend/dockerui"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/openhands/llb-frontend/frontend/spec"
	"github.com/openhands/llb-frontend/frontend/tags"
	ohllb "github.com/openhands/llb-frontend/llb"
)

// labelled gives the image the tags that are known as labels: all of them where
// the request asks for names.
func (r *request) labelled(ctx context.Context, in ohllb.Input) (ohllb.Input, error) {
	wanted := r.repository != ""
	t, err := r.tagsOf(ctx, in, wanted)
	if err != nil {
		return in, err
	}
	if wanted {
		for _, reason := range t.reasons() {
			r.warn(ctx, in.Problem("", errors.New(reason)).Problems)
		}
	}
	in.Config.Labels = t.set.Labels()
	return in, nil
}

// addMeta adds what exporters take from a result: the base image as annotations
// and, for an exporter whose name is "*", the names. All of it stands in the
// labels of the images.
func (r *request) addMeta(rb *dockerui.ResultBuilder) error {
	sets := map[string]tags.Set{}
	for _, p := range r.TargetPlatforms {
		id, labels, err := labelsOf(rb, p)
		if err != nil {
			return err
		}
		sets[id] = tags.FromLabels(labels)
		var of *ocispecs.Platform
		if r.MultiPlatformRequested {
			of = &p
		}
		for _, key := range []string{ohllb.LabelBaseName, ohllb.LabelBaseDigest} {
			if v := labels[key]; v != "" && r.target.name == targetRuntime {
				rb.AddMeta(exptypes.AnnotationManifestKey(of, key), []byte(v))
			}
		}
	}
	if r.repository == "" {
		return nil
	}
	names := tags.Join(sets).Names(r.repository)
	if len(names) == 0 {
		return errors.New("build arg " + spec.RuntimeImageRepo + ": the image has no tag to be named by; name it with --tag")
	}
	rb.AddMeta(exptypes.ExporterImageNameKey, []byte(strings.Join(names, ",")))
	return nil
}

// labelsOf reads the labels of a platform's image in a result, and gives the name
// that the result has for the platform.
func labelsOf(rb *dockerui.ResultBuilder, p ocispecs.Platform) (string, map[string]string, error) {
	id := platforms.FormatAll(platforms.Normalize(p)) // as dockerui names it
	config := exptypes.ParseKey(rb.Metadata, exptypes.ExporterImageConfigKey, &exptypes.Platform{ID: id, Platform: p})
	var img dockerspec.DockerOCIImage
	err := json.Unmarshal(config, &img)
	return id, img.Config.Labels, err
}
