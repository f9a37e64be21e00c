package llb

import (
	"io/fs"

	"github.com/openhands/llb-frontend/frontend/spec"
)

// LinksDir is where the frontend's image keeps a symlink to every target of a
// fill-in, as LinksDir + target -> target: engines without file.symlink.create cannot
// make a symlink, but copy one.
const LinksDir = "/links"

// fillIn is a symlink into /openhands for a path that servers and programs
// have hard-coded and that small bases lack.
type fillIn struct {
	path   string
	target string
	// pkg is the package of the tools component that holds the target; "" for
	// what every deps image has.
	pkg string
}

// fillIns list them for an architecture.
//
// The loader's standard path lets glibc programs that arrive later (uvx, npx,
// pip) start on a musl base. The paths are those of the psABIs, as in glibc's
// sysdeps/*/shlib-versions and ldconfig's known interpreters.
func fillIns(arch string) []fillIn {
	const loader = "/openhands/ld-linux-oh.so"
	fills := []fillIn{
		{path: "/bin/bash", target: "/openhands/tools/bash", pkg: "bash"},
		{path: "/bin/sh", target: "/openhands/tools/bash", pkg: "bash"},
		{path: "/usr/bin/env", target: "/openhands/tools/env"},
	}
	switch arch {
	case "amd64":
		fills = append(fills, fillIn{path: "/lib64/ld-linux-x86-64.so.2", target: loader})
	case "arm64":
		fills = append(fills, fillIn{path: "/lib/ld-linux-aarch64.so.1", target: loader})
	}
	return fills
}

// addFillIns adds what facts say is missing; without facts, nothing.
func (p *plan) addFillIns(in Input, _ spec.User) error {
	if in.Facts == nil {
		return nil
	}
	for _, f := range fillIns(in.Platform.Architecture) {
		if f.pkg != "" && !in.Deps.has(f.pkg) {
			continue
		}
		if err := p.layer.symlink(f.path, f.target); err != nil {
			return err
		}
	}
	// One that leads nowhere in the image, as to /dev/shm, is the base's business.
	if _, ok, err := p.layer.facts.place("/tmp"); ok || err != nil {
		return nil //nolint:nilerr // see above
	}
	return p.layer.dir("/tmp", owned{mode: fs.ModeSticky | 0o777})
}
