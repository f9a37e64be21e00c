package deps

import "github.com/moby/buildkit/client/llb"

// lib is the lowest layer and changes least: the loader, libc and the
// libraries and data that several components share.
func (in graph) lib() Component {
	return in.must("lib", func() llb.State {
		step := in.Step("lib", "deps.builder", "install the builder's loader, libc and shared data")
		return in.seal(step, []string{"lib"})
	})
}

// seal runs oh-seal by itself, for the components that it makes whole.
func (in graph) seal(step []llb.ConstraintsOpt, args []string, mounts ...llb.RunOption) llb.State {
	argv := append([]string{helpersMount + "/oh-seal", args[0],
		"--arch", in.Architecture,
		"--apt-cache", aptMount,
		"--out", outMount,
	}, args[1:]...)
	opts := []llb.RunOption{
		llb.Args(argv),
		llb.Dir("/"),
		llb.User("0"),
		mountDir(helpersMount, in.Helpers, HelpersDir),
		in.aptCache(),
	}
	opts = append(opts, Secrets()...)
	opts = append(opts, in.apt()...)
	opts = append(opts, mounts...)
	opts = append(opts, in.Run...)
	for _, s := range step {
		opts = append(opts, s)
	}
	return in.Builder.Run(opts...).AddMount(outMount, llb.Scratch())
}
