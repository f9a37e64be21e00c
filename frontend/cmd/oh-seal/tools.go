package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
)

// launcher starts our tmux with UTF-8 whatever the locale says.
const launcher = "#!/bin/sh\nexec /openhands/bin/tmux -u \"$@\"\n"

func placeTools(opt options, t *tree, say func(string, ...any)) (*output, error) {
	o := newOutput(opt.arch, opt.libs...)
	for _, pkg := range slices.Sorted(maps.Keys(t.requested)) {
		programs, err := o.placePackage(t, pkg)
		if err != nil {
			return nil, err
		}
		if programs == 0 {
			say("warning: package %s holds no program; commands that its scripts would link (alternatives) do not exist", pkg)
			continue
		}
		say("keep %s: %s", pkg, count(programs, "program"))
	}
	for _, k := range knownPaths() {
		if t.requested[k.pkg] {
			o.moves = append(o.moves, k.move)
			o.must = append(o.must, hit{k.pkg, k.from})
			o.items[k.to] = item{link: k.link}
		}
	}
	if _, ok := o.items["/openhands/bin/tmux"]; ok {
		o.items["/openhands/bin/oh-tmux"] = item{data: []byte(launcher), exec: true}
	}
	if err := o.skipProvided(); err != nil {
		return nil, err
	}
	if err := o.scripts(say); err != nil {
		return nil, err
	}
	if dropped := o.links(t); len(dropped) > 0 {
		say("leave out links to nothing: %s", strings.Join(dropped, " "))
	}
	added, err := o.closure(t)
	if err != nil {
		return nil, err
	}
	if len(added) > 0 {
		say("libraries added: %s", strings.Join(added, " "))
	}
	return o, nil
}

// placePackage keeps the programs and the data directories of a package and
// returns the number of programs.
func (o *output) placePackage(t *tree, pkg string) (programs int, err error) {
	for _, e := range t.of(pkg) {
		var p string
		if name, ok := program(e.path); ok {
			p = "/openhands/tools/" + name
			if name == "tmux" { // servers drive this one: an old tmux of the image must not be taken
				p = "/openhands/bin/tmux"
			}
			programs++
		} else {
			m, err := dataMove(e.path, o.arch)
			if err != nil {
				return 0, fmt.Errorf("package %s: %w", pkg, err)
			}
			if m.to == "" {
				continue
			}
			if err := o.addMove(m); err != nil {
				return 0, err
			}
			p = m.to + strings.TrimPrefix(e.path, m.from)
		}
		if err := o.place(p, item{src: e, moved: true}); err != nil {
			return 0, err
		}
	}
	return programs, nil
}

// program returns the name of a program's path.
func program(p string) (string, bool) {
	switch path.Dir(p) {
	case "/usr/bin", "/usr/sbin", "/usr/games":
		return path.Base(p), true
	}
	return "", false
}

// skipProvided leaves out what the lib component holds, such as time zones.
func (o *output) skipProvided() error {
	for _, p := range o.paths() {
		it := o.items[p]
		if it.src == nil || it.src.data == nil {
			continue
		}
		has, err := o.provided(p, it)
		if err != nil {
			return err
		}
		if has {
			o.drop(p)
		}
	}
	return nil
}

// scripts prunes scripts whose interpreter is not kept: they cannot run, even
// where an image has one, without the modules that their package would bring.
func (o *output) scripts(say func(string, ...any)) error {
	var pruned []string
	for _, p := range o.paths() {
		e := o.items[p].src
		if e == nil || e.data == nil || !e.data.exec {
			continue
		}
		head, err := readHead(e.data.disk)
		if err != nil {
			return err
		}
		switch interpreter := shebang(head); interpreter {
		case "", "sh", "bash":
		default:
			if _, ok := o.items["/openhands/tools/"+interpreter]; !ok {
				pruned = append(pruned, path.Base(p)+" ("+interpreter+")")
				o.drop(p)
			}
		}
	}
	if len(pruned) > 0 {
		say("leave out scripts without their interpreter: %s", strings.Join(pruned, ", "))
	}
	return nil
}

// shebang returns the name of a script's interpreter, "" if it has none.
func shebang(head string) string {
	line, ok := strings.CutPrefix(head, "#!")
	if !ok {
		return ""
	}
	line, _, _ = strings.Cut(line, "\n")
	words := strings.Fields(line)
	for i, word := range words {
		if i > 0 && strings.HasPrefix(word, "-") {
			continue // env -S
		}
		if name := path.Base(word); name != "env" {
			return name
		}
	}
	return ""
}

func readHead(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	head, err := io.ReadAll(io.LimitReader(f, 256)) // the kernel's limit, BINPRM_BUF_SIZE
	return string(head), err
}
