package spec

import (
	"maps"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

var (
	mirrorNames = []string{"apt", "apt_snapshot", "pypi", "conda", "npm", "github", "playwright", "node"}

	// mirrorAddress is what can stand in every tool's settings as it is: no
	// query, no fragment, nothing that a file or a shell would read as more.
	mirrorAddress = regexp.MustCompile(`^https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~%+/@:-]*)?$`)

	// toolName is the rule for package names in Debian Policy, section 5.6.1.
	toolName = regexp.MustCompile(`^[a-z0-9][a-z0-9+.-]+$`)
	// packageName covers the names of apt, apk, dnf and zypper with a version or
	// an architecture, and nothing that a package manager takes for an option.
	packageName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9+._:=~-]*$`)
)

// validate reports every rule that the values break. The order of the checks
// does not matter: problems are sorted by place.
func (l *loader) validate(s *Spec) {
	l.checkBaseImage(s.BaseImage)
	l.checkPlatforms(s.Platforms)
	l.checkServer(s.Server)
	l.checkDepsImage(s.DepsImage)
	if s.DepsImage == "" {
		l.checkDeps(s.Deps, s.Server)
	}
	l.checkNames("extra_deps.packages", s.ExtraDeps.Packages, packageName,
		"a package name; it begins with a letter or digit and holds only letters, digits and +._:=~-")
	l.checkEnvironment(s.Environment)
	l.checkUser(s.User, s.Server)
	l.checkPath("working_dir", s.WorkingDir)
	l.checkLabels(s.Labels)
	l.checkMirrors(s.Mirrors)
	l.checkLimits(s)
}

// checkNames checks a list of names against a pattern, and that none comes twice.
func (l *loader) checkNames(key string, names []string, pattern *regexp.Regexp, rule string) {
	l.checkUnique(key, names)
	for i, name := range names {
		if !pattern.MatchString(name) {
			l.problem(item(key, i), "%s %q is not %s", item(key, i), name, rule)
		}
	}
}

// checkUnique reports an item that an earlier one repeats. Items with a problem
// are "" here.
func (l *loader) checkUnique(key string, items []string) {
	first := map[string]int{}
	for i, value := range items {
		if earlier, found := first[value]; found && value != "" {
			l.problem(item(key, i), "%s %q is listed already as %s; remove one", item(key, i), value, item(key, earlier))
			continue
		}
		first[value] = i
	}
}

func (l *loader) checkEnvironment(environment map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(environment)) {
		if !variableName.MatchString(name) {
			l.problem("environment."+name, "environment name %q must consist of letters, digits and _, and not begin with a digit", name)
		}
	}
}

func (l *loader) checkLabels(labels map[string]string) {
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		if strings.ContainsFunc(key, unicode.IsControl) || strings.TrimSpace(key) != key {
			l.problem("labels."+key, "label key %q must not hold control characters, nor begin or end with a space", key)
		}
	}
}

func (l *loader) checkMirrors(mirrors map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(mirrors)) {
		key := "mirrors." + name
		if !slices.Contains(mirrorNames, name) {
			l.problem(key, "mirror %q is unknown%s", name, meant(name, mirrorNames))
		}
		u, err := url.Parse(mirrors[name])
		isAddress := err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http")
		switch {
		case !isAddress && !strings.Contains(mirrors[name], "@"):
			l.problem(key, "%s %q must be an address that begins with https:// or http://", key, mirrors[name])
		case !isAddress || u.User != nil:
			// It would be in the graph, the provenance and the log, this message
			// included.
			l.problem(key, "%s must not hold a password; hand it over as the secret %q (--secret id=netrc,src=...)", key, "netrc")
		case u.RawQuery != "" || u.ForceQuery || strings.Contains(mirrors[name], "#"):
			// A token is a password as well.
			l.problem(key, "%s must be a host and a path, without ? or #; hand over a password as the secret %q (--secret id=netrc,src=...)", key, "netrc")
		case len(mirrors[name]) > maxAddress:
			l.problem(key, "%s has %d bytes; at most %d are allowed", key, len(mirrors[name]), maxAddress)
		case name == "apt_snapshot" && !strings.Contains(mirrors[name], "@SNAPSHOTID@"):
			l.problem(key, "%s %q has no time in it; write @SNAPSHOTID@ where it belongs, and @PATH@ for an archive's path", key, mirrors[name])
		case !mirrorAddress.MatchString(mirrors[name]):
			l.problem(key, "%s %q must be a host and a path of letters, digits and ._~%%+/@:-", key, mirrors[name])
		}
	}
}

// checkPath checks an absolute path in its one clean form, so that two
// spellings of a path are never two paths.
func (l *loader) checkPath(key, value string) {
	switch {
	case value == "":
	case strings.ContainsFunc(value, unicode.IsControl):
		l.problem(key, "%s %q must not hold control characters", key, value)
	case !strings.HasPrefix(value, "/"):
		l.problem(key, "%s %q must be an absolute path; use e.g. %q", key, value, path.Clean("/"+value))
	case path.Clean(value) != value:
		l.problem(key, "%s %q must be a clean path; use %q", key, value, path.Clean(value))
	default:
		l.checkPathLength(key, value)
	}
}

// meant ends a message about an unknown word with the nearest of the known
// ones, or with all of them.
func meant(word string, known []string) string {
	return didYouMeanOr(word, known, "; use one of "+strings.Join(known, ", "))
}
