// Package identity gives an image its user by editing the base's account files
// as bytes: no shell, no useradd, no emulation of a foreign architecture.
//
// Every byte that is not ours stays: comments, NIS lines, malformed lines,
// other accounts. Programs read these files from the top and take the first
// match, so what a line means depends on where it stands: see insert.
package identity

import (
	"fmt"
	"slices"
)

// DefaultID is the uid of a new account whose uid the spec leaves open, also
// where the base has given it away (ubuntu, node and pn all sit at 1000).
// Sharing it is on purpose: 1000 is the first person's uid on most
// distributions, so files of a bind-mounted project and of the base's own user
// belong to ours without a chown.
const DefaultID = 1000

const (
	rootName     = "root"
	rootHome     = "/root"
	defaultShell = "/bin/bash"
)

// Files are a base's account files, each with its whole content. Nil means that
// the base has no such file; an empty, non-nil slice is a file without content.
type Files struct {
	Passwd  []byte // /etc/passwd
	Group   []byte // /etc/group
	Shadow  []byte // /etc/shadow
	GShadow []byte // /etc/gshadow
}

// Want is the account that the spec asks for. Nil and "" leave a value to the
// base where it has the account, and to the defaults of Edit otherwise.
type Want struct {
	Name     string
	UID, GID *uint32
	Home     string // absolute path
	Shell    string // absolute path
}

// Account is an account as the image has it.
type Account struct {
	Name     string
	UID, GID uint32
	Home     string
	Shell    string
	// Existed tells that the base's passwd file names the account. Root may be
	// neither there nor added; runtimes then know it only as 0, not by its name.
	Existed bool
}

// Edit returns the account as the image will have it, and the files that must
// change for it with their new content; a nil file stays as it is.
//
// An account that the base has is used as it is, and nothing changes. A new one
// gets DefaultID, the gid of the base's group of the same name or else the
// number of its uid, /home/NAME and /bin/bash. It gets a group of its own name,
// and lines in shadow and gshadow where the base has these files.
//
// Root needs no account file to exist, so for root lines are added only when
// the base lacks the account and want sets more than its ids to 0.
//
// The error joins one *Error for each part of want that is invalid or that the
// base's account contradicts. Edit is idempotent: on its own result it changes
// nothing.
func Edit(have Files, want Want) (Account, Files, error) {
	if err := want.check(); err != nil {
		return Account{}, Files{}, err
	}
	if account, ok := find(have.Passwd, func(a Account) bool { return a.Name == want.Name }); ok {
		if err := want.conflicts(account); err != nil {
			return Account{}, Files{}, err
		}
		return account, Files{}, nil
	}
	if want.isPlainRoot() {
		return Account{Name: rootName, Home: rootHome, Shell: "/bin/sh"}, Files{}, nil
	}

	groupID, groupExists := findGroup(have.Group, want.Name)
	if groupExists && want.GID != nil && *want.GID != groupID {
		return Account{}, Files{}, want.groupConflict(groupID)
	}
	account := want.newAccount()
	if groupExists {
		account.GID = groupID
	}
	return account, add(have, account, !groupExists), nil
}

// isPlainRoot tells whether want is satisfied by the kernel's idea of root.
func (w Want) isPlainRoot() bool {
	return w.Name == rootName && (w.GID == nil || *w.GID == 0) && w.Home == "" && w.Shell == ""
}

// newAccount fills what want leaves open with the defaults.
func (w Want) newAccount() Account {
	a := Account{Name: w.Name, UID: DefaultID, Home: w.Home, Shell: w.Shell}
	if w.Name == rootName {
		a.UID = 0
	}
	if w.UID != nil {
		a.UID = *w.UID
	}
	a.GID = a.UID
	if w.GID != nil {
		a.GID = *w.GID
	}
	if a.Home == "" {
		a.Home = defaultHome(w.Name)
	}
	if a.Shell == "" {
		a.Shell = defaultShell
	}
	return a
}

func defaultHome(name string) string {
	if name == rootName {
		return rootHome
	}
	return "/home/" + name
}

// add returns the files that must change for a new account.
func add(have Files, a Account, newGroup bool) Files {
	var out Files
	// "x" sends readers to shadow, as on every current distribution.
	line := fmt.Sprintf("%s:x:%d:%d::%s:%s\n", a.Name, a.UID, a.GID, a.Home, a.Shell)
	out.Passwd = insert(orRoot(have.Passwd, "root:x:0:0:root:/root:/bin/sh\n", a.Name), line, a.Name, &a.UID)

	// PAM refuses su and sudo for an account that is missing in shadow. No
	// password matches "*", and unlike "!" it does not mark the account as
	// locked, which sshd takes as a ban. The empty date fields mean that nothing
	// ever expires; a date of 0 would ask for a new password at once.
	if have.Shadow != nil && !names(have.Shadow, a.Name) {
		out.Shadow = insert(have.Shadow, a.Name+":*:::::::\n", a.Name, nil)
	}
	if !newGroup {
		return out
	}
	line = fmt.Sprintf("%s:x:%d:\n", a.Name, a.GID)
	out.Group = insert(orRoot(have.Group, "root:x:0:\n", a.Name), line, a.Name, &a.GID)
	if have.GShadow != nil && !names(have.GShadow, a.Name) {
		out.GShadow = insert(have.GShadow, a.Name+":!::\n", a.Name, nil)
	}
	return out
}

// orRoot starts a file that the base lacks with root's line: tools are confused
// by a passwd or group file in which 0 has no name.
func orRoot(file []byte, rootLine, name string) []byte {
	if file != nil || name == rootName {
		return file
	}
	return []byte(rootLine)
}

// Lookup returns the first account of that name, or of that uid if the argument
// is a number: container runtimes read the user of an image config in this way.
func Lookup(passwd []byte, nameOrUID string) (Account, bool) {
	if uid, ok := parseID(nameOrUID); ok {
		return find(passwd, func(a Account) bool { return a.UID == uid })
	}
	return find(passwd, func(a Account) bool { return a.Name == nameOrUID })
}

// Sudoers is the content of a file below /etc/sudoers.d that lets the account
// run everything as everyone without a password. sudo wants the mode 0440. The
// name must be one that Edit accepts: sudo reads ALL and other capitals as
// something else than a user.
func Sudoers(name string) []byte {
	return slices.Concat([]byte(name), []byte(" ALL=(ALL:ALL) NOPASSWD:ALL\n"))
}
