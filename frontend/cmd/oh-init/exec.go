package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Exit codes, as env(1), nohup(1) and shells use them.
const (
	exitSelf       = 125 // our own failure
	exitNotStarted = 126 // the command is there and cannot be executed
	exitNotFound   = 127
)

// find returns the file of a command, as a shell does: a name with a slash as
// it is, any other in the first directory that has an executable of that name.
// Relative and empty entries of PATH are passed over: they would let whoever
// can write to the working directory choose what runs.
func find(command string, dirs []string) (string, error) {
	if strings.Contains(command, "/") {
		return command, executable(command)
	}
	failure := fmt.Errorf("command %q is not in %q: give its path, or add its directory to PATH: %w",
		command, strings.Join(dirs, ":"), fs.ErrNotExist)
	if command == "" {
		return "", failure
	}
	for _, dir := range dirs {
		if !filepath.IsAbs(dir) {
			continue
		}
		path := filepath.Join(dir, command)
		err := executable(path)
		if err == nil {
			return path, nil
		}
		if !errors.Is(err, fs.ErrNotExist) && errors.Is(failure, fs.ErrNotExist) {
			failure = err // a shell, too, names the file that it could not take
		}
	}
	return "", failure
}

func searchPath(env environ) []string { return filepath.SplitList(env.get("PATH")) }

func executable(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("command %q is not there: give the path of a program that the image has: %w", path, fs.ErrNotExist)
	case err != nil:
		return fmt.Errorf("command %q cannot be looked at: %w", path, err)
	case info.IsDir():
		return fmt.Errorf("command %q is a directory: give the path of a program", path)
	case info.Mode().Perm()&0o111 == 0:
		return fmt.Errorf("command %q is not executable: set its mode to 0755, or name its interpreter first", path)
	}
	return nil
}

// replace executes path in place of this process. The command learns its own
// path as argv[0]: a Python that is called by its mere name looks itself up on
// PATH, finds another Python there, or none, and takes that one's modules.
func replace(path string, args []string, env environ) error {
	argv := append([]string{path}, args...)
	return notStarted(path, syscall.Exec(path, argv, env))
}

// notStarted words the kernel's refusal. ENOENT is about the interpreter here:
// the file itself was found.
func notStarted(path string, err error) error {
	switch {
	case errors.Is(err, syscall.ENOENT):
		return fmt.Errorf("command %q needs an interpreter or a loader that this image lacks: see its first line, or its ELF interpreter", path)
	case errors.Is(err, syscall.ENOEXEC):
		return fmt.Errorf("command %q is not for this machine: it must be of its architecture, or a script with #! in front", path)
	}
	return fmt.Errorf("command %q cannot be executed: %w", path, err)
}

func exitCode(err error) int {
	if errors.Is(err, fs.ErrNotExist) {
		return exitNotFound
	}
	return exitNotStarted
}

// oneLine is an error's text as one line: joined errors have several.
func oneLine(err error) string {
	return strings.ReplaceAll(err.Error(), "\n", "; ")
}
