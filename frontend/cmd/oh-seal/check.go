package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/openhands/llb-frontend/llb/seal"
)

// finding is something in a tree that reaches outside /openhands.
type finding struct {
	path string // in the image
	text string
	// fatal findings keep a program from starting, or let the image's
	// libraries into it. The others are gaps: a path that may not be there.
	fatal bool
	// optional is such a path that programs name and mostly do without.
	optional bool
}

func (f finding) String() string { return f.path + ": " + f.text }

// checkCommand makes every finding an error.
func checkCommand(arch seal.Arch, roots []string) error {
	findings, err := checkTree(arch, roots)
	errs := []error{err}
	for _, f := range findings {
		errs = append(errs, errors.New(f.String()))
	}
	return errors.Join(errs...)
}

// checkComponent refuses a component whose programs could not start, and tells
// of other gaps: only its author knows whether they matter.
func checkComponent(arch seal.Arch, roots []string, say func(string, ...any)) error {
	findings, err := checkTree(arch, roots)
	errs, gaps, optional := []error{err}, 0, 0
	for _, f := range findings {
		switch {
		case f.fatal:
			errs = append(errs, errors.New(f.String()))
		case !strings.HasPrefix(f.path, "/") || !anyHas(roots[:1], f.path):
		case f.optional:
			optional++
		default:
			if gaps++; gaps <= mostGaps {
				say("warning: %s", f)
			}
		}
	}
	if optional > 0 {
		say("%s outside /openhands named, which images need not have; oh-seal check shows them", count(optional, "path"))
	}
	if gaps > mostGaps {
		say("warning: and %d more of this kind, which oh-seal check shows", gaps-mostGaps)
	}
	return errors.Join(errs...)
}

// mostGaps are told of a component. Hundreds of wheels' libraries can name
// directories of the machine that they were compiled on.
const mostGaps = 12

// checkTree walks the /openhands of one or several components that belong
// together, and returns what it finds in the order of roots and paths.
func checkTree(arch seal.Arch, roots []string) ([]finding, error) {
	var found []finding
	if !anyHas(roots, seal.Interpreter) {
		found = append(found, finding{path: seal.Interpreter, text: "the loader is missing", fatal: true})
	}
	c := checker{arch: arch, roots: roots, owners: owners(roots)}
	for _, root := range roots {
		top := filepath.Join(root, "openhands")
		err := filepath.WalkDir(top, func(name string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			inside := strings.TrimPrefix(name, strings.TrimSuffix(filepath.Clean(root), "/"))
			list, err := c.file(name, inside)
			found = append(found, list...)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

type checker struct {
	arch   seal.Arch
	roots  []string
	owners map[string]string // base name of a library -> a path that has it
}

// owners are the shared libraries of a tree by name, for hints.
func owners(roots []string) map[string]string {
	names := map[string]string{}
	for _, root := range roots {
		// Errors come up again when the tree is walked in earnest.
		_ = filepath.WalkDir(filepath.Join(root, "openhands"), func(name string, d fs.DirEntry, err error) error {
			if err == nil && strings.Contains(d.Name(), ".so") && names[d.Name()] == "" {
				names[d.Name()] = strings.TrimPrefix(name, strings.TrimSuffix(filepath.Clean(root), "/"))
			}
			return nil
		})
	}
	return names
}

func (c checker) file(name, inside string) ([]finding, error) {
	r, info, err := openRegular(name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	f, err := seal.Inspect(r, c.arch)
	if err != nil {
		return []finding{{path: inside, text: err.Error(), fatal: true}}, nil
	}
	switch f.Kind {
	case seal.NotELF:
		if info.Mode()&0o111 == 0 {
			return nil, nil
		}
		return c.script(name, inside)
	case seal.Static, seal.StaticPIE, seal.Executable, seal.Shared:
	default:
		return nil, nil
	}
	found := c.headers(f, inside)
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	for _, p := range outsidePaths(b) {
		found = append(found, finding{path: inside, text: "names " + p + ", which images need not have", optional: true})
	}
	return found, nil
}

func (c checker) headers(f seal.File, inside string) (found []finding) {
	if f.Interp != "" && f.Interp != seal.Interpreter {
		musl := strings.HasPrefix(path.Base(f.Interp), "ld-musl-")
		found = append(found, finding{path: inside, text: fmt.Sprintf("interpreter %s is outside", f.Interp), fatal: !musl})
	}
	for _, dir := range f.Runpath {
		if !seal.Inside(dir) {
			found = append(found, finding{path: inside, text: fmt.Sprintf("search directory %q is outside", dir), fatal: true})
		}
	}
	for _, lib := range f.Needed {
		if lib == c.arch.Loader || c.libraryInside(f, path.Dir(inside), lib) {
			continue
		}
		text := fmt.Sprintf("needed library %s is not inside", lib)
		p := c.owners[lib]
		if p != "" {
			text += fmt.Sprintf(" where the loader looks (but %s is)", p)
		}
		found = append(found, finding{path: inside, text: text, fatal: p == "" && !forMusl(lib)})
	}
	return found
}

// libraryInside looks where the sealed loader will.
func (c checker) libraryInside(f seal.File, origin, lib string) bool {
	if strings.Contains(lib, "/") {
		return anyHas(c.roots, lib)
	}
	for _, dir := range f.Runpath {
		dir = path.Clean(expandOrigin(dir, origin))
		if strings.HasPrefix(dir, "/openhands/") && anyHas(c.roots, path.Join(dir, lib)) {
			return true
		}
	}
	return anyHas(c.roots, path.Join(c.arch.LibDir(), lib))
}

// script looks for a script's interpreter. Images have /bin/sh, /bin/bash and
// /usr/bin/env: they get links where they lack them.
func (c checker) script(name, inside string) ([]finding, error) {
	head, err := readHead(name)
	if err != nil || !strings.HasPrefix(head, "#!") {
		return nil, err
	}
	line, _, _ := bytes.Cut([]byte(head[2:]), []byte("\n"))
	words := strings.Fields(string(line))
	if len(words) == 0 {
		return nil, nil
	}
	interpreter := words[0]
	switch {
	case interpreter == "/bin/sh", interpreter == "/bin/bash":
		return nil, nil
	case interpreter == envProgram:
		if interpreter = shebang(head); interpreter == "sh" || interpreter == "bash" {
			return nil, nil
		}
		for _, dir := range []string{"/openhands/bin", "/openhands/tools"} {
			if anyHas(c.roots, path.Join(dir, interpreter)) {
				return nil, nil
			}
		}
	case strings.HasPrefix(interpreter, "/openhands/") && anyHas(c.roots, interpreter):
		return nil, nil
	}
	return []finding{{path: inside, text: fmt.Sprintf("is a script for %s, which images need not have", interpreter), optional: true}}, nil
}

// anyHas says whether one of the roots has a file. A link counts as what it
// leads to inside its root, or in another.
func anyHas(roots []string, p string) bool {
	for range 8 { // links between components are short chains
		link := ""
		for _, root := range roots {
			name := filepath.Join(root, p)
			info, err := os.Lstat(name)
			switch {
			case err != nil: // or a directory on the way is a link
				if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
					return true
				}
			case info.Mode().IsRegular():
				return true
			case info.Mode()&fs.ModeSymlink != 0:
				link, _ = os.Readlink(name)
			}
		}
		if link == "" {
			return false
		}
		if !path.IsAbs(link) {
			link = path.Join(path.Dir(p), link)
		}
		p = link
	}
	return false
}
