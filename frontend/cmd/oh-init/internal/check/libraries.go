package check

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
)

// libraries asks the loader what the big programs need. A start of them would
// tell of one library that they lack, and this tells of all. Static programs
// need none, and come out as fine.
func (i image) libraries(ctx context.Context) result {
	loader := i.path("ld-linux-oh.so")
	if !executable(loader) {
		return missing("no %s", loader)
	}
	var names, lacks, lines []string
	for _, p := range i.bigPrograms() {
		name := filepath.Base(p)
		names = append(names, name)
		// The loader's --list would end at the first library that is not there.
		// With the variable it lists all, and the program does not run either.
		o := i.run(ctx, i.step(), command{
			args: []string{loader, p},
			env:  []string{"oh_TRACE_LOADED_OBJECTS=1"},
		})
		for _, lib := range notFound(o.stdout) {
			lacks = append(lacks, lib+" for "+name)
			lines = append(lines, p+": "+lib)
		}
		if text := loaderMessage(o.stderr); text != "" {
			lacks = append(lacks, "some for "+name)
			lines = append(lines, p+": "+text)
		}
	}
	switch {
	case len(names) == 0:
		return missing("no program to ask for")
	case len(lacks) > 0:
		return broken("rebuild the component with the packages that have these libraries; oh-seal adopt adds what is needed",
			strings.Join(lines, "\n"), "not found: %s", strings.Join(lacks, ", "))
	}
	return works("found for %s", strings.Join(names, " "))
}

// bigPrograms are those whose libraries come from many packages.
func (i image) bigPrograms() (paths []string) {
	add := func(p string) {
		if p != "" && executable(p) && isELF(p) && !slices.Contains(paths, p) {
			paths = append(paths, p)
		}
	}
	for _, name := range []string{"tmux", "git", "node", "chromium"} {
		add(i.program(name))
	}
	add(i.interpreter())
	add(i.path(".openvscode-server/node"))
	for _, dir := range i.browsers() {
		// Names of several releases of playwright.
		for _, pattern := range []string{"chrome-linux*/chrome*", "*/headless_shell*", "*/chrome-headless-shell*"} {
			found, _ := filepath.Glob(filepath.Join(dir, pattern)) // errs only for a bad pattern
			for _, p := range found {
				add(p)
			}
		}
	}
	return paths
}

// notFound reads the loader's list: "NAME => not found".
func notFound(list string) (libs []string) {
	for line := range strings.Lines(list) {
		name, _, missing := strings.Cut(line, " => not found")
		if name = strings.TrimSpace(name); missing && !slices.Contains(libs, name) {
			libs = append(libs, name)
		}
	}
	return libs
}
