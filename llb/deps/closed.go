package deps

import (
	"strings"

	"github.com/moby/buildkit/client/llb"

	"github.com/openhands/llb-frontend/llb/secret"
)

// Secrets are the mounts of a command that may see the client's secrets, and of
// the tmpfs for what is made of them. None of it is part of a cache key, a layer
// or the provenance, but for the ids.
func Secrets() []llb.RunOption {
	opts := []llb.RunOption{llb.AddMount(secret.Private, llb.Scratch(), llb.Tmpfs())}
	for _, s := range secret.All() {
		opts = append(opts, llb.AddSecret(s.Path(), llb.SecretID(s.ID), llb.SecretOptional))
	}
	return opts
}

// Variables by which oh-seal and the script of extra_deps.packages know where
// packages of the distribution come from.
const (
	// aptMirror replaces the scheme and host of archives; where it has
	// [aptPath], that stands for an archive's path.
	aptMirror = "APT_MIRROR"
	// aptSnapshot is the time that packages are from. Without a mirror apt itself
	// knows the distribution's service for it.
	aptSnapshot = "APT_SNAPSHOT"

	// Placeholders of mirrors.apt_snapshot, which are apt's own
	// (Acquire::Snapshots::URI in apt.conf).
	aptPath = "@PATH@"
	aptTime = "@SNAPSHOTID@"
)

// HasSnapshots tells whether packages can be those of a snapshot at all: a
// mirror has today's, unless it says where it has others.
func HasSnapshots(mirrors map[string]string) bool {
	return mirrors["apt"] == "" || mirrors["apt_snapshot"] != ""
}

// Apt tells a command where its packages come from.
func Apt(mirrors map[string]string, snapshot string) []llb.RunOption {
	var opts []llb.RunOption
	mirror := mirrors["apt"]
	if snapshot != "" && HasSnapshots(mirrors) {
		opts = append(opts, llb.AddEnv(aptSnapshot, snapshot))
		mirror = strings.ReplaceAll(mirrors["apt_snapshot"], aptTime, snapshot)
		if mirror != "" && !strings.Contains(mirror, aptPath) {
			mirror = strings.TrimSuffix(mirror, "/") + "/" + aptPath
		}
	}
	if mirror != "" {
		opts = append(opts, llb.AddEnv(aptMirror, mirror))
	}
	return opts
}

func (in graph) apt() []llb.RunOption { return Apt(in.Mirrors, in.Snapshot) }

// IndexMirrors tell package managers of languages where their index is, by the
// variables that each has. They are those of one command, never of an image.
func IndexMirrors(mirrors map[string]string) []llb.RunOption {
	var opts []llb.RunOption
	for _, v := range []struct{ mirror, name string }{
		{"pypi", "PIP_INDEX_URL"},
		{"pypi", "UV_DEFAULT_INDEX"},
		{"npm", "NPM_CONFIG_REGISTRY"},
	} {
		if m := mirrors[v.mirror]; m != "" {
			opts = append(opts, llb.AddEnv(v.name, m))
		}
	}
	return opts
}
