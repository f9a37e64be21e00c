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

func poetryMain(r root, args []string) int {
	return failed("poetry", poetry(r, args, os.Environ()))
}

// poetry executes a command and returns only on failure. The virtual
// environment does not go on PATH, nor into VIRTUAL_ENV, for the reason that
// micromamba has.
func poetry(r root, args []string, env environ) error {
	if !runsServer(r, args) {
		return otherPoetry(r, args, env)
	}
	path, err := find(args[1], append([]string{r.at(serverEnv + "/bin")}, searchPath(env)...))
	if err == nil {
		err = replace(path, args[2:], env)
	}
	return fmt.Errorf("%w: %w", errCommand, err)
}

// runsServer tells whether the command is for the server's environment: poetry
// takes the project whose pyproject.toml is the nearest one upwards.
func runsServer(r root, args []string) bool {
	if len(args) < 2 || args[0] != "run" || strings.HasPrefix(args[1], "-") {
		return false
	}
	if info, err := os.Stat(r.at(serverEnv)); err != nil || !info.IsDir() {
		return false
	}
	dir, err := syscall.Getwd() // as poetry does: $PWD may lead through symlinks
	return err == nil && projectOf(dir) == r.at(codeDir)
}

// projectOf is the nearest directory upwards that has a pyproject.toml, "" for
// none.
func projectOf(dir string) string {
	for {
		_, err := os.Stat(filepath.Join(dir, "pyproject.toml"))
		if err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if !errors.Is(err, fs.ErrNotExist) || up == dir {
			return ""
		}
		dir = up
	}
}

// otherPoetry is the real one. It looks for virtual environments where the
// image has them, and it cannot do without a home.
func otherPoetry(r root, args []string, env environ) error {
	path := r.at(realPoetry)
	if executable(path) != nil {
		return fmt.Errorf("only `poetry run COMMAND` in %s is there, got %q: this image does not have poetry itself; install it where the project is", codeDir, args)
	}
	env = env.orDefault("POETRY_VIRTUALENVS_PATH", r.at(poetryDir))
	if home, err := chooseHome(r, self(), env.get("HOME")); err == nil {
		env = env.with("HOME", home)
	}
	return fmt.Errorf("%w: %w", errCommand, replace(path, args, env))
}
