package llb_test

import (
	"fmt"
	"path"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/solver/pb"

	"github.com/openhands/llb-frontend/frontend/spec"
	ohllb "github.com/openhands/llb-frontend/llb"
	"github.com/openhands/llb-frontend/llb/llbtest"
)

// shellCharacters are what a shell, sed, an option parser or a line of a file would
// read as more than text.
const shellCharacters = " \t\n;|&<>()$`\"'\\*?[]{}~#!=%,^"

// mark finds a value wherever it goes.
const mark = "pwn"

// wholeSpec has every key that reaches a command line, so that each can be replaced.
const wholeSpec = `
base_image: debian:trixie-slim
server: action-execution-server
deps:
  tools: [bash, tmux, git]
  python: {provider: uv, version: 3.13.9+20251120, digests: {amd64: "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}, requirements: ["a==1"]}
  node: {version: "1", digests: {amd64: "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}}
  vscode: {version: "1", digests: {amd64: "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}}
  browser: {provider: playwright, version: 1.55.0}
  acp: {agents: codex, node: {version: "1", digests: {amd64: "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}}}
extra_deps: {packages: [curl], run: [echo]}
environment: {A: b}
labels: {A: b}
args: {A: b}
entrypoint: [a]
command: [a]
user: {name: openhands, home: /home/oh, shell: /bin/sh}
mirrors: {apt: "https://m.example.com"}
`

// place is where a value of the spec arrives.
type place string

const (
	inArgument = place("argument")
	inVariable = place("variable")
	inFile     = place("data file")
	inAddress  = place("address of a source")
	inAccounts = place("account file")
	inConfig   = place("image config")
	inScript   = place("SCRIPT")
)

// TestValuesAreNeverScript puts characters of shells into every text of a spec that
// there is, by reflection, and looks where what is accepted arrives in the graph.
// docs/reliability.md has the table.
func TestValuesAreNeverScript(t *testing.T) {
	doc, err := spec.Load("openhands.yaml", []byte(wholeSpec), nil)
	if err != nil {
		t.Fatal(err)
	}
	rows := [][]string{{"key", "characters of shells that are accepted", "where the value arrives"}}
	for _, f := range fields(reflect.TypeFor[spec.Spec](), "") {
		accepted, places := tryField(t, doc.Spec, f)
		if slices.Contains(places, inScript) {
			t.Errorf("%s arrives in the text of a script, with %q", f, accepted)
		}
		var names []string
		for _, p := range places {
			names = append(names, string(p))
		}
		rows = append(rows, []string{"`" + f + "`", characters(accepted), strings.Join(names, ", ")})
	}
	llbtest.Page(t, "../docs/reliability.md", "fields", rows)
}

func characters(accepted string) string {
	switch accepted {
	case "":
		return "none"
	case shellCharacters:
		return "all: it is text"
	default:
		quoted := strings.ReplaceAll(fmt.Sprintf("%q", accepted), "`", "")
		return "`" + quoted[1:len(quoted)-1] + "`"
	}
}

// fields lists the texts of a type by their keys, those of mappings and lists with
// "*" for any.
func fields(t reflect.Type, at string) []string {
	var list []string
	for i := range t.NumField() {
		f := t.Field(i)
		key := strings.TrimPrefix(at+"."+f.Tag.Get("yaml"), ".")
		switch {
		case f.Type.Kind() == reflect.Struct:
			list = append(list, fields(f.Type, key)...)
		case f.Type.Kind() == reflect.String:
			list = append(list, key)
		case f.Type.Kind() == reflect.Slice:
			list = append(list, key+"[*]")
		case f.Type.Kind() == reflect.Map:
			list = append(list, key+" (names)", key+".*")
		}
	}
	return list
}

// tryField gives the characters that the field takes, and where a value of all of
// them arrives.
func tryField(t *testing.T, whole spec.Spec, field string) (accepted string, places []place) {
	t.Helper()
	for _, form := range []string{"%s", "/%s", "1+%s", "https://example.com/%s"} {
		with := func(text string) (string, error) { return load(t, whole, field, fmt.Sprintf(form, mark+text+mark)) }
		if _, err := with(""); err != nil {
			continue
		}
		taken := shellCharacters
		data, err := with(taken)
		if err != nil {
			taken = strings.Map(func(c rune) rune {
				if _, err := with(string(c)); err != nil {
					return -1
				}
				return c
			}, shellCharacters)
			data, err = with(taken)
		}
		if err != nil {
			t.Fatalf("%s: %q: %v", field, taken, err)
		}
		if len(taken) > len(accepted) {
			accepted = taken
		}
		places = append(places, arrivals(t, data)...)
	}
	slices.Sort(places)
	return accepted, slices.Compact(places)
}

// load puts a value into a field of a spec, and gives the file if it loads.
func load(t *testing.T, s spec.Spec, field, value string) (string, error) {
	t.Helper()
	if strings.HasPrefix(field, "deps_image") {
		s.Deps, s.Server, s.Mirrors = spec.Deps{}, spec.Server{}, nil
	}
	if field == "server.source" {
		s.Server.Version = ""
	}
	set(reflect.ValueOf(&s).Elem(), field, value)
	data, err := spec.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	_, err = spec.Load("openhands.yaml", data, nil)
	return string(data), err
}

func set(v reflect.Value, field, value string) {
	name, names := strings.CutSuffix(field, " (names)")
	name = strings.TrimSuffix(strings.TrimSuffix(name, "[*]"), ".*")
	for _, key := range strings.Split(name, ".") {
		for i := range v.NumField() {
			if v.Type().Field(i).Tag.Get("yaml") == key {
				v = v.Field(i)
				break
			}
		}
	}
	switch old := v.Interface().(type) {
	case []string:
		v.Set(reflect.ValueOf(append(slices.Clone(old), value)))
	case map[string]string:
		changed := map[string]string{}
		for k := range old {
			changed[k] = value
		}
		if names {
			changed = map[string]string{value: "x"}
		} else if len(old) == 0 {
			changed["amd64"] = value
		}
		v.Set(reflect.ValueOf(changed))
	default:
		v.SetString(value)
	}
}

// arrivals composes a spec and looks for the mark everywhere.
func arrivals(t *testing.T, yaml string) []place {
	t.Helper()
	in, err := tryInput(t, yaml, debian(), func(in *ohllb.Input) {
		if in.Document.Spec.Server.Source != "" {
			source(in)
		}
	})
	if err != nil {
		return nil // a version without a digest
	}
	out := compose(t, in)
	var found []place
	note := func(p place, texts ...string) {
		if slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(text, mark) }) {
			found = append(found, p)
		}
	}
	def := marshal(t, out.State, amd64)
	for _, dt := range def.Def {
		var op pb.Op
		if err := op.Unmarshal(dt); err != nil {
			t.Fatal(err)
		}
		meta := op.GetExec().GetMeta()
		if args := meta.GetArgs(); len(args) > 0 {
			program, rest := args[:1], args[1:]
			if args[0] == "/bin/sh" {
				program, rest = args[1:2], args[2:]
			}
			note(inScript, program...)
			note(inArgument, rest...)
			note(inVariable, meta.Env...)
			if !strings.HasPrefix(program[0], "/run/openhands/") {
				t.Errorf("%q runs no file of ours", args)
			}
		}
		note(inAddress, op.GetSource().GetIdentifier())
		for _, a := range op.GetFile().GetActions() {
			if f := a.GetMkfile(); f != nil {
				note(kindOfFile(f.Path), string(f.Data))
				note(inScript, f.Path)
			}
		}
	}
	c := out.Image.Config
	note(inConfig, slices.Concat(c.Env, c.Entrypoint, c.Cmd, []string{c.User, c.WorkingDir})...)
	for k, v := range c.Labels {
		note(inConfig, k, v)
	}
	return found
}

// kindOfFile takes every file for a script that is not known to be data.
func kindOfFile(name string) place {
	switch {
	case slices.Contains([]string{".txt", ".json"}, path.Ext(name)):
		return inFile
	case slices.Contains([]string{"/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow"}, name), strings.HasPrefix(name, "/etc/sudoers.d/"):
		return inAccounts
	}
	return inScript
}

// TestStepsAreOneLine composes a spec whose values would forge the progress that
// clients print, and reads the name of each step.
func TestStepsAreOneLine(t *testing.T) {
	in := input(t, wholeSpec+"x-a: 1\n", debian(), func(in *ohllb.Input) {
		in.Document.Spec.ExtraDeps.Run = []string{"a \u202e b\u2028\n#9 DONE 0.0s\r\x1b[2K"}
		in.Document.Spec.Deps.Python.Requirements = []string{"a\x1b]0;x\a"}
	})
	for _, m := range marshal(t, compose(t, in).State, amd64).Metadata {
		if name := m.Description["llb.customname"]; spec.Printable(name) != name {
			t.Errorf("a step is called %q", name)
		}
	}
}
