// Package deps holds the stages that build /openhands: a file per component,
// one layer each. Every component depends on its own part of the spec alone,
// and none of them runs a program of the target architecture.
package deps

import (
	"github.com/moby/buildkit/client/llb"
)

// Input is what the stages are made of.
type Input struct {
	// Builder is a Debian-like root for the machine that builds.
	Builder llb.State
	// Helpers holds oh-seal for the machine that builds, under [HelpersDir].
	Helpers llb.State
	// Architecture is the target's, in Go's and OCI's spelling: amd64, arm64.
	Architecture string
	// Tools are packages of the builder's distribution.
	Tools []string
	// Step names and locates a vertex.
	Step func(name, path, text string) []llb.ConstraintsOpt
	// Run holds what every command gets: proxies, extra hosts, network mode.
	Run []llb.RunOption
	// NoMerge says that the engine lacks MergeOp.
	NoMerge bool
}

// Component is one layer that holds a part of /openhands and nothing else.
type Component struct {
	Name  string
	State llb.State
}

// HelpersDir is where the frontend's image keeps its helper programs.
const HelpersDir = "/helpers"

const (
	helpersMount = "/run/openhands/helpers"
	libMount     = "/run/openhands/lib"
	cacheMount   = "/run/openhands/apt"
	outMount     = "/run/openhands/out"
)

// Build gives the components, lowest layer first.
func Build(in Input) []Component {
	lib := in.lib()
	return []Component{lib, in.tools(lib)}
}

// seal runs oh-seal in the builder image and returns what it wrote: a root
// that holds only /openhands. The output is a mount on scratch, so it is one
// layer without the builder's files, whiteouts or parents.
//
// The helper is mounted by path from the frontend's image. A mount's content
// is part of the cache key, so a component is built again only when the
// helper's bytes change, not with every release of the frontend.
func (in Input) seal(step []llb.ConstraintsOpt, args []string, mounts ...llb.RunOption) llb.State {
	argv := append([]string{helpersMount + "/oh-seal", args[0],
		"--arch", in.Architecture,
		"--apt-cache", cacheMount,
		"--out", outMount,
	}, args[1:]...)
	opts := []llb.RunOption{
		llb.Args(argv),
		llb.Dir("/"),
		llb.User("0"),
		llb.AddMount(helpersMount, in.Helpers, llb.SourcePath(HelpersDir), llb.Readonly),
		llb.AddMount(cacheMount, llb.Scratch(), llb.AsPersistentCacheDir("openhands-apt-"+in.Architecture, llb.CacheMountLocked)),
	}
	opts = append(opts, mounts...)
	opts = append(opts, in.Run...)
	for _, s := range step {
		opts = append(opts, s)
	}
	return in.Builder.Run(opts...).AddMount(outMount, llb.Scratch())
}
