package llb

import (
	"fmt"
	"strings"

	"github.com/moby/buildkit/client/llb"

	"github.com/openhands/llb-frontend/frontend/spec"
	"github.com/openhands/llb-frontend/llb/deps"
)

// checkout is what server.source names: of which project, which files it must
// hold, and which parts of it are taken.
type checkout struct {
	of              string
	needs, patterns []string
}

// SourcePatterns are the parts of a checkout that server.source takes: the rest is
// not even sent.
func SourcePatterns(server spec.Server) []string { return presetOf(server).source.patterns }

// SourceNeeds are the files without which a checkout is none of the server's.
func SourceNeeds(server spec.Server) []string { return presetOf(server).source.needs }

// NoCheckout is the error for a source that lacks some of [SourceNeeds].
func NoCheckout(server spec.Server, missing []string) error {
	return fmt.Errorf("server.source %q has no %s: name a checkout of %s, which server %q is from",
		server.Source, strings.Join(missing, ", no "), presetOf(server).source.of, server.Name)
}

// ServerFiles is where the server's project can be read: a state and a directory
// of it, with pyproject.toml and the package openhands of a V0 server. ok is false
// where nobody has it, as with a deps image without code.
func (in Input) ServerFiles() (st llb.State, dir string, ok bool) {
	switch {
	case in.Source != nil:
		return *in.Source, "/", true
	case in.Deps.Prebuilt != nil:
		return in.Deps.Prebuilt.State, "/openhands/code", in.Deps.holds("code")
	case in.Deps.sources != nil:
		return in.Deps.sources(), "/", true
	}
	return llb.State{}, "", false
}

// code is the server's code from a checkout: a copy, so that a change of the
// code runs nothing and adds one layer.
func (in Input) code() []deps.Component {
	if in.Source == nil {
		return nil
	}
	return []deps.Component{{Name: "code", State: presetOf(in.Document.Spec.Server).code(in)}}
}
