package spec

// Defaults of the keys that have one.
const (
	defaultServer     = ServerNone
	defaultBuilder    = "debian:trixie-slim"
	defaultVSCode     = "1.109.5"
	defaultNode       = "24.21.0"
	defaultWorkingDir = "/workspace"
)

// DefaultUser is the name of the account that images get.
const DefaultUser = "openhands"

// defaultTools is what the OpenHands servers and agents call on every turn.
var defaultTools = []string{"bash", "tmux", "git", "jq", "ripgrep"}

// serverTools are what servers call besides (id, mkdir, chown, readlink), and
// what agents expect anywhere. Bases with a shell have their own, which stand
// before ours on PATH.
var serverTools = []string{"coreutils", "findutils", "grep", "sed", "procps"}

// setDefaults fills in what is not given. A value that is given and wrong stays
// empty; its problem is known.
func (l *loader) setDefaults(s *Spec) {
	l.imageFromArg(&s.BaseImage, "base_image", BaseImageArg)
	if l.imageFromArg(&s.DepsImage, "deps_image", depsImageArg) {
		// One spec can then build the deps image and, in another call, use it.
		s.Deps = Deps{}
	}
	l.setServerDefaults(&s.Server, s.DepsImage)
	if s.DepsImage == "" {
		s.Deps.setDefaults(s.Server, l.given)
	}
	if s.User.Name == "" && !l.broken("user") && !l.isNumericUser(s.User) {
		s.User.Name = DefaultUser
	}
	if s.User.Create == "" {
		s.User.Create = CreateBuild
	}
	if s.WorkingDir == "" {
		s.WorkingDir = defaultWorkingDir
	}
}

// defaultVersions are the releases of servers that this frontend was tested with.
var defaultVersions = map[string]string{ServerActionExecution: "0.62.0", ServerAgent: "1.58.2"}

// DefaultVersion is the release of a server that is taken where a spec names
// none. The frontend knows the digests of what it downloads of it.
func DefaultVersion(server string) string { return defaultVersions[server] }

// defaultBrowsers are what a server looks for: the V0 server drives the Chromium
// of its locked Playwright, the agent-server any that is on PATH.
var defaultBrowsers = map[string]string{ServerActionExecution: ProviderPlaywright, ServerAgent: ProviderBuilder}

// setServerDefaults leaves the server open where a deps image knows it.
func (l *loader) setServerDefaults(s *Server, depsImage string) {
	switch {
	case l.given("server"):
		if s.Version == "" && s.Source == "" {
			s.Version = defaultVersions[s.Name]
		}
	case depsImage == "":
		s.Name = defaultServer
	}
}

// isNumericUser tells "user: 1000", a mere uid, from "user: {uid: 1000}", which
// fixes the uid of the default account.
func (l *loader) isNumericUser(u User) bool {
	return u.IsNumeric() && !l.given("user.uid")
}

// imageFromArg takes an image that the file does not name from its arg.
func (l *loader) imageFromArg(image *string, path, arg string) bool {
	if l.given(path) {
		return false
	}
	value, ok := l.args.Get(arg)
	if !ok || value == "" {
		delete(l.args.used, arg)
		return false
	}
	*image = value
	if place, ok := l.places["args."+arg]; ok {
		l.places[path] = place
	}
	return true
}
