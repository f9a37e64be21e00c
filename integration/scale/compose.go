package main

import (
	"context"
	"runtime"

	"github.com/moby/buildkit/client/llb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/openhands/llb-frontend/frontend/spec"
	ohllb "github.com/openhands/llb-frontend/llb"
	"github.com/openhands/llb-frontend/llb/imageconfig"
)

// someDigest stands for those of images.
const someDigest = "sha256:1111111111111111111111111111111111111111111111111111111111111111"

// specToLLB is the frontend's own work for an image: read the spec, compose the
// graph, write it out. What it asks the daemon is left out.
func specToLLB(ctx context.Context) error {
	text := "base_image: debian:trixie-slim\ndeps_image: registry.example.com/deps:1\nuser: root\n"
	doc, err := spec.Load("openhands.yaml", []byte(text), nil)
	if err != nil {
		return err
	}
	p := ocispecs.Platform{OS: "linux", Architecture: runtime.GOARCH}
	image := func(ref string, labels map[string]string) ohllb.Image {
		config := imageconfig.Empty(p)
		config.RootFS.DiffIDs = append(config.RootFS.DiffIDs, someDigest)
		config.History = []ocispecs.History{{CreatedBy: ref}}
		config.Config.Labels = labels
		return ohllb.Image{Ref: ref, Config: config, State: llb.Image(ref+"@"+someDigest, llb.Platform(p))}
	}
	out, err := ohllb.Compose(ohllb.Input{
		Document:  doc,
		SourceMap: llb.NewSourceMap(nil, doc.Filename, "YAML", doc.Data),
		Platform:  p,
		Base:      image(doc.Spec.BaseImage, nil),
		Deps:      ohllb.PrebuiltDeps(image(doc.Spec.DepsImage, labels("", "lib,tools,init"))),
	})
	if err != nil {
		return err
	}
	_, err = out.State.Marshal(ctx, llb.Platform(p))
	return err
}
