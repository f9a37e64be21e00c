package llb

import (
	"slices"

	"github.com/openhands/llb-frontend/frontend/spec"
	"github.com/openhands/llb-frontend/llb/secret"
)

// Secrets are those that a build of a spec can use: what it downloads decides.
// onBase says that the target is put on a base, where extra_deps are installed.
func Secrets(s *spec.Spec, onBase bool) []secret.Secret {
	extra := onBase && (len(s.ExtraDeps.Packages) > 0 || len(s.ExtraDeps.Run) > 0)
	commands := onBase && len(s.ExtraDeps.Run) > 0 // may use any
	d, built := s.Deps, s.DepsImage == ""
	pip := d.Python.Wanted() || d.UV || d.Browser.Wanted() || s.Server.Wanted()
	used := map[string]bool{
		secret.CA:    built || extra,
		secret.Netrc: built || extra,
		secret.Apt:   built || extra,
		secret.Pip:   built && pip || commands,
		secret.NPM:   built && d.ACP.Wanted() || commands,
	}
	return slices.DeleteFunc(secret.All(), func(s secret.Secret) bool { return !used[s.ID] })
}
