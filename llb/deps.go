package llb

import (
	"errors"
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"
	digest "github.com/opencontainers/go-digest"

	"github.com/openhands/llb-frontend/frontend/spec"
	"github.com/openhands/llb-frontend/llb/deps"
)

// Labels of a deps image. They spare the reader a pull: an image that carries
// [LabelDepsVersion] was made by the deps target, so it holds only /openhands.
const (
	// LabelDepsVersion is the version of the /openhands layout.
	LabelDepsVersion = "dev.openhands.deps.version"
	// LabelDepsTools lists the packages of the tools component, separated by commas.
	LabelDepsTools = "dev.openhands.deps.tools"
	// LabelDepsComponents lists the components, the lowest first.
	LabelDepsComponents = "dev.openhands.deps.components"
	// LabelDepsServer names the server that the components are for, and after
	// "@" its version, if it is a release.
	LabelDepsServer = "dev.openhands.deps.server"

	// DepsVersion is the layout that this frontend writes and understands.
	DepsVersion = "2"
)

// Deps are the layers of /openhands: built by this graph, or those of a deps
// image.
type Deps struct {
	Components []deps.Component
	// Prebuilt is the deps image that Components has been taken from as it is;
	// nil where the layers come into being in this graph.
	Prebuilt *Image
	// Tools are the distribution packages that the tools component holds.
	Tools []string
	// Parts are the names of the components.
	Parts []string
	// Versions are those of components, as far as they are known.
	Versions map[string]string
	// Server is what the components are for.
	Server spec.Server
	// origin is the image that the layers come from: the deps image or, where they
	// are built, the builder.
	origin Image
	// sources are the server's where this graph builds its code.
	sources func() llb.State
}

// Stages are what the stages of /openhands need beside the spec.
type Stages struct {
	// Builder is a Debian-like image for the machine that builds.
	Builder Image
	// Helpers is the image that holds oh-seal and oh-init.
	Helpers llb.State
	// BuildArchitecture is that of the machine that builds.
	BuildArchitecture string
	// Times are those of the files of /openhands: the Unix epoch, so that a new
	// SOURCE_DATE_EPOCH changes none of its layers.
	Times llb.CreatedTime
	// Locked and Snapshot are what a lock file has for the stages, see deps.Input.
	Locked   func(name string) digest.Digest
	Snapshot string
}

// input is what the stages are made of.
func (s Stages) input(in Input) deps.Input {
	doc := in.Document.Spec
	return deps.Input{
		Builder:           s.Builder.State,
		Helpers:           s.Helpers,
		Architecture:      in.Platform.Architecture,
		BuildArchitecture: s.BuildArchitecture,
		Times:             s.Times,
		Spec:              doc.Deps,
		Server:            doc.Server,
		Mirrors:           doc.Mirrors,
		Source:            in.Source,
		Step:              in.depsStep,
		Run:               in.Run,
		CacheNamespace:    in.CacheNamespace,
		Proxied:           in.Proxied,
		NoMerge:           in.NoMerge,
		Locked:            s.Locked,
		Snapshot:          s.Snapshot,
	}
}

// Downloads lists what the stages of /openhands fetch from outside.
func Downloads(in Input, stages Stages) ([]deps.Download, error) {
	return deps.Downloads(stages.input(in))
}

// Measure looks up the digest of a download, which deps.DigestFile holds.
func Measure(in Input, stages Stages, d deps.Download) (llb.State, error) {
	return d.Measure(stages.input(in))
}

// TrySnapshot sees whether root, which has apt, gets packages of stages.Snapshot:
// deps.SnapshotFile says why not.
func TrySnapshot(in Input, stages Stages, root Image) llb.State {
	step := in.Step("lock", "", "look for packages of "+stages.Snapshot+" for "+root.Ref)
	return deps.Snapshot(stages.input(in), root.State, step)
}

// BuildDeps adds the stages that build /openhands.
func BuildDeps(in Input, stages Stages) (Deps, error) {
	s := in.Document.Spec
	d := Deps{Tools: s.Deps.Tools, Server: s.Server, Versions: deps.Versions(s.Deps, s.Server), origin: stages.Builder}
	var err error
	input := stages.input(in)
	d.Components, err = deps.Build(input)
	if de := new(deps.Error); errors.As(err, &de) {
		return d, in.Problem(de.Key, de.Err)
	}
	for _, c := range d.Components {
		d.Parts = append(d.Parts, c.Name)
	}
	if s.Server.Wanted() && in.Source == nil {
		d.sources = func() llb.State { return deps.Sources(input) }
	}
	return d, err
}

// depsStep is Step for components: one that the file does not name is there
// because of the server.
func (in Input) depsStep(name, path, text string) []llb.ConstraintsOpt {
	if strings.HasPrefix(path, "deps.") && !in.Document.Given(path) && in.Document.Spec.Server.Wanted() {
		path = "server"
	}
	return in.Step(name, path, text)
}

// PrebuiltDeps takes a deps image as it is: its labels say what it holds.
func PrebuiltDeps(img Image) Deps {
	labels := img.Config.Config.Labels
	name, version, _ := strings.Cut(labels[LabelDepsServer], "@")
	return Deps{
		Components: []deps.Component{{Name: "deps", State: img.State}},
		Prebuilt:   &img,
		origin:     img,
		Tools:      list(labels[LabelDepsTools]),
		Parts:      list(labels[LabelDepsComponents]),
		Versions:   versionsOf(labels[LabelComponents]),
		Server:     spec.Server{Name: name, Version: version},
	}
}

func list(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}

// ReducedDeps keeps only /openhands of an image that holds more. The copy is a
// layer of its own, with a digest of its own on every daemon.
func ReducedDeps(in Input, img Image) Deps {
	copied := llb.Scratch().File(
		llb.Copy(img.State, "/openhands", "/", &llb.CopyInfo{}),
		in.Step("deps", "deps_image", "take /openhands out of "+img.Ref)...)
	return Deps{Components: []deps.Component{{Name: "deps", State: copied}}, origin: img}
}

func (d Deps) labels() map[string]string {
	labels := map[string]string{
		LabelDepsVersion:    DepsVersion,
		LabelDepsTools:      strings.Join(d.Tools, ","),
		LabelDepsComponents: strings.Join(d.Parts, ","),
		LabelComponents:     d.describe(),
	}
	if d.Server.Wanted() {
		labels[LabelDepsServer] = d.Server.Name
		if d.Server.Version != "" {
			labels[LabelDepsServer] += "@" + d.Server.Version
		}
	}
	return labels
}

// has tells whether the tools component holds a package.
func (d Deps) has(pkg string) bool { return slices.Contains(d.Tools, pkg) }

// holds tells whether /openhands has a component.
func (d Deps) holds(part string) bool { return slices.Contains(d.Parts, part) }
