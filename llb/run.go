package llb

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"

	"github.com/openhands/llb-frontend/llb/deps"
	"github.com/openhands/llb-frontend/llb/secret"
)

// clientScript stands before what runs in a base.
//
//go:embed client.sh
var clientScript string

// runScript is where the script that runs a command of extra_deps.run is
// mounted.
const runScript = "/run/openhands/script"

// runCommands runs extra_deps.run on the composed root, one layer each, as
// root, in / and with the image's environment, the client's secrets and SSH
// agent, and the spec's mirrors. Args of the spec that a command mentions are handed over as
// variables, so the shell's syntax stays the shell's.
func (in Input) runCommands(root llb.State, env []string) llb.State {
	script := llb.Scratch().File(llb.Mkfile("/run", 0o644, []byte(clientScript+"exec /bin/sh -c \"$1\"\n")),
		in.Step("internal", "extra_deps.run", "script of run")...)
	for i, cmd := range in.Document.Spec.ExtraDeps.Run {
		path := fmt.Sprintf("extra_deps.run[%d]", i)
		opts := in.runOptions(in.Step("run", path, oneLine(cmd)))
		opts = append(opts, deps.Secrets()...)
		for _, id := range secret.Mentioned(cmd) {
			opts = append(opts, llb.AddSecret(secret.Path(id), llb.SecretID(id), llb.SecretOptional))
		}
		opts = append(opts, deps.IndexMirrors(in.Document.Spec.Mirrors)...)
		opts = append(opts,
			llb.Args([]string{"/bin/sh", runScript + "/run", cmd}),
			llb.AddSSHSocket(llb.SSHOptional),
			llb.AddMount(runScript, script, llb.Readonly))
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
