package frontend

import (
	"context"
	"fmt"

	"github.com/containerd/platforms"
	"github.com/distribution/reference"
	"github.com/moby/buildkit/client/llb/sourceresolver"

	"github.com/openhands/llb-frontend/frontend/spec"
	"github.com/openhands/llb-frontend/frontend/tags"
	ohllb "github.com/openhands/llb-frontend/llb"
)

// Targets whose results are images.
const (
	targetRuntime = "runtime"
	targetDeps    = "deps"
)

// tagging is what is known of the tags of one platform's image.
type tagging struct {
	set tags.Set
	// missing says why there is no tag of a kind that could be there.
	missing map[tags.Kind]string
}

// add takes a tag that a registry would accept.
func (t tagging) add(kind tags.Kind, tag string) {
	if !tags.Valid(tag) {
		t.missing[kind] = fmt.Sprintf("%q is no valid tag", tag)
		return
	}
	t.set[kind] = tag
}

// tagsOf computes the tags of an image whose base and /openhands are resolved.
// Without read it keeps to those that are known at no cost: none that takes a look
// at the server's files, or asks a registry for more than a build does.
func (r *request) tagsOf(ctx context.Context, in ohllb.Input, read bool) (tagging, error) {
	t := tagging{set: tags.Set{}, missing: map[tags.Kind]string{}}
	server, err := in.Server()
	if r.target.name == targetDeps {
		server, err = spec.Server{}, nil // the tags of servers are about their images
	}
	if err != nil {
		return t, err
	}
	files := &serverFiles{}
	if read && (server.Name == spec.ServerActionExecution || in.Source != nil) {
		if files, err = r.serverFiles(ctx, in, server); err != nil {
			return t, placed(in, "server", err)
		}
	}
	base := in.Document.Spec.BaseImage
	switch server.Name {
	case spec.ServerActionExecution:
		t.addV0(tags.V0{Version: files.version(server), Base: base, Browser: in.HasBrowser()}, files, read, in.Source == nil)
	case spec.ServerAgent:
		if v := files.version(server); v != "" {
			t.add(tags.KindVersioned, tags.AgentVersioned(v, base))
		}
	}
	return t, r.addBuildTag(ctx, t, in, files, read)
}

// addV0 adds the tags of OpenHands V0. A release also comes as a wheel.
func (t tagging) addV0(v tags.V0, files *serverFiles, read, release bool) {
	if v.Version != "" {
		t.add(tags.KindVersioned, v.Versioned())
	}
	switch {
	case !read:
		return
	case files.pyproject == nil || files.lock == nil || v.Version == "":
		for _, k := range []tags.Kind{tags.KindLock, tags.KindSource, tags.KindVersioned} {
			if t.set[k] == "" {
				t.missing[k] = "the server has no pyproject.toml with a version, or no poetry.lock"
			}
		}
		return
	}
	lock := v.Lock(files.pyproject, files.lock)
	t.add(tags.KindLock, lock)
	t.add(tags.KindSource, v.Source(lock, files.tree.DirHash("openhands")))
	if release {
		t.add(tags.KindWheel, v.Source(lock, files.tree.WheelHash("openhands")))
	}
}

// addBuildTag adds the tag of all inputs, if all of them are known by a digest.
func (r *request) addBuildTag(ctx context.Context, t tagging, in ohllb.Input, files *serverFiles, read bool) error {
	frontend, err := r.frontendDigest(ctx, read)
	if err != nil {
		return err
	}
	s := in.Document.Spec
	s.Args, s.Platforms = nil, nil // values have them filled in, inputs have the platform
	text, err := spec.Marshal(s)
	if err != nil {
		return err
	}
	inputs := tags.Inputs{
		Frontend: frontend,
		Target:   r.target.name,
		Platform: platforms.Format(in.Platform),
		Deps:     in.Deps.Digest(),
		Source:   files.digest,
		Spec:     string(text),
		Labels:   r.Labels,
	}
	for i := range in.Document.Spec.ExtraDeps.Run {
		inputs.RunArgs = append(inputs.RunArgs, in.Document.RunArgs(i)...)
	}
	if r.epoch != nil {
		sec := r.epoch.Unix()
		inputs.Epoch = &sec
	}
	if r.target.name == targetRuntime {
		inputs.Base = baseDigest(in)
	}
	if s.DepsImage == "" || len(s.ExtraDeps.Packages) > 0 {
		inputs.Lock = r.locked.lock.Fetched().String()
	}
	if reason := unknown(inputs, in); reason != "" {
		t.missing[tags.KindBuild] = reason
		return nil
	}
	t.add(tags.KindBuild, tags.Build(inputs))
	return nil
}

// baseDigest is empty where the base has none.
func baseDigest(in ohllb.Input) string {
	if in.Base.State.Output() == nil {
		return "scratch"
	}
	_, dgst := in.Base.Pinned()
	return dgst
}

// unknown says which input of a build has no digest.
func unknown(inputs tags.Inputs, in ohllb.Input) string {
	s := in.Document.Spec
	deps := fmt.Sprintf("deps_image %q", s.DepsImage)
	if s.DepsImage == "" {
		deps = fmt.Sprintf("deps.builder %q", s.Deps.Builder)
	}
	const noImage = " has no digest: it is a build context, not an image of a registry"
	switch {
	case inputs.Frontend == "":
		return "the engine does not say by which digest it runs this frontend"
	case inputs.Base == "" && inputs.Target == targetRuntime:
		return fmt.Sprintf("base_image %q", s.BaseImage) + noImage
	case inputs.Deps == "":
		return deps + noImage
	case inputs.Source == "" && in.Source != nil:
		return fmt.Sprintf("server.source %q is not read for it", s.Server.Source)
	}
	return ""
}

// frontendDigest is that of the frontend's own image. An engine that does not say
// it has the reference, which a registry may be asked for.
func (r *request) frontendDigest(ctx context.Context, ask bool) (string, error) {
	st, err := r.helpers()
	if err != nil {
		return "", nil //nolint:nilerr // whoever needs the helpers says so
	}
	name, dgst := ohllb.Image{State: st}.Pinned()
	if dgst != "" || name == "" || !ask {
		return dgst, nil
	}
	_, resolved, _, err := r.GatewayClient().ResolveImageConfig(ctx, name, sourceresolver.Opt{
		LogName:  "[internal] load metadata for " + name,
		ImageOpt: &sourceresolver.ResolveImageOpt{Platform: &r.BuildPlatforms[0]},
	})
	return resolved.String(), err
}

// parseRepository checks what RUNTIME_IMAGE_REPO asks for. The result has the
// registry's name in front, as exporters want it.
func parseRepository(v string) (string, error) {
	if v == "" {
		return "", nil
	}
	named, err := reference.ParseNormalizedNamed(v)
	if err != nil || !reference.IsNameOnly(named) {
		return "", fmt.Errorf("invalid build arg %s=%q: it must be a repository without tag or digest, such as registry.example.com/runtime", spec.RuntimeImageRepo, v)
	}
	return named.Name(), nil
}

// reasons lists why tags are missing, in the order of their kinds.
func (t tagging) reasons() []string {
	var list []string
	for _, k := range tags.Kinds() {
		if reason, ok := t.missing[k]; ok {
			list = append(list, fmt.Sprintf("no %s tag: %s", k, reason))
		}
	}
	return list
}
