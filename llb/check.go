package llb

import (
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"

	"github.com/openhands/llb-frontend/llb/imageconfig"
)

// checkProgram starts an image's server and tries what the image has.
const checkProgram = "/openhands/bin/oh-check"

// rows gives the rows of oh-check that a component stands for.
func rows(part string) []string {
	switch part {
	case "browser":
		return []string{"chromium"}
	case "node":
		return []string{"node", "npm", "npx"}
	case "uv":
		return []string{"uv", "uvx"}
	case "tools", "python", "vscode":
		return []string{part}
	}
	return nil
}

// ComposeCheck composes an image and runs oh-check in it, as the image's user
// and with its environment. The result holds nothing: what it is about is
// whether it succeeds, and the table in the log.
func ComposeCheck(in Input) (*Output, error) {
	out, err := Compose(in)
	if err != nil {
		return nil, err
	}
	config := out.Image.Config
	expect := in.Deps.checks()
	if server, _ := in.Server(); server.Wanted() {
		expect = append(expect, "server")
	}
	args := []string{checkProgram, "--expect", strings.Join(expect, ",")}
	// What fails is a component, or that one does not run on the base: where
	// others built the components, they are the first to look at.
	key := "base_image"
	if in.Deps.Prebuilt != nil && in.Document.Given("deps_image") {
		key = "deps_image"
	}
	opts := in.runOptions(in.Step("check", key, "check the image on "+in.Base.Ref))
	opts = append(opts, llb.Args(args), llb.Dir(config.WorkingDir), llb.User(config.User))
	for _, kv := range config.Env {
		k, v, _ := strings.Cut(kv, "=")
		opts = append(opts, llb.AddEnv(k, v))
	}
	const result = "/run/openhands-check"
	out.State = out.State.Run(opts...).AddMount(result, llb.Scratch())
	out.Image = imageconfig.Empty(in.Platform)
	out.BaseImage = out.Image
	return out, nil
}

// checks are the rows of oh-check that must be there.
func (d Deps) checks() []string {
	checks := []string{"loader"}
	for _, tool := range []string{"bash", "tmux", "git", "jq"} {
		if d.has(tool) {
			checks = append(checks, tool)
		}
	}
	for _, part := range d.Parts {
		checks = append(checks, rows(part)...)
	}
	slices.Sort(checks)
	return slices.Compact(checks)
}
