package lint

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/distribution/reference"

	"github.com/openhands/llb-frontend/frontend/lock"
	"github.com/openhands/llb-frontend/frontend/spec"
)

// Rules are all of them, in the order of docs/checks.md.
func Rules() []Rule {
	return []Rule{
		{"UnusedArg", "an arg or a build arg has no effect", false, func(in Input) []spec.Problem { return in.Warnings }},
		{"LatestTag", "an image is named by the tag latest, or by none", false, latestTag},
		{"NotPinned", "an image is not named by its digest", true, notPinned},
		{"SecretsUsedInArgOrEnv", "an arg, a variable or a label looks like a secret", false, secrets},
		{"UnverifiedDownload", "something is downloaded whose digest is not known", false, unverified},
		{"UnverifiedBrowser", "a browser is downloaded whose digest is not known", true, unverifiedBrowser},
		{"PackagesInRun", "a command installs packages of the distribution", false, packagesInRun},
		{"InterpreterVariable", "a variable changes the server's own Python", false, interpreterVariable},
		{"UnusedVariable", "a variable is another server's", false, unusedVariable},
		{"RootUser", "the image runs as root", true, rootUser},
		{"StaleLock", "the lock file lacks something that the spec names", false, staleLock},
		{"NoLock", "there is no lock file", true, noLock},
	}
}

// at makes a problem of the value at a path.
func at(in Input, path, text string, args ...any) spec.Problem {
	return spec.NewProblem(path, in.Range(path), text, args...)
}

// images calls f with every reference to an image of a registry that no lock
// file pins.
func images(in Input, f func(path string, ref reference.Named, text string)) {
	for _, i := range []struct{ path, text string }{
		{"base_image", in.Spec.BaseImage}, {"deps_image", in.Spec.DepsImage}, {"deps.builder", in.Spec.Deps.Builder},
	} {
		if i.text == "" || i.text == "scratch" || in.IsContext(i.text) {
			continue
		}
		if _, locked := in.Lock.Image(i.text); locked {
			continue
		}
		if ref, err := reference.ParseNormalizedNamed(i.text); err == nil {
			f(i.path, ref, i.text)
		}
	}
}

func latestTag(in Input) (found []spec.Problem) {
	images(in, func(path string, ref reference.Named, text string) {
		if _, pinned := ref.(reference.Digested); pinned {
			return
		}
		if tagged, ok := reference.TagNameOnly(ref).(reference.Tagged); ok && tagged.Tag() == "latest" {
			found = append(found, at(in, path, "%s %q is another image every other day: name a version, or a digest", path, text))
		}
	})
	return found
}

func notPinned(in Input) (found []spec.Problem) {
	images(in, func(path string, ref reference.Named, text string) {
		if _, pinned := ref.(reference.Digested); !pinned {
			found = append(found, at(in, path, "%s %q can change under its tag: add the digest, %s@sha256:...", path, text, text))
		}
	})
	return found
}

// secretName is what names of secrets have in them, as words of their own.
var secretName = regexp.MustCompile(`(?i)(^|[_.-])(pass|passwd|password|passphrase|secret|token|credentials?|api_?key|apikey|auth|private_?key|access_?key)($|[_.-])`)

// publicName is what makes such a name harmless.
var publicName = regexp.MustCompile(`(?i)(^|[_.-])(public|file|path|url|dir|timeout)($|[_.-])`)

func secrets(in Input) (found []spec.Problem) {
	for _, group := range []struct {
		path   string
		values map[string]string
		remedy string
	}{
		{"args", in.Args, "args are in the provenance: hand it over with --secret"},
		{"environment", in.Spec.Environment, "everybody who has the image can read it: set it when the container starts"},
		{"labels", in.Spec.Labels, "everybody who has the image can read it: leave it out"},
	} {
		for _, name := range slices.Sorted(maps.Keys(group.values)) {
			if group.values[name] != "" && secretName.MatchString(name) && !publicName.MatchString(name) {
				found = append(found, at(in, group.path+"."+name, "%s.%s looks like a secret, and %s", group.path, name, group.remedy))
			}
		}
	}
	return found
}

func unverified(in Input) (found []spec.Problem) {
	s := in.Spec.Server
	if known := spec.DefaultVersion(s.Name); s.Wanted() && in.Spec.DepsImage == "" && s.Source == "" && s.Version != known && !lockedServer(in) {
		path := "server.version"
		if !in.Given(path) {
			path = "server"
		}
		found = append(found, at(in, path, "%s %s is downloaded without a digest: this frontend knows those of %s", s.Name, s.Version, known))
	}
	for i, r := range in.Spec.Deps.Python.Requirements {
		if !strings.Contains(r, "==") && !strings.Contains(r, "@") && !strings.HasPrefix(strings.TrimSpace(r), "-") {
			found = append(found, at(in, fmt.Sprintf("deps.python.requirements[%d]", i), "requirement %q takes the version of the day: write ==VERSION, and --hash=sha256:... to be sure of its files", r))
		}
	}
	return found
}

// unverifiedBrowser is for the one download of the defaults that no release of the
// frontend can pin.
func unverifiedBrowser(in Input) []spec.Problem {
	if in.Spec.DepsImage != "" || in.Spec.Deps.Browser.Provider != spec.ProviderPlaywright || lockedBrowser(in.Lock) {
		return nil
	}
	return []spec.Problem{at(in, "deps.browser", "Playwright's browser is downloaded without a digest, since its makers publish none: write a lock file, which keeps that of its files, or use deps.browser: %s", spec.ProviderBuilder)}
}

func lockedBrowser(l *lock.Lock) bool {
	if l == nil {
		return false
	}
	for name := range l.Downloads {
		if strings.HasPrefix(name, "playwright/") {
			return true
		}
	}
	return false
}

var installs = regexp.MustCompile(`(^|[;&|({\n\s])(apt-get|apt|apk|dnf|microdnf|yum|zypper)\s+(-\S+\s+)*(install|add|in)\s`)

func packagesInRun(in Input) (found []spec.Problem) {
	for i, command := range in.Spec.ExtraDeps.Run {
		if m := installs.FindStringSubmatch(command); m != nil {
			found = append(found, at(in, fmt.Sprintf("extra_deps.run[%d]", i),
				"%s in a command runs again for every image: list the packages under extra_deps.packages, which all images of a base share", m[2]))
		}
	}
	return found
}

func rootUser(in Input) []spec.Problem {
	if !in.Spec.User.IsRoot() {
		return nil
	}
	return []spec.Problem{at(in, "user", "user is root: agents can then change all that the container has; leave user out, or name another")}
}
