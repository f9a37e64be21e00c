package llb

import (
	"fmt"
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"
)

// runCommands runs extra_deps.run on the composed root, one layer each, as
// root, in / and with the image's environment. Args of the spec that a command
// mentions are handed over as variables, so the shell's syntax stays the
// shell's.
func (in Input) runCommands(root llb.State, env []string) llb.State {
	for i, cmd := range in.Document.Spec.ExtraDeps.Run {
		path := fmt.Sprintf("extra_deps.run[%d]", i)
		opts := in.runOptions(in.Step("run", path, oneLine(cmd)))
		opts = append(opts, llb.Args([]string{"/bin/sh", "-c", cmd}))
		for _, kv := range slices.Concat(env, in.Document.RunArgs(i)) {
			k, v, _ := strings.Cut(kv, "=")
			opts = append(opts, llb.AddEnv(k, v))
		}
		root = root.Run(opts...).Root()
	}
	return root
}

// runOptions are those of every command that runs in the base: as root, on
// the target platform.
func (in Input) runOptions(step []llb.ConstraintsOpt) []llb.RunOption {
	opts := []llb.RunOption{llb.User("0"), llb.Dir("/"), llb.Platform(in.Platform)}
	for _, s := range step {
		opts = append(opts, s)
	}
	return append(opts, in.Run...)
}

// oneLine fits a command into a vertex name.
func oneLine(cmd string) string {
	const width = 80
	fields := strings.Join(strings.Fields(cmd), " ")
	if r := []rune(fields); len(r) > width {
		return string(r[:width-1]) + "…"
	}
	return fields
}
