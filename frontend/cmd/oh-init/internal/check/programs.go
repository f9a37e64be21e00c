package check

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// named are the programs with a row each: those that agents need, and those
// that somebody expects.
func (i image) named(expect []string) []string {
	names := []string{"bash", "tmux", "git", "jq", "rg", "node", "npm", "npx", "uv", "uvx"}
	for _, name := range expect {
		if !slices.Contains(names, name) && i.program(name) != "" && !hasRow(name) {
			names = append(names, name)
		}
	}
	return names
}

// hasRow keeps a program from a second row of its name.
func hasRow(name string) bool {
	return slices.Contains([]string{"python", "chromium", "playwright", "vscode"}, name)
}

// loader starts one program, the first that is there, to blame the loader
// rather than each of them.
func (i image) loader(ctx context.Context) result {
	file := i.path("ld-linux-oh.so")
	if !exists(file) {
		return missing("no %s", file)
	}
	about := "loader"
	// Loaders before glibc 2.33 do not know this option, and are fine.
	if o := i.run(ctx, i.step(), command{args: []string{file, "--version"}}); o.err == nil {
		about = strings.TrimSuffix(oneLine(o.stdout), ".")
	}
	for _, name := range []string{"bash", "env", "git", "jq", "tmux"} {
		p := i.program(name)
		if p == "" || !isELF(p) {
			continue
		}
		o := i.run(ctx, i.step(), command{args: []string{p, "--version"}})
		if text := o.unable(); text != "" {
			return broken(remedyFor(text), o.output(), "%s: %s", p, text)
		}
		return works("%s; starts %s", about, name)
	}
	return works("%s; no program to start with it", about)
}

// version is the row of a program that says its version.
func (i image) version(ctx context.Context, name string) result {
	p := i.program(name)
	if p == "" {
		return missing("no %s in %s or %s", name, i.path("bin"), i.path("tools"))
	}
	o := i.run(ctx, i.step(), command{args: []string{p, "--version"}})
	if text := o.problem(); text != "" {
		return broken(remedyFor(text), o.output(), "%s", text)
	}
	return works("%s", oneLine(o.output()))
}

// tools starts every program. What it then does is its own affair.
func (i image) tools(ctx context.Context) result {
	var names, bad, lines []string
	for _, dir := range []string{"bin", "tools"} {
		for _, p := range i.programsIn(i.path(dir)) {
			name := filepath.Base(p)
			names = append(names, name)
			o := i.run(ctx, i.step(), command{args: []string{p, "--version"}, dir: i.temp})
			if text := o.unable(); text != "" {
				bad = append(bad, name)
				lines = append(lines, name+": "+text)
			}
		}
	}
	switch {
	case len(names) == 0:
		return missing("no program in %s or %s", i.path("bin"), i.path("tools"))
	case len(bad) > 0:
		return broken(remedyFor(lines[0]), strings.Join(lines, "\n"),
			"%d of %d programs cannot start: %s", len(bad), len(names), strings.Join(bad, " "))
	}
	return works("%d programs start", len(names))
}

// programsIn leaves out ourselves under all our names, scripts, and programs
// whose whole purpose is to end processes: some old ones read no options.
func (i image) programsIn(dir string) (paths []string) {
	self, _ := os.Stat(i.self)
	entries, _ := os.ReadDir(dir) // a directory that is not there has no programs
	for _, e := range entries {
		switch e.Name() {
		case "killall5", "halt", "init", "poweroff", "reboot", "runlevel", "shutdown", "telinit":
			continue
		}
		p := filepath.Join(dir, e.Name())
		info, err := os.Stat(p)
		if err != nil || os.SameFile(info, self) || !executable(p) || !isELF(p) {
			continue
		}
		paths = append(paths, p)
	}
	return paths
}
