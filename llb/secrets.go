package llb

import (
	"slices"

	"github.com/openhands/llb-frontend/frontend/spec"
	"github.com/openhands/llb-frontend/llb/secret"
)

// Secrets are the ids of those that a build of a spec can use: what it downloads
// decides, and what its commands mention. onBase says that the target is put on a
// base, where extra_deps are installed.
func Secrets(s *spec.Spec, onBase bool) []string {
	var extra spec.ExtraDeps
	if onBase {
		extra = s.ExtraDeps
	}
	commands := len(extra.Run) > 0 // may use any
	installs := commands || len(extra.Packages) > 0
	d, built := s.Deps, s.DepsImage == ""
	pip := d.Python.Wanted() || d.UV || d.Browser.Wanted() || s.Server.Wanted()
	used := map[string]bool{
		secret.CA:    built || installs,
		secret.Netrc: built || installs,
		secret.Apt:   built || installs,
		secret.Pip:   built && pip || commands,
		secret.NPM:   built && d.ACP.Wanted() || commands,
	}
	var ids []string
	for _, known := range secret.All() {
		if used[known.ID] {
			ids = append(ids, known.ID)
		}
	}
	for _, command := range extra.Run {
		ids = append(ids, secret.Mentioned(command)...)
	}
	return unique(ids)
}

// UsesSSH tells whether commands of the target can use the client's SSH agent.
func UsesSSH(s *spec.Spec, onBase bool) bool { return onBase && len(s.ExtraDeps.Run) > 0 }

// unique drops what is there already and keeps the order.
func unique(list []string) []string {
	var out []string
	for _, v := range list {
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}
