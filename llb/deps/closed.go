package deps

import (
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

// AptMirror is the variable by which oh-seal and the script of
// extra_deps.packages know mirrors.apt.
const AptMirror = "APT_MIRROR"

func (in graph) aptMirror() []llb.RunOption {
	if m := in.Mirrors["apt"]; m != "" {
		return []llb.RunOption{llb.AddEnv(AptMirror, m)}
	}
	return nil
}

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
