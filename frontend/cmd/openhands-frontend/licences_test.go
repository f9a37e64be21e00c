package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/openhands/llb-frontend/llb/llbtest"
)

// allowed are the licences, by their SPDX identifiers, that a module may have which
// is linked into one of the programs: they ask for their text to be passed on, and
// for nothing of the code beside theirs.
var allowed = []string{"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT"}

// phrases tell a licence by words that no other has, with white space made alike.
var phrases = []struct{ id, phrase string }{
	{"Apache-2.0", `Apache License,? *Version 2\.0`},
	{"MIT", `Permission is hereby granted, free of charge, to any person obtaining a copy`},
	{"ISC", `Permission to use, copy, modify,? and(/or)? distribute this software for any purpose`},
	{"BSD-3-Clause", `Redistribution and use in source and binary forms.*Neither the name|Redistribution and use in source and binary forms.*names of its contributors may`},
	{"BSD-2-Clause", `Redistribution and use in source and binary forms`},
	{"MPL-2.0", `Mozilla Public License`},
	{"GPL", `GNU (LESSER |AFFERO )?GENERAL PUBLIC LICENSE`},
	{"CC-BY-SA-4.0", `Creative Commons Attribution-ShareAlike`},
}

// programs are those of the frontend's image.
var programs = []string{"openhands-frontend", "oh-seal", "oh-init"}

// TestLicences reads the licence of every module that is linked into the programs,
// for both architectures, and holds to them docs/licences.md and the texts that the
// images have: the frontend's all of them, those that it makes oh-init's.
func TestLicences(t *testing.T) {
	modules := map[string]module{}
	users := map[string][]string{}
	for _, program := range programs {
		for _, arch := range []string{"amd64", "arm64"} {
			for _, m := range linked(t, program, arch) {
				modules[m.Path] = m
				if !slices.Contains(users[m.Path], program) {
					users[m.Path] = append(users[m.Path], program)
				}
			}
		}
	}
	if len(modules) < 10 {
		t.Fatalf("only %d modules are linked", len(modules))
	}
	rows := [][]string{{"module", "version", "licence", "linked into"}, goItself(t)}
	for _, path := range slices.Sorted(maps.Keys(modules)) {
		ids, err := licences(modules[path].Dir)
		if err != nil {
			t.Errorf("%s: %v", path, err)
		}
		for _, id := range ids {
			if !slices.Contains(allowed, id) {
				t.Errorf("%s has the licence %s; allowed are %s", path, id, strings.Join(allowed, ", "))
			}
		}
		rows = append(rows, []string{path, modules[path].Version, strings.Join(ids, ", "), strings.Join(users[path], ", ")})
	}
	llbtest.Page(t, "../../../docs/licences.md", "licences", rows)
	var all, ofInit []string
	for _, path := range slices.Sorted(maps.Keys(modules)) {
		all = append(all, path)
		if slices.Contains(users[path], "oh-init") {
			ofInit = append(ofInit, path)
		}
	}
	llbtest.Text(t, "licences.txt", licenceTexts(t, modules, all))
	llbtest.Text(t, "../oh-init/licences.txt", licenceTexts(t, modules, ofInit))
}

// licenceTexts are the licences and notices of modules and of Go, each text once.
func licenceTexts(t *testing.T, modules map[string]module, paths []string) string {
	t.Helper()
	var texts []string
	of := map[string][]string{}
	read := func(name, dir string) {
		files, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if !passedOn.MatchString(f.Name()) || f.Type()&fs.ModeType != 0 {
				continue
			}
			b, err := os.ReadFile(filepath.Join(dir, f.Name()))
			if err != nil {
				t.Fatal(err)
			}
			text := strings.TrimSpace(strings.ReplaceAll(string(b), "\r\n", "\n"))
			if len(of[text]) == 0 {
				texts = append(texts, text)
			}
			of[text] = append(of[text], name)
		}
	}
	read("Go", goRoot(t))
	for _, path := range paths {
		read(path, modules[path].Dir)
	}
	var b strings.Builder
	for _, text := range texts {
		b.WriteString(strings.Join(of[text], "\n") + "\n\n" + text + "\n\n" + strings.Repeat("-", 80) + "\n\n")
	}
	return b.String()
}

func goRoot(t *testing.T) string {
	t.Helper()
	root, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(root))
}

// goItself is the standard library, whose licence is that of the toolchain.
func goItself(t *testing.T) []string {
	t.Helper()
	ids, err := licences(goRoot(t))
	if err != nil || !slices.Equal(ids, []string{"BSD-3-Clause"}) {
		t.Errorf("Go has the licences %q, %v", ids, err)
	}
	return []string{"Go's standard library", "the compiler's", strings.Join(ids, ", "), strings.Join(programs, ", ")}
}

type module struct {
	Path, Version, Dir string
	Main               bool
}

// linked lists the modules of the packages that a program is made of.
func linked(t *testing.T, program, arch string) []module {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=Module", "../"+program)
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+arch, "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v", cmd, err)
	}
	var list []module
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct{ Module *module }
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return list
		} else if err != nil {
			t.Fatal(err)
		}
		if p.Module != nil && !p.Module.Main {
			list = append(list, *p.Module)
		}
	}
}

var (
	licenceFile = regexp.MustCompile(`(?i)^(licen[sc]e|copying)(\.(txt|md))?$`)
	passedOn    = regexp.MustCompile(`(?i)^(licen[sc]e|copying|notice)(\.(txt|md))?$`)
	space       = regexp.MustCompile(`\s+`)
)

// licences tells the licences of a directory, sorted.
func licences(dir string) ([]string, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, f := range files {
		if !licenceFile.MatchString(f.Name()) || f.Type()&fs.ModeType != 0 {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			return nil, err
		}
		ids = append(ids, named(string(text))...)
	}
	slices.Sort(ids)
	if ids = slices.Compact(ids); len(ids) == 0 {
		return nil, errors.New("no licence that is known")
	}
	return ids, nil
}

// named lists the licences that a text contains.
func named(text string) (ids []string) {
	text = space.ReplaceAllString(text, " ")
	for _, p := range phrases {
		if !regexp.MustCompile("(?i)" + p.phrase).MatchString(text) {
			continue
		}
		if p.id == "BSD-2-Clause" && slices.Contains(ids, "BSD-3-Clause") {
			continue
		}
		ids = append(ids, p.id)
	}
	return ids
}

// TestNamed keeps the recognition from saying yes to what it should not.
func TestNamed(t *testing.T) {
	for text, want := range map[string]string{
		"all rights reserved":                                                           "",
		"GNU GENERAL PUBLIC LICENSE\nVersion 3":                                         "GPL",
		"Mozilla Public License Version 2.0":                                            "MPL-2.0",
		"Apache License\n  Version 2.0, January 2004":                                   "Apache-2.0",
		"Redistribution and use in source\nand binary forms, with or without":           "BSD-2-Clause",
		"Redistribution and use in source and binary forms. Neither the name of Google": "BSD-3-Clause",
	} {
		if got := strings.Join(named(text), " "); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}
