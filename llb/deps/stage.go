package deps

import (
	"embed"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"
)

// scripts are what the stages run, and the files that they put into images.
//
//go:embed scripts
var scripts embed.FS

// Where scripts find what is mounted: see scripts/common.sh.
const (
	runDir       = "/run/openhands"
	helpersMount = runDir + "/helpers"
	libMount     = runDir + "/lib"
	aptMount     = runDir + "/apt"
	outMount     = runDir + "/out"
)

// stage is one command in the builder image that writes a component.
type stage struct {
	name, key, text string // of the vertex, see Input.Step
	// script is run, with common.sh and files beside it.
	script string
	files  []string
	// made are files beside the script that depend on the spec.
	made map[string]string
	env  map[string]string
	// openhands is what stands at /openhands while the script runs: components
	// for the machine that builds.
	openhands []Component
	mounts    []llb.RunOption
	// apt says that the script fetches packages of the distribution.
	apt bool
	// anew runs the stage each time: its result is what somebody outside says.
	anew bool
}

// exec runs a stage and returns what it wrote: a root that holds only
// /openhands. The output is a mount on scratch, so it is one layer without the
// builder's files, whiteouts or parents.
//
// The helper is mounted by path from the frontend's image. A mount's content
// is part of the cache key, so a component is built again only when the
// helper's bytes change, not with every release of the frontend.
func (in graph) exec(s stage) llb.State {
	step := in.Step(s.name, s.key, s.text)
	if s.anew {
		step = append(step, llb.IgnoreCache)
	}
	opts := []llb.RunOption{
		llb.Args([]string{"/bin/sh", runDir + "/script/" + s.script}),
		llb.Dir("/"),
		llb.User("0"),
		llb.AddEnv("ARCH", in.Architecture),
		llb.AddEnv("BUILD_ARCH", in.BuildArchitecture),
		llb.AddEnv("OUT", outMount),
		mountDir(helpersMount, in.Helpers, HelpersDir),
		llb.AddMount(runDir+"/script", in.scriptDir(s), llb.Readonly),
	}
	opts = append(opts, Secrets()...)
	if s.apt {
		opts = append(opts, in.aptCache())
		opts = append(opts, in.apt()...)
	}
	for _, k := range slices.Sorted(maps.Keys(s.env)) {
		opts = append(opts, llb.AddEnv(k, s.env[k]))
	}
	opts = append(opts, IndexMirrors(in.Mirrors)...)
	if len(s.openhands) > 0 {
		// Scripts add links below it to what they write.
		opts = append(opts, llb.AddMount("/openhands", in.overlay(s), llb.SourcePath("/openhands"), llb.ForceNoOutput))
	}
	opts = append(opts, s.mounts...)
	opts = append(opts, in.Run...)
	for _, o := range step {
		opts = append(opts, o)
	}
	return in.Builder.Run(opts...).AddMount(outMount, llb.Scratch())
}

// scriptDir holds a stage's script and the files beside it.
func (in graph) scriptDir(s stage) llb.State {
	contents := map[string][]byte{}
	for _, name := range append([]string{"common.sh", s.script}, s.files...) {
		b, err := scripts.ReadFile("scripts/" + name)
		if err != nil { // named in this package, embedded by it
			b = []byte("echo 'no script " + name + "' >&2; exit 1\n")
		}
		contents[name] = b
	}
	for name, text := range s.made {
		contents[name] = []byte(text)
	}
	var action *llb.FileAction
	for _, name := range slices.Sorted(maps.Keys(contents)) {
		if action == nil {
			action = llb.Mkfile("/"+name, 0o644, contents[name])
			continue
		}
		action = action.Mkfile("/"+name, 0o644, contents[name])
	}
	return llb.Scratch().File(action, in.Step("internal", s.key, "script of "+s.name)...)
}

// overlay puts what a stage runs on top of each other.
func (in graph) overlay(s stage) llb.State {
	var states []llb.State
	var names []string
	for _, c := range s.openhands {
		states, names = append(states, c.State), append(names, c.Name)
	}
	step := in.Step("internal", s.key, "programs of the build: "+strings.Join(names, ", "))
	if !in.NoMerge {
		return llb.Merge(states, step...)
	}
	root := llb.Scratch()
	for _, st := range states {
		root = root.File(llb.Copy(st, "/", "/", &llb.CopyInfo{CopyDirContentsOnly: true}), step...)
	}
	return root
}

// aptCache keeps downloaded packages between builds. Stages share it at the
// same time: oh-seal checks every hash and writes by renaming.
func (in graph) aptCache() llb.RunOption {
	return CacheDir(in.CacheNamespace, aptMount, "openhands-apt-"+in.Architecture, llb.CacheMountShared)
}

// uvCache keeps what uv has downloaded and built.
func (in graph) uvCache() llb.RunOption {
	return CacheDir(in.CacheNamespace, runDir+"/uvcache", "openhands-uv", llb.CacheMountShared)
}

// CacheDir mounts a directory that the daemon keeps between builds. Only builds
// of the same namespace share it.
func CacheDir(namespace, target, id string, sharing llb.CacheMountSharingMode) llb.RunOption {
	return llb.AddMount(target, llb.Scratch(), llb.AsPersistentCacheDir(path.Join(namespace, id), sharing))
}

// below mounts a component that another is sealed on top of.
func below(name string, c Component) llb.RunOption {
	return llb.AddMount(runDir+"/"+name, c.State, llb.Readonly)
}

func mountDir(target string, st llb.State, dir string) llb.RunOption {
	return llb.AddMount(target, st, llb.SourcePath(dir), llb.Readonly)
}
