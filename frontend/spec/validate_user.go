package spec

import (
	"regexp"
	"slices"
	"strings"
)

var (
	createValues = []string{CreateBuild, CreateStart}

	// userName is the rule of useradd(8), which all distributions accept.
	userName = regexp.MustCompile(`^[a-z_][a-z0-9_-]{0,31}$|^[a-z_][a-z0-9_-]{0,30}[$]$`)
)

func (l *loader) checkUser(u User, s Server) {
	l.checkUserName(u.Name)
	if u.IsRoot() && !u.IsNumeric() {
		l.checkRoot(u)
	}
	l.checkPasswdPath("user.home", u.Home)
	l.checkPasswdPath("user.shell", u.Shell)
	switch {
	case !slices.Contains(createValues, u.Create):
		l.problem("user.create", "user.create %q is unknown%s", u.Create, meant(u.Create, createValues))
	case u.Create != CreateStart || l.broken("user"):
	case u.IsRoot() || u.IsNumeric():
		l.problem("user.create", "user.create %q needs a user with a name; remove it or name one", CreateStart)
	case s.Wanted():
		l.problem("user.create", "user.create %q does not go together with server %q: its hosts replace the entrypoint and would run as root; remove one", CreateStart, s.Name)
	}
}

func (l *loader) checkUserName(name string) {
	switch {
	case name == "" || userName.MatchString(name):
	case strings.ContainsAny(name, ":\n"):
		l.problem("user.name", "user name %q must not hold a colon or a newline: they separate fields and lines of /etc/passwd", name)
	case isNumber(name):
		l.problem("user.name", `user name %q must not be a number; for a mere uid write "user: %s"`, name, name)
	default:
		l.problem("user.name", "user name %q must begin with a-z or _ and hold only a-z, 0-9, _ and -, at most 32 of them", name)
	}
}

// checkRoot refuses what would make root another account: it is the base
// image's own and stays as it is.
func (l *loader) checkRoot(u User) {
	if u.Name != "root" {
		l.problem("user.uid", "user.uid 0 is root's; write \"user: root\" or choose another uid")
		return
	}
	if u.UID != nil && *u.UID != 0 {
		l.problem("user.uid", "user.uid of root must be 0, is %d; remove it or choose another name", *u.UID)
	}
	if u.GID != nil && *u.GID != 0 {
		l.problem("user.gid", "user.gid of root must be 0, is %d; remove it or choose another name", *u.GID)
	}
	for _, key := range []string{"user.home", "user.shell"} {
		if l.given(key) {
			l.problem(key, "%s cannot be set for root, whose account is the base image's; remove it", key)
		}
	}
	if u.Sudo {
		l.problem("user.sudo", "user.sudo has no meaning for root; remove it")
	}
}

// checkPasswdPath checks a path that becomes a field of /etc/passwd.
func (l *loader) checkPasswdPath(key, value string) {
	l.checkPath(key, value)
	switch {
	case value == "/":
		l.problem(key, `%s must not be "/"; use a path below it`, key)
	case strings.Contains(value, ":"):
		l.problem(key, "%s %q must not hold a colon: it separates the fields of /etc/passwd", key, value)
	case strings.TrimSpace(value) != value:
		l.problem(key, "%s %q must not end with a space: readers of /etc/passwd cut it off", key, value)
	}
}
