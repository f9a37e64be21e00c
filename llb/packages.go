package llb

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"

	"github.com/openhands/llb-frontend/llb/deps"
)

// aptScript is longer than those of the other managers: apt alone takes its
// archive, certificates and passwords from elsewhere.
//
//go:embed apt.sh
var aptScript string

// manager is a package manager of a base.
type manager struct {
	name string
	// probe is the program that tells that a base has this manager.
	probe string
	// script installs the packages that are its arguments. Index and packages
	// belong in one process: a cached update before a later install would
	// offer packages that the archive has dropped.
	script string
}

// packageCache is where managers keep their downloads: a cache mount in a
// fresh place, which neither ends up in the layer nor is reached by hooks of
// the base that empty the usual places (docker-clean of Debian's images).
const packageCache = "/run/openhands/packages"

// installScript is where a manager's script is mounted: as a file, so that a
// failing build does not print it.
const installScript = "/run/openhands/install"

// managers are looked for in this order.
func managers() []manager {
	return []manager{
		{"apt", "/usr/bin/apt-get", aptScript},
		{"apk", "/sbin/apk", `exec apk add --update-cache --cache-dir $CACHE -- "$@"`},
		{"dnf", "/usr/bin/dnf", `exec dnf -y --setopt=keepcache=True --setopt=cachedir=$CACHE --setopt=install_weak_deps=False install "$@"`},
		{"microdnf", "/usr/bin/microdnf", `exec microdnf -y --setopt=keepcache=1 --setopt=cachedir=$CACHE --setopt=install_weak_deps=0 install "$@"`},
		{"yum", "/usr/bin/yum", `exec yum -y --setopt=keepcache=1 --setopt=cachedir=$CACHE install "$@"`},
		{"zypper", "/usr/bin/zypper", `exec zypper --non-interactive --pkg-cache-dir $CACHE install --no-recommends "$@"`},
	}
}

// ManagerPaths are the paths that [InstallPackages] wants to know of.
func ManagerPaths() []string {
	var paths []string
	for _, m := range managers() {
		paths = append(paths, m.probe)
	}
	return paths
}

// InstallPackages runs the base's own package manager for
// extra_deps.packages. It stands before the merge: it needs the base alone,
// and all images with the same base and packages share its layer. facts are
// those of the base itself.
func InstallPackages(in Input, facts *Facts) (llb.State, error) {
	const path = "extra_deps.packages"
	pkgs := in.Document.Spec.ExtraDeps.Packages
	m, err := findManager(facts)
	if err != nil {
		return llb.State{}, in.Problem(path, fmt.Errorf("base image %q %w", in.Base.Ref, err))
	}
	opts := in.runOptions(in.Step("packages", path, m.name+" install "+strings.Join(pkgs, " ")))
	// Bases of the same distribution and architecture share a cache.
	cache := strings.Join([]string{"openhands", m.name, facts.Distribution, in.Platform.Architecture}, "-")
	script := llb.Scratch().File(llb.Mkfile("/"+m.name, 0o644, []byte(clientScript+m.script)), in.Step("internal", path, "script of packages")...)
	opts = append(opts, deps.Secrets()...)
	if m.name == "apt" {
		opts = append(opts, deps.Apt(in.Document.Spec.Mirrors, in.Snapshot)...)
	}
	opts = append(opts,
		llb.Args(append([]string{"/bin/sh", installScript + "/" + m.name}, pkgs...)),
		llb.AddMount(installScript, script, llb.Readonly),
		llb.AddEnv("CACHE", packageCache),
		deps.CacheDir(in.CacheNamespace, packageCache, cache, llb.CacheMountLocked))
	return in.Base.State.Run(opts...).Root(), nil
}

func findManager(facts *Facts) (manager, error) {
	all := managers()
	i := slices.IndexFunc(all, func(m manager) bool { return facts.exists(m.probe) })
	if i >= 0 {
		return all[i], nil
	}
	var names []string
	for _, m := range all {
		names = append(names, m.name)
	}
	return manager{}, fmt.Errorf("has none of the package managers %s: use deps.tools, which installs nothing in the base", strings.Join(names, ", "))
}
