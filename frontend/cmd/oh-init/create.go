package main

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/openhands/llb-frontend/llb/identity"
)

// createAccount makes the account below r as far as it can, and returns it with
// its supplementary groups whatever happens: the problems are for the user to
// read, not a reason to run as somebody else.
func createAccount(r root, want identity.Want) (account identity.Account, groups []uint32, problems []error) {
	note := func(err error) {
		if err != nil {
			problems = append(problems, err)
		}
	}
	have, err := readAccounts(r)
	note(err)
	account, files, err := identity.Edit(have, want)
	if err != nil {
		account = asWanted(have, want)
		note(fmt.Errorf("account %q not made, going on with %d:%d: %w", want.Name, account.UID, account.GID, err))
	} else if err := writeAccounts(r, files); err != nil {
		note(fmt.Errorf("account %q not written, going on with %d:%d: %w", want.Name, account.UID, account.GID, err))
	}
	for _, dir := range []string{account.Home, workspaceDir} {
		// The home of an account that was there may be any directory of the
		// system, /bin for instance: it is made if missing, and not touched.
		take := dir == workspaceDir || !account.Existed
		if err := giveDir(r.at(dir), account, take); err != nil {
			note(fmt.Errorf("directory %q not given to %d:%d: %w", dir, account.UID, account.GID, err))
		}
	}
	return account, groupsOf(have.Group, account), problems
}

// asWanted is the account that was asked for, where the image has another one
// of that name: OH_UID must be able to win over it.
func asWanted(have identity.Files, want identity.Want) identity.Account {
	// Valid by parseOptions, so there is no error without files.
	account, _, _ := identity.Edit(identity.Files{}, want)
	there, ok := identity.Lookup(have.Passwd, want.Name)
	if !ok {
		return account
	}
	account.Existed = true
	if want.UID == nil {
		account.UID = there.UID
	}
	if want.GID == nil {
		account.GID = there.GID
	}
	if want.Home == "" {
		account.Home = there.Home
	}
	return account
}

// groupsOf are the groups that name the account as a member, as container
// runtimes give them to a USER: an image must not lose them by this entrypoint.
func groupsOf(group []byte, account identity.Account) []uint32 {
	var groups []uint32
	for line := range strings.Lines(string(group)) {
		fields := strings.Split(strings.TrimRight(line, "\r\n"), ":")
		if len(fields) != 4 || !slices.Contains(strings.Split(fields[3], ","), account.Name) {
			continue
		}
		if gid, err := strconv.ParseUint(fields[2], 10, 32); err == nil {
			groups = append(groups, uint32(gid))
		}
	}
	return groups
}

// giveDir makes a directory of the account's, mode 0755, and with take gives it
// one that is there. What lies below stays as it is: it may be a large tree of
// the user's host.
func giveDir(dir string, account identity.Account, take bool) error {
	info, err := os.Lstat(dir)
	if os.IsNotExist(err) {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		if err := os.Chmod(dir, 0o755); err != nil { // whatever the umask
			return err
		}
		return os.Lchown(dir, int(account.UID), int(account.GID))
	}
	if err != nil || !take {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("it is no directory (mode %s): remove it, or choose another", info.Mode())
	}
	stat := info.Sys().(*syscall.Stat_t)
	if dir == "/" || stat.Uid == account.UID && stat.Gid == account.GID {
		return nil
	}
	return os.Lchown(dir, int(account.UID), int(account.GID))
}
