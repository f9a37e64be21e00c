// Package deps holds the stages that build /openhands: a file per component,
// one layer each. Every component depends on its own part of the spec alone,
// and a program of the target architecture runs only where conda-forge's Python
// is asked for on another machine.
package deps

import (
	"github.com/moby/buildkit/client/llb"
	digest "github.com/opencontainers/go-digest"

	"github.com/openhands/llb-frontend/frontend/spec"
)

// Input is what the stages are made of.
type Input struct {
	// Builder is a Debian-like root for the machine that builds.
	Builder llb.State
	// Helpers holds oh-seal for the machine that builds, under [HelpersDir], and
	// what images get of the frontend, under [RuntimeDir].
	Helpers llb.State
	// Architecture is the target's, BuildArchitecture that of the machine that
	// builds, in Go's and OCI's spelling: amd64, arm64.
	Architecture, BuildArchitecture string

	Spec    spec.Deps
	Server  spec.Server
	Mirrors map[string]string
	// Source is the checkout that server.source names; nil for a release.
	Source *llb.State

	// Times are those of all files of /openhands, whatever the request's epoch is.
	Times llb.CreatedTime
	// Step names and locates a vertex.
	Step func(name, path, text string) []llb.ConstraintsOpt
	// Run holds what every command gets: proxies, extra hosts, network mode.
	Run []llb.RunOption
	// CacheNamespace keeps cache directories apart from those of other builds.
	CacheNamespace string
	// Proxied says that proxies are among them.
	Proxied bool
	// NoMerge says that the engine lacks MergeOp.
	NoMerge bool

	// Locked gives the digest of a download by its name in a lock file, "" where
	// there is none; nil means no lock file.
	Locked func(name string) digest.Digest
	// Snapshot is the time that packages of the distribution are from; "" means
	// today's.
	Snapshot string
}

// Component is one layer that holds a part of /openhands and nothing else.
type Component struct {
	Name  string
	State llb.State
}

// HelpersDir is where the frontend's image keeps its helper programs.
const HelpersDir = "/helpers"

// RuntimeDir is where the frontend's image keeps, by architecture, what goes
// into images as it is.
const RuntimeDir = "/runtime"

// Build gives the components, lowest layer first: what changes least.
func Build(input Input) ([]Component, error) {
	return graph{Input: input, made: map[string]Component{}}.components()
}

func (in graph) components() ([]Component, error) {
	lib := in.lib()
	components := []Component{lib, in.tools(lib), in.init()}
	for _, part := range []struct {
		wanted bool
		build  func() (Component, error)
	}{
		{in.Spec.Python.Wanted(), in.python},
		{in.hasPoetry(), in.poetry},
		{in.Spec.Node.Wanted(), in.node},
		{in.Spec.UV, in.uv},
		{in.Spec.Browser.Wanted(), in.browser},
		{in.Spec.VSCode.Wanted(), in.vscode},
		{in.Spec.ACP.Wanted(), in.acp},
		{in.Spec.Python.Wanted(), func() (Component, error) { return in.preset().packages(in) }},
		{in.Server.Wanted() && in.Source == nil, func() (Component, error) { return in.preset().code(in) }},
	} {
		if !part.wanted {
			continue
		}
		c, err := part.build()
		if err != nil {
			return nil, err
		}
		components = append(components, c)
	}
	return components, nil
}

// graph is one build's stages. A stage that several others need is made once:
// BuildKit would run it once anyway, but show its place in the spec each time.
type graph struct {
	Input
	made map[string]Component
	// note is told of each download where they are only listed.
	note func(Download)
}

// native is the same graph for the machine that builds: its components run as
// tools of the build.
func (in graph) native() graph {
	if in.Architecture != in.BuildArchitecture {
		step, suffix := in.Step, " (for "+in.BuildArchitecture+", which builds)"
		in.Step = func(name, path, text string) []llb.ConstraintsOpt { return step(name, path, text+suffix) }
	}
	in.Architecture = in.BuildArchitecture
	return in
}

// once makes a component at its first use, once for each architecture.
func (in graph) once(name string, build func() (llb.State, error)) (Component, error) {
	key := name + " " + in.Architecture
	if c, ok := in.made[key]; ok {
		return c, nil
	}
	st, err := build()
	if err != nil {
		return Component{}, err
	}
	in.made[key] = Component{Name: name, State: st}
	return in.made[key], nil
}

// must is once for what cannot fail.
func (in graph) must(name string, build func() llb.State) Component {
	c, _ := in.once(name, func() (llb.State, error) { return build(), nil })
	return c
}

// Error is a problem with the value at a key of the spec.
type Error struct {
	Key string
	Err error
}

func (e *Error) Error() string { return e.Err.Error() }

// Unwrap gives the problem itself.
func (e *Error) Unwrap() error { return e.Err }
