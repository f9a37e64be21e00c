package imageconfig

import (
	"maps"
	"slices"
	"strings"

	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
)

// defaultPath is what container runtimes on Linux use for an image without a
// PATH (moby/buildkit util/system.DefaultPathEnvUnix).
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// patchEnv returns the base's variables in their order, replaced in place, and
// then the new ones by name.
func patchEnv(base []string, p Patch) []string {
	order, values := parseEnv(base)
	given := make(map[string]bool, len(order))
	for _, key := range order {
		given[key] = true
	}
	maps.Copy(values, p.Env)
	_, localeSet := values["LC_ALL"]
	for key, value := range p.DefaultEnv {
		if _, set := values[key]; !set && (key != "LANG" || !localeSet) {
			values[key] = value
		}
	}
	values["PATH"] = joinPath(p.PathFirst, values["PATH"], p.PathLast)

	known := len(order)
	for key := range values {
		if !given[key] {
			order = append(order, key)
		}
	}
	slices.Sort(order[known:])

	env := make([]string, len(order))
	for i, key := range order {
		env[i] = key + "=" + values[key]
	}
	return env
}

// parseEnv reads KEY=VALUE entries. Of entries with the same key the last one
// wins, as in a shell, and keeps the first one's place. One without a name is left
// out: no container would start with it.
func parseEnv(env []string) (order []string, values map[string]string) {
	values = make(map[string]string, len(env))
	for _, entry := range env {
		key, value, _ := strings.Cut(entry, "=")
		if key == "" {
			continue
		}
		if _, seen := values[key]; !seen {
			order = append(order, key)
		}
		values[key] = value
	}
	return order, values
}

// joinPath puts directories around a PATH. Each directory appears once, ours in
// the place that we give them. Empty entries are dropped: to a shell they mean
// the current directory.
func joinPath(first []string, path string, last []string) string {
	if strings.Trim(path, ":") == "" {
		path = defaultPath
	}
	middle := slices.DeleteFunc(strings.Split(path, ":"), func(dir string) bool {
		return slices.Contains(first, dir) || slices.Contains(last, dir)
	})
	var dirs []string
	seen := map[string]bool{"": true}
	for _, dir := range slices.Concat(first, middle, last) {
		if !seen[dir] {
			dirs = append(dirs, dir)
		}
		seen[dir] = true
	}
	return strings.Join(dirs, ":")
}

// HasEnv tells whether a config sets a variable.
func HasEnv(img dockerspec.DockerOCIImage, name string) bool {
	return slices.ContainsFunc(img.Config.Env, func(kv string) bool { return strings.HasPrefix(kv, name+"=") })
}
