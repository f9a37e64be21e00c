package spec

import (
	"maps"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// Arg is a build arg that a spec takes.
type Arg struct {
	Name string
	// Description is the comment above or beside the arg.
	Description string
	// Value is that of the request or else the default; empty where the arg must be
	// given and is not.
	Value string
	// Path is the arg's place in the spec; empty for one that the spec does not
	// declare.
	Path string
}

// predeclared are the args that no spec need declare.
var predeclared = []Arg{
	{Name: BaseImageArg, Description: "image that the runtime is put on"},
	{Name: depsImageArg, Description: "prebuilt image that holds /openhands"},
	{Name: RuntimeImageRepo, Description: "repository for the names that an output of name=* gets"},
}

// Outline lists the args that a build of the spec takes: the declared ones in the
// order of the file, and the predeclared ones, unless the spec leaves no room for
// them.
func (d *Document) Outline() []Arg {
	a := d.loader.args
	var list []Arg
	for _, name := range a.names {
		list = append(list, d.describe(Arg{Name: name, Description: a.comments[name], Path: "args." + name}))
	}
	for _, arg := range predeclared {
		key := strings.ToLower(arg.Name)
		if slices.Contains(a.names, arg.Name) || d.Given(key) && !a.used[arg.Name] {
			continue
		}
		arg.Value = a.build[arg.Name]
		list = append(list, d.describe(arg))
	}
	return list
}

// describe says what the value alone does not: that there must be one, or what it
// would be.
func (d *Document) describe(arg Arg) Arg {
	a, note := d.loader.args, ""
	if arg.Path != "" {
		arg.Value = a.values[arg.Name]
	}
	preset, hasDefault := a.defaults[arg.Name]
	switch {
	case d.standIns[arg.Name]:
		arg.Value, note = "", "must be given"
	case hasDefault && preset != arg.Value && !strings.Contains(preset, "$"):
		note = "default: " + preset
	}
	switch {
	case note != "" && arg.Description != "":
		arg.Description += " (" + note + ")"
	case note != "":
		arg.Description = note
	}
	return arg
}

// standIn is a value that is right for an image and for most other things.
const standIn = "placeholder"

// LoadOutline loads a spec as [Load] does, but args that have no value are no
// problem: [Document.Outline] says which must be given.
func LoadOutline(filename string, data []byte, buildArgs map[string]string) (*Document, error) {
	d, l, err := load(filename, data, buildArgs)
	if err == nil {
		return d, nil
	}
	for _, images := range [][]string{nil, {BaseImageArg}, {depsImageArg}, {BaseImageArg, depsImageArg}} {
		filled, standIns := maps.Clone(buildArgs), map[string]bool{}
		if filled == nil {
			filled = map[string]string{}
		}
		for _, name := range append(slices.Clone(images), l.args.names...) {
			if filled[name] == "" && (l.args.valueless[name] || slices.Contains(images, name)) {
				filled[name], standIns[name] = standIn, true
			}
		}
		if d, _, again := load(filename, data, filled); again == nil {
			d.standIns = standIns
			return d, nil
		}
	}
	return nil, err
}

// comment is what a file says above or else beside an arg, on one line.
func comment(e entry) string {
	for _, text := range []string{e.key.HeadComment, e.value.LineComment, e.key.LineComment} {
		var words []string
		for line := range strings.Lines(text) {
			words = append(words, strings.Fields(strings.TrimLeft(line, "# \t"))...)
		}
		if len(words) > 0 {
			return strings.Join(words, " ")
		}
	}
	return ""
}

// note keeps what the outline says of an arg.
func (a *arguments) note(e entry) {
	a.comments[e.name] = comment(e)
	if e.value.Kind == yaml.ScalarNode && !isNull(e.value) {
		a.defaults[e.name] = e.value.Value
	}
}
