package engine

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"path"
	"runtime"
	"strconv"
	"strings"
)

// debianLayer is the root of a Debian release: what debian:SUITE-slim holds,
// made by mmdebstrap from the archive that it uses by default.
//
// For an architecture that this machine cannot run the packages are only
// unpacked. Nothing can be executed in such a root, but every file is there.
func debianLayer(suite string) layerRecipe {
	return layerRecipe{key: "debian-" + suite, make: func(ctx context.Context, e *Engine, arch string) (tree, error) {
		if arch == runtime.GOARCH {
			return e.mmdebstrap(ctx, append(slimOptions(suite), "--variant=minbase", "--arch="+arch, suite))
		}
		t, err := e.mmdebstrap(ctx, append(aptOptions(suite), "--variant=extract", "--include=?essential", "--arch="+arch, suite))
		if err != nil {
			return nil, err
		}
		// The accounts that base-passwd makes when it is configured.
		for _, file := range []string{"passwd", "group"} {
			master, err := t.text("usr/share/base-passwd/" + file + ".master")
			if err != nil {
				return nil, err
			}
			t.file("etc/"+file, 0o644, master)
		}
		return t, nil
	}}
}

// aptLayer adds apt to a trixie that was only unpacked.
var aptLayer = layerRecipe{key: "apt-trixie", make: func(ctx context.Context, e *Engine, arch string) (tree, error) {
	return e.debianPackages(ctx, arch, "trixie", "apt")
}}

// slimOptions make dpkg leave out what the slim images leave out.
func slimOptions(suite string) []string {
	var options []string
	for _, rule := range []string{
		"path-exclude=/usr/share/doc/*", "path-include=/usr/share/doc/*/copyright",
		"path-exclude=/usr/share/info/*", "path-exclude=/usr/share/locale/*", "path-exclude=/usr/share/man/*",
	} {
		options = append(options, "--dpkgopt="+rule)
	}
	return append(options, aptOptions(suite)...)
}

func aptOptions(suite string) []string {
	if suite == "sid" {
		// Its index expires within days, and a mirror may be older.
		return []string{`--aptopt=Acquire::Check-Valid-Until "false"`}
	}
	return nil
}

// debianPackages is the content of packages of Debian, unpacked and not
// configured, for any architecture.
func (e *Engine) debianPackages(ctx context.Context, arch, suite string, packages ...string) (tree, error) {
	return e.mmdebstrap(ctx, []string{
		"--variant=extract", "--arch=" + arch, "--include=" + strings.Join(packages, ","), suite,
	})
}

// mmdebstrap runs mmdebstrap and reads the tar that it writes.
func (e *Engine) mmdebstrap(ctx context.Context, args []string) (tree, error) {
	if err := e.NeedPrograms(ctx, "mmdebstrap"); err != nil {
		return nil, err
	}
	var stderr strings.Builder
	cmd := exec.CommandContext(ctx, "mmdebstrap", append([]string{"--mode=root", "--format=tar"}, args...)...)
	cmd.Env = append(cmd.Environ(), "SOURCE_DATE_EPOCH="+strconv.Itoa(sourceDateEpoch))
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	t := tree{}
	readErr := t.readTar(out, keepOfDebian)
	if readErr != nil {
		_, _ = io.Copy(io.Discard, out) // let it end and say why
	}
	if err := cmd.Wait(); err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, tail([]byte(stderr.String()), 20))
	}
	return t, readErr
}

// keepOfDebian leaves out what belongs to a machine and not to an image: device
// nodes, and the host's own name and resolver that mmdebstrap copies.
func keepOfDebian(name string) bool {
	return path.Dir(name) != "dev" && name != "etc/hostname" && name != "etc/resolv.conf"
}
