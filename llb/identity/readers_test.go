package identity

import (
	"strconv"
	"strings"
)

// readers find an account by its name as other programs do. They share no code
// with the package.
var readers = map[string]func(passwd []byte, name string) (Account, bool){
	"the C library": readStrictly,
	"a runtime":     readLoosely,
}

// readStrictly is getpwnam(3) of musl: seven fields, ids of digits alone.
func readStrictly(passwd []byte, name string) (Account, bool) {
	for _, line := range strings.Split(string(passwd), "\n") {
		rest, found := strings.CutPrefix(line, name+":")
		if !found {
			continue
		}
		fields := strings.SplitN(rest, ":", 6)
		if len(fields) < 6 {
			continue
		}
		uid, err := strconv.ParseUint(fields[1], 10, 32)
		gid, err2 := strconv.ParseUint(fields[2], 10, 32)
		if err != nil || err2 != nil {
			continue
		}
		return accountOf(name, uint32(uid), uint32(gid), fields[4], fields[5]), true
	}
	return Account{}, false
}

// readLoosely is what container runtimes do with the USER of an image
// (github.com/moby/sys/user): white space around a line does not count, fields
// may be missing, and an id that is no number is 0.
func readLoosely(passwd []byte, name string) (Account, bool) {
	for _, line := range strings.Split(string(passwd), "\n") {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		fields := append(strings.Split(line, ":"), make([]string, 7)...)
		if fields[0] != name {
			continue
		}
		uid, _ := strconv.Atoi(fields[2])
		gid, _ := strconv.Atoi(fields[3])
		return accountOf(name, uint32(uid), uint32(gid), fields[5], fields[6]), true
	}
	return Account{}, false
}

func accountOf(name string, uid, gid uint32, home, shell string) Account {
	a := Account{Name: name, UID: uid, GID: gid, Home: home, Shell: shell, Existed: true}
	if a.Home == "" {
		a.Home = "/"
	}
	if a.Shell == "" {
		a.Shell = "/bin/sh"
	}
	return a
}
