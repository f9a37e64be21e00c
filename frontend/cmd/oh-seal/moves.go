package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/openhands/llb-frontend/llb/seal"
)

// reserved are names below /openhands that other components own.
var reserved = strings.Fields("bin browser c code i18n lib micromamba poetry python tools")

// system are directories of /usr/lib that mean something to the distribution
// alone.
var system = strings.Fields("debug locale mime modprobe.d modules-load.d pam.d sysctl.d systemd sysusers.d tmpfiles.d udev")

// dataMove gives the data directory that p lies in a place of equal length, so
// that its name can be replaced in programs:
//
//	/usr/share/NAME  ->  /openhands/NAME
//	/usr/lib/NAME    ->  /openhands/N/REST   N the first letter of NAME, REST all after the fourth
//
// (/usr/lib/git-core becomes /openhands/g/core). The zero move means that p is
// not kept.
func dataMove(p string, arch seal.Arch) (move, error) {
	for _, root := range []string{"/usr/share/", "/usr/lib/"} {
		rest, ok := strings.CutPrefix(p, root)
		if !ok {
			continue
		}
		name, _, inside := strings.Cut(rest, "/")
		switch {
		case !inside, root+name == rootTerms: // see record
			return move{}, nil
		case root == "/usr/share/":
			if slices.Contains(reserved, name) {
				return move{}, fmt.Errorf("%s%s cannot move to /openhands/%s, which is another component's", root, name, name)
			}
			return move{root + name, "/openhands/" + name}, nil
		case name == arch.Triplet || slices.Contains(system, name):
			return move{}, nil
		case len(name) < 5:
			return move{}, fmt.Errorf("%s%s cannot move to a path of equal length below /openhands: "+
				"its name is shorter than 5 characters", root, name)
		}
		return move{root + name, "/openhands/" + name[:1] + "/" + name[4:]}, nil
	}
	return move{}, nil
}

func (o *output) addMove(m move) error {
	for _, old := range o.moves {
		if old == m {
			return nil
		}
		if old.to == m.to {
			return fmt.Errorf("%s and %s would both move to %s", old.from, m.from, m.to)
		}
	}
	o.moves = append(o.moves, m)
	return nil
}

// knownPath is a path that a package's programs put together at run time, so
// that no whole path is there to be replaced. The new one is a link to the
// moved directory.
type knownPath struct {
	pkg string
	move
	link string
}

func knownPaths() []knownPath {
	return []knownPath{{
		// system_path() in git's exec-cmd.c puts /usr before a relative path
		// and takes an absolute one as it is.
		pkg:  "git",
		move: move{"share/git-core/templates", "/openhands/git-templates"},
		link: "git-core/templates",
	}}
}
