// Package secret is the table of the secrets that a build accepts. It is a leaf:
// stages mount them by it, oh-seal reads them by it, and docs are held to it.
package secret

import (
	"regexp"
	"slices"
)

// IDs of the secrets, as --secret id=... names them.
const (
	CA    = "ca"
	Netrc = "netrc"
	Pip   = "pip"
	NPM   = "npm"
	Apt   = "apt"
)

// Dir is where secrets are mounted, each as a file named by its id.
const Dir = "/run/secrets"

// Private is a tmpfs in every command that sees secrets: what is made of them
// (a bundle of certificates, a tool's own form of a password) lies there, and is
// gone with the command. Anything else that a command writes is kept by the
// daemon.
const Private = "/run/openhands/private"

// Secret is a file that the client may hand to a build.
type Secret struct {
	ID string
	// Holds says what the file is.
	Holds string
}

// Path is where a command finds the secret.
func (s Secret) Path() string { return Path(s.ID) }

// Path is where a command finds the secret with an id.
func Path(id string) string { return Dir + "/" + id }

// inText finds paths of secrets in a command.
var inText = regexp.MustCompile(`\b` + Dir[1:] + `/(\w+(?:[.-]+\w+)*)`)

// Mentioned lists, sorted, the ids of the secrets that a command mentions by
// their paths, without those of [All].
func Mentioned(command string) []string {
	var ids []string
	for _, match := range inText.FindAllStringSubmatch(command, -1) {
		if !slices.ContainsFunc(All(), func(s Secret) bool { return s.ID == match[1] }) {
			ids = append(ids, match[1])
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// All lists the secrets that every command gets. Each is optional.
func All() []Secret {
	return []Secret{
		{CA, "further CA certificates, PEM"},
		{Netrc, "user names and passwords by host, netrc(5)"},
		{Pip, "pip.conf of pip"},
		{NPM, ".npmrc of npm"},
		{Apt, "apt_auth.conf(5) of apt"},
	}
}
