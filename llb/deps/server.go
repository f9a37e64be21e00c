package deps

import (
	"github.com/moby/buildkit/client/llb"
)

// Sources are the server's, as the stages have them before anything is compiled.
func Sources(input Input) llb.State {
	in := graph{Input: input, made: map[string]Component{}}
	return in.preset().sources(in)
}

// actionSources are the V0 server's: a release, or the checkout of server.source.
func (in graph) actionSources() llb.State {
	if in.Source != nil {
		return *in.Source
	}
	requirement, hashed := in.serverRequirement()
	env := map[string]string{"REQUIREMENT": requirement, "PACKAGE": serverPackage}
	if hashed {
		env["HASHES"] = "1"
	}
	// The same vertex for every architecture: nothing in it is for one.
	n := in.native()
	return n.must("server", func() llb.State {
		return n.exec(stage{
			name: "server", key: "server", text: "download " + n.release(),
			script:    "server-release.sh",
			env:       env,
			openhands: n.pip(),
			mounts:    []llb.RunOption{below("lib", n.lib())},
		})
	}).State
}

// lock holds the two files that say which packages the server wants. A change
// of its code leaves it as it is, and with it all that is made of it.
func (in graph) lock() llb.State {
	return in.native().must("lock", func() llb.State {
		src := in.actionSources()
		return llb.Scratch().File(
			llb.Copy(src, "/pyproject.toml", "/").Copy(src, "/poetry.lock", "/"),
			in.Step("server", "server", "copy pyproject.toml and poetry.lock")...)
	}).State
}

// actionCode is the server's code, the last layer.
func (in graph) actionCode() (Component, error) {
	return in.compiled("server-code.sh")
}

// compiled is a stage that compiles a server's sources.
func (in graph) compiled(script string) (Component, error) {
	interpreters, err := in.interpreters()
	if err != nil {
		return Component{}, err
	}
	return Component{Name: "code", State: in.exec(stage{
		name: "code", key: "server", text: "compile " + in.release(),
		script:    script,
		env:       map[string]string{"HOME_PYTHON": in.interpreter()},
		openhands: interpreters,
		mounts:    []llb.RunOption{below("lib", in.lib()), mountAt("source", in.preset().sources(in))},
	})}, nil
}
