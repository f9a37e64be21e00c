package check

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// image is what is checked: the file system and the environment around us.
type image struct {
	root     string   // /openhands
	accounts string   // /etc/passwd
	shell    string   // /bin/bash, with which servers open sessions
	env      []string // of all programs that are started
	uid      int
	temp     string        // a directory of ours
	self     string        // our own file, which has many names
	limit    time.Duration // for servers and browsers to get ready
}

// step is the time that a program may take to say its version.
func (i image) step() time.Duration { return i.limit / 12 }

func (i image) path(name string) string { return filepath.Join(i.root, name) }

func (i image) getenv(name string) string {
	for n := len(i.env) - 1; n >= 0; n-- { // the last one counts, as for os/exec
		if value, ok := strings.CutPrefix(i.env[n], name+"="); ok {
			return value
		}
	}
	return ""
}

// program returns the file of one of our programs, "" if it is not there.
func (i image) program(name string) string {
	for _, dir := range []string{"bin", "tools"} {
		if p := filepath.Join(i.root, dir, name); executable(p) {
			return p
		}
	}
	return ""
}

// onPath returns what a server gets that calls a program by its name.
func (i image) onPath(name string) string {
	for _, dir := range filepath.SplitList(i.getenv("PATH")) {
		if p := filepath.Join(dir, name); filepath.IsAbs(p) && executable(p) {
			return p
		}
	}
	return ""
}

// user is the account that hosts name to a server. A user without a line in
// passwd has the name that the image gives it, else what hosts say by default.
func (i image) user() string {
	if i.uid == 0 {
		return "root"
	}
	b, _ := os.ReadFile(i.accounts)
	for line := range strings.Lines(string(b)) {
		if f := strings.Split(line, ":"); len(f) == 7 && f[0] != "" && f[2] == strconv.Itoa(i.uid) {
			return f[0]
		}
	}
	if name := i.getenv("RUNTIME_USERNAME"); name != "" {
		return name
	}
	return "openhands"
}

// interpreter is the Python of the server, "" if there is none.
func (i image) interpreter() string {
	if p := i.getenv("OH_INTERPRETER_PATH"); p != "" {
		return p // also one that is not there: that is a mistake to tell
	}
	for _, pattern := range []string{"agent-server/.venv/bin/python", "poetry/venv/bin/python", "poetry/*/bin/python", "python/bin/python3"} {
		for _, p := range i.glob(pattern) {
			if executable(p) {
				return p
			}
		}
	}
	return ""
}

// glob finds files below the root.
func (i image) glob(pattern string) []string {
	found, _ := filepath.Glob(i.path(pattern)) // errs only for a bad pattern
	return found
}

// browsers are the directories of Chromium in playwright's layout.
func (i image) browsers() []string {
	dir := i.getenv("PLAYWRIGHT_BROWSERS_PATH")
	if dir == "" {
		return nil
	}
	found, _ := filepath.Glob(filepath.Join(dir, "chromium-*"))
	shells, _ := filepath.Glob(filepath.Join(dir, "chromium_headless_shell-*"))
	return append(found, shells...)
}

func executable(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// isELF tells programs from scripts.
func isELF(name string) bool {
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, 4)
	_, err = io.ReadFull(f, head)
	return err == nil && bytes.Equal(head, []byte("\x7fELF"))
}
