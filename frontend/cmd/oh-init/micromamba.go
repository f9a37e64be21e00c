package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// mambaRun are the arguments of `micromamba run`.
type mambaRun struct {
	name, prefix string
	rootPrefix   string
	cwd          string
	env          []string // NAME=VALUE to set, NAME to keep with clean
	clean        bool
	command      []string
}

func micromambaMain(r root, args []string) int {
	env := environ(os.Environ())
	if os.Geteuid() != 0 {
		// Hosts replace the entrypoint, which would have done it, and Jupyter does
		// not start without a home.
		env = withHome(r, self(), env)
	}
	return failed("micromamba", micromamba(r, args, env))
}

// failed is the end of a launcher that is still there: its command did not
// replace it.
func failed(program string, err error) int {
	say(program, err)
	if errors.Is(err, errCommand) {
		return exitCode(err)
	}
	return 1
}

// errCommand marks errors about the command of a launcher, which have a shell's
// exit codes.
var errCommand = errors.New("nothing was started")

// micromamba executes a command and returns only on failure.
//
// PATH stays as it is. The real micromamba puts the environment first on it,
// for a person who works in that environment. Here it belongs to the server
// alone: the terminals of its agents inherit what the server has, and there the
// python of the project must stay the first one. No shell and no home is needed
// either: the real one writes a script to run.
func micromamba(r root, args []string, env environ) error {
	if len(args) == 0 || args[0] != "run" {
		return otherMicromamba(r, args, env)
	}
	run, err := parseRun(args[1:])
	if err != nil {
		return err
	}
	base := run.rootPrefix
	if base == "" {
		base = env.orDefault("MAMBA_ROOT_PREFIX", r.at(mambaDir)).get("MAMBA_ROOT_PREFIX")
	}
	prefix, err := run.environment(base, env.get("CONDA_PREFIX"))
	if err != nil {
		return err
	}
	if run.cwd != "" {
		if err := os.Chdir(run.cwd); err != nil {
			return fmt.Errorf("%w: --cwd must be a directory that is there", err)
		}
	}
	path, err := find(run.command[0], append([]string{filepath.Join(prefix, "bin")}, searchPath(env)...))
	if err == nil {
		err = replace(path, run.command[1:], run.environ(env, base, prefix))
	}
	return fmt.Errorf("%w: %w", errCommand, err)
}

func otherMicromamba(r root, args []string, env environ) error {
	path := r.at(realMicromamba)
	if executable(path) != nil {
		return fmt.Errorf("only `micromamba run` is there, got %q: this image's Python does not come from micromamba; use its pip, or install micromamba yourself", args)
	}
	return fmt.Errorf("%w: %w", errCommand, replace(path, args, env))
}

// parseRun reads options up to the command, in the forms that micromamba takes:
// -n NAME, -nNAME, --name NAME, --name=NAME.
func parseRun(args []string) (mambaRun, error) {
	var run mambaRun
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		arg := args[0]
		args = args[1:]
		if arg == "--" {
			break
		}
		name, value, given := splitOption(arg)
		set, ok := run.option(name)
		switch {
		case !ok:
			return mambaRun{}, fmt.Errorf("`micromamba run` of this image has no option %q: use -n, -p, -r, --cwd, -e or --clean-env, and put -- before a command that begins with '-'", name)
		case set == nil && given:
			return mambaRun{}, fmt.Errorf("option %s takes no value, got %q: drop it", name, value)
		case set == nil:
			continue
		case !given && len(args) == 0:
			return mambaRun{}, fmt.Errorf("option %s has no value: give one behind it", name)
		case !given:
			value, args = args[0], args[1:]
		}
		if err := set(value); err != nil {
			return mambaRun{}, err
		}
	}
	if run.command = args; len(args) == 0 {
		return mambaRun{}, errors.New("`micromamba run` has no command: give one behind the options")
	}
	if run.name != "" && run.prefix != "" {
		return mambaRun{}, fmt.Errorf("-n %q and -p %q both name an environment: use one of them", run.name, run.prefix)
	}
	return run, nil
}

// option returns what to do with the value of an option; nil, and it is done
// already, for one that takes none.
func (run *mambaRun) option(name string) (set func(value string) error, ok bool) {
	text := func(to *string) func(string) error {
		return func(value string) error {
			if value == "" {
				return fmt.Errorf("option %s has an empty value: give one, or drop the option", name)
			}
			*to = value
			return nil
		}
	}
	switch name {
	case "-n", "--name":
		return text(&run.name), true
	case "-p", "--prefix":
		return text(&run.prefix), true
	case "-r", "--root-prefix":
		return text(&run.rootPrefix), true
	case "--cwd":
		return text(&run.cwd), true
	case "-e", "--env":
		return run.addEnv, true
	case "--clean-env":
		run.clean = true
		return nil, true
	case "-a", "--attach":
		return func(string) error { return nil }, true
	case "--no-capture-output", "--live-stream":
		return nil, true
	}
	return nil, false
}

func (run *mambaRun) addEnv(value string) error {
	if name, _, _ := strings.Cut(value, "="); name == "" {
		return fmt.Errorf("option -e has %q: use NAME=VALUE or NAME", value)
	}
	run.env = append(run.env, value)
	return nil
}

// splitOption splits --name=VALUE and -nVALUE.
func splitOption(arg string) (name, value string, given bool) {
	if strings.HasPrefix(arg, "--") || len(arg) <= 2 {
		return strings.Cut(arg, "=")
	}
	return arg[:2], strings.TrimPrefix(arg[2:], "="), true
}

// environment is the prefix that the options name: below base, or the active
// one where they name none.
func (run mambaRun) environment(base, active string) (string, error) {
	prefix := run.prefix
	switch {
	case run.name == "base":
		prefix = base
	case strings.Contains(run.name, "/"):
		return "", fmt.Errorf("-n %q is a path: use -p for a path", run.name)
	case run.name != "":
		prefix = filepath.Join(base, "envs", run.name)
	case prefix == "":
		prefix = active
	}
	if prefix == "" {
		return "", errors.New("`micromamba run` names no environment: use -n NAME or -p PREFIX")
	}
	prefix, err := filepath.Abs(prefix)
	if err != nil {
		return "", err
	}
	if info, err := os.Stat(prefix); err != nil || !info.IsDir() {
		names := environments(base)
		if len(names) == 0 {
			return "", fmt.Errorf("no environment is at %q, and none below %q: this image has no Python of ours", prefix, base)
		}
		return "", fmt.Errorf("no environment is at %q: use one of %q by -n", prefix, names)
	}
	return prefix, nil
}

// environments are the names that -n can have.
func environments(base string) []string {
	entries, _ := os.ReadDir(filepath.Join(base, "envs")) // none is an answer too
	names := make([]string, 0, len(entries))
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	slices.Sort(names)
	return names
}

// environ is what the command gets: as an activated environment has it, but for
// PATH.
func (run mambaRun) environ(env environ, base, prefix string) environ {
	active := prefix
	switch {
	case prefix == base:
		active = "base"
	case filepath.Dir(prefix) == filepath.Join(base, "envs"):
		active = filepath.Base(prefix)
	}
	out := env
	if run.clean {
		out = nil
	}
	out = out.with("CONDA_PREFIX", prefix).with("CONDA_DEFAULT_ENV", active).with("MAMBA_ROOT_PREFIX", base)
	for _, entry := range run.env {
		name, value, given := strings.Cut(entry, "=")
		if !given {
			value = env.get(name)
		}
		out = out.with(name, value)
	}
	return out
}
