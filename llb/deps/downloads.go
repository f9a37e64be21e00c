package deps

import (
	"cmp"

	"github.com/moby/buildkit/client/llb"
	digest "github.com/opencontainers/go-digest"

	"github.com/openhands/llb-frontend/frontend/spec"
)

// Download is a file that stages fetch from outside, and that nothing but this
// package names: what a lock file of upstream lists with hashes is not one.
type Download struct {
	// Name is the file's in a lock file: a key of the spec's mirrors, and what the
	// mirror has it under.
	Name string
	// Key is the place in the spec that it is wanted by.
	Key string
	// Digest is the one that the spec or this frontend knows, "" if there is none.
	Digest digest.Digest
	// Own says that the digest is the spec's own, which wins over a lock file.
	Own bool

	measure func(graph) (llb.State, error)
}

// Files that hold what is looked up for a lock file.
const (
	DigestFile   = "digest"   // of [Download.Measure]
	SnapshotFile = "snapshot" // of [Snapshot]
)

// Downloads lists what stages fetch, each file once, in the order of the graph.
func Downloads(input Input) ([]Download, error) {
	var found []Download
	seen := map[string]bool{}
	in := graph{Input: input, made: map[string]Component{}, note: func(d Download) {
		if !seen[d.Name] {
			seen[d.Name] = true
			found = append(found, d)
		}
	}}
	_, err := in.components()
	return found, err
}

// Measure fetches a file as a stage would, with its mirrors and secrets, and
// writes its digest. It does so each time: who writes a lock again wants to know
// what is there now. Engines could tell the digest of an address by themselves
// (BuildKit's source metadata), but only new ones, and without what the client
// has handed over.
func (d Download) Measure(input Input) (llb.State, error) {
	return d.measure(graph{Input: input, made: map[string]Component{}})
}

// digestOf settles a download's digest: the spec's own, that of the lock file,
// or that which this frontend knows; "" if there is none.
func (in graph) digestOf(d Download) digest.Digest {
	if in.note != nil {
		in.note(d)
	}
	if d.Own || in.Locked == nil {
		return d.Digest
	}
	return cmp.Or(in.Locked(d.Name), d.Digest)
}

// measureArchive downloads from where the stage would.
func (in graph) measureArchive(a archive, file string) llb.State {
	step := append(in.archiveStep(a, "look up the digest of "+file), llb.IgnoreCache)
	return in.ohSeal(step, "digest", "--out", outMount+"/"+DigestFile, in.archiveAddress(a))
}

// pypiRelease is a package of a server on PyPI, by the digest of its only file
// that a stage takes. hashed tells whether there is a digest.
func (in graph) pypiRelease(name, version string, known digest.Digest) (requirement string, hashed bool) {
	requirement = name + "==" + version
	dgst := in.digestOf(Download{
		Name: "pypi/" + requirement, Key: "server", Digest: known,
		measure: func(in graph) (llb.State, error) { return in.measurePackage(name, requirement), nil },
	})
	if dgst == "" {
		return requirement, false
	}
	return requirement + " --hash=" + dgst.String(), true
}

func (in graph) measurePackage(name, requirement string) llb.State {
	env := map[string]string{"REQUIREMENT": requirement}
	if in.Server.Name == spec.ServerActionExecution {
		env["SOURCE"] = name
	}
	n := in.native()
	return n.exec(stage{
		name: "server", key: "server", text: "look up the digest of " + requirement,
		script:    "package-digest.sh",
		env:       env,
		openhands: n.pip(),
		mounts:    []llb.RunOption{below("lib", n.lib())},
		anew:      true,
	})
}

// Snapshot tells whether packages of in.Snapshot can be had in a root with apt,
// which is the builder or a base: its file [SnapshotFile] says why not. It is
// asked anew each time, as the answer may be about the network.
func Snapshot(input Input, root llb.State, step []llb.ConstraintsOpt) llb.State {
	in := graph{Input: input}
	opts := []llb.RunOption{
		llb.Args([]string{helpersMount + "/oh-seal", "snapshot", "--arch", in.Architecture, "--out", outMount + "/" + SnapshotFile}),
		llb.Dir("/"),
		llb.User("0"),
		llb.IgnoreCache,
		mountDir(helpersMount, in.Helpers, HelpersDir),
	}
	opts = append(opts, Secrets()...)
	opts = append(opts, in.apt()...)
	opts = append(opts, in.Run...)
	for _, s := range step {
		opts = append(opts, s)
	}
	return root.Run(opts...).AddMount(outMount, llb.Scratch())
}
