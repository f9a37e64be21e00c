package spec

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// maxID is the largest uid and gid: 4294967295 is (uid_t)-1, which chown(2)
// takes for "leave as it is".
const maxID = 1<<32 - 2

// When an account is created.
const (
	CreateBuild = "build" // written into the image
	CreateStart = "start" // made when a container starts
)

// User is the account that the image runs as. A user without a name is purely
// numeric and gets no account.
//
//spec:short string a user name, a uid, or "uid:gid"
//spec:short integer a uid; no account is made for it
type User struct {
	// Name is the name of the account. An account that the base image already
	// has under this name is used.
	//
	//spec:default openhands
	//spec:pattern ^[a-z_][a-z0-9_-]{0,31}[$]?$
	//spec:example user: {name: dev}
	Name string `yaml:"name"`

	// UID is the user id. When it is not given, the id is free to choose; that of
	// the default account with `agent-server` is 10001, as its hosts count on.
	//
	//spec:example user: {uid: 1001}
	UID *uint32 `yaml:"uid"`

	// GID is the id of the user's group. When it is not given, the id is free to
	// choose; that of the default account with `agent-server` is 10001.
	//
	//spec:example user: {gid: 1001}
	GID *uint32 `yaml:"gid"`

	// Home is the home directory, an absolute path. The default is that of the
	// base image's account, or `/home/` and the name.
	//
	//spec:pattern ^/
	//spec:example user: {home: /home/dev}
	Home string `yaml:"home"`

	// Shell is the login shell, an absolute path. The default is that of the
	// base image's account, or `/bin/bash`.
	//
	//spec:pattern ^/
	//spec:example user: {shell: /bin/sh}
	Shell string `yaml:"shell"`

	// Sudo lets the user run everything as root without a password, where the
	// image has sudo. The default account with `agent-server` may where the base
	// image has sudo, unless this is `false`.
	//
	//spec:default false
	//spec:example user: {sudo: true}
	Sudo bool `yaml:"sudo"`

	// Create says when the account is made: `build` writes it into the image.
	// `start` leaves it to oh-init when a container starts: the image then runs
	// as root until oh-init has made the account, nothing of the base is read,
	// and hosts that replace the entrypoint get root. It is refused with a
	// server, whose hosts do so.
	//
	//spec:default build
	//spec:enum build start
	//spec:example user: {create: build}
	Create string `yaml:"create"`
}

// IsRoot reports whether the user is root, by name or by uid 0.
func (u User) IsRoot() bool {
	return u.Name == "root" || u.UID != nil && *u.UID == 0
}

// IsNumeric reports whether the user is only a uid, without an account.
func (u User) IsNumeric() bool {
	return u.Name == "" && u.UID != nil
}

// setShort reads "name", "uid" or "uid:gid".
func (u *User) setShort(text string) error {
	id, group, paired := strings.Cut(text, ":")
	if !isNumber(id) {
		if paired {
			return errors.New(`must be a name, a uid or "uid:gid"; give a name and its ids as {name: ..., uid: ..., gid: ...}`)
		}
		u.Name = text
		return nil
	}
	uid, err := parseID(id)
	if err != nil {
		return fmt.Errorf("has a uid that %w", err)
	}
	u.UID = &uid
	if !paired {
		return nil
	}
	gid, err := parseID(group)
	if err != nil {
		return fmt.Errorf("has a gid that %w", err)
	}
	u.GID = &gid
	return nil
}

// short is the inverse of setShort for a numeric user; other users have the
// long form.
func (u User) short() (string, bool) {
	switch {
	case !u.IsNumeric():
		return "", false
	case u.GID == nil:
		return formatID(*u.UID), true
	default:
		return formatID(*u.UID) + ":" + formatID(*u.GID), true
	}
}

// parseID reads a uid or gid. Leading zeros are refused: YAML 1.1 reads such a
// number as octal, a person as decimal.
func parseID(text string) (uint32, error) {
	id, err := strconv.ParseUint(text, 10, 32)
	if err != nil || id > maxID || text != strconv.FormatUint(id, 10) {
		return 0, fmt.Errorf("must be a whole number from 0 to %d, written in decimal, is %q", uint32(maxID), text)
	}
	return uint32(id), nil
}

func formatID(id uint32) string {
	return strconv.FormatUint(uint64(id), 10)
}

func isNumber(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}
