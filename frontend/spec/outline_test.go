package spec

import (
	"reflect"
	"strings"
	"testing"
)

func TestOutline(t *testing.T) {
	repo := Arg{Name: "RUNTIME_IMAGE_REPO", Description: "repository for the names that an output of name=* gets"}
	base := Arg{Name: "BASE_IMAGE", Description: "image that the runtime is put on"}
	deps := Arg{Name: "DEPS_IMAGE", Description: "prebuilt image that holds /openhands"}
	valued := func(a Arg, value, note string) Arg {
		a.Value = value
		a.Description += note
		return a
	}
	for _, tt := range []struct {
		name, yaml string
		args       map[string]string
		want       []Arg
	}{
		{"comments", "args:\n  # Debian release\n  # to build on\n  SUITE: trixie\n  B: '2' # beside\n  C: 3\nbase_image: debian:${SUITE}-slim\n", nil, []Arg{
			{Name: "SUITE", Value: "trixie", Description: "Debian release to build on", Path: "args.SUITE"},
			{Name: "B", Value: "2", Description: "beside", Path: "args.B"},
			{Name: "C", Value: "3", Path: "args.C"},
			deps, repo,
		}},
		{"defaults that are overridden", "args:\n  A: a # letter\n  B: b\nbase_image: debian\ndeps_image: x:1\n", map[string]string{"A": "x", "B": "y", "RUNTIME_IMAGE_REPO": "r"}, []Arg{
			{Name: "A", Value: "x", Description: "letter (default: a)", Path: "args.A"},
			{Name: "B", Value: "y", Description: "default: b", Path: "args.B"},
			valued(repo, "r", ""),
		}},
		{"what must be given", "args:\n  TAG:\nbase_image: ${BASE_IMAGE}\nlabels: {tag: \"${TAG}\"}\n", nil, []Arg{
			{Name: "TAG", Description: "must be given", Path: "args.TAG"}, valued(base, "", " (must be given)"), deps, repo,
		}},
		{"no key at all", "", nil, []Arg{valued(base, "", " (must be given)"), deps, repo}},
		{"given", "", map[string]string{"BASE_IMAGE": "debian", "DEPS_IMAGE": "d"}, []Arg{valued(base, "debian", ""), valued(deps, "d", ""), repo}},
		{"a deps image that must be given", "base_image: debian\ndeps_image: ${DEPS_IMAGE}\n", nil, []Arg{valued(deps, "", " (must be given)"), repo}},
		{"declared", "args: {BASE_IMAGE: debian}\nbase_image: ${BASE_IMAGE}\ndeps_image: x\n", nil, []Arg{{Name: "BASE_IMAGE", Value: "debian", Path: "args.BASE_IMAGE"}, repo}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			doc, err := LoadOutline("openhands.yaml", []byte(tt.yaml), tt.args)
			if err != nil {
				t.Fatal(err)
			}
			if got := doc.Outline(); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("%+v\nwant %+v", got, tt.want)
			}
		})
	}
	_, err := LoadOutline("openhands.yaml", []byte("bsae_image: debian\n"), nil)
	if err == nil || !strings.Contains(err.Error(), "bsae_image") || strings.Contains(err.Error(), "placeholder") {
		t.Errorf("error %v", err)
	}
}
