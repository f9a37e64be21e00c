package lock_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/openhands/llb-frontend/frontend/lock"
	"github.com/openhands/llb-frontend/frontend/spec"
)

func TestList(t *testing.T) {
	text := "\ufeff# all that we build for\r\n\r\nalpine:3.22\n  debian:trixie-slim # the default\nregistry.example.com:5000/team/base@sha256:" + strings.Repeat("1", 64) + "\nscratch"
	list, err := lock.ParseList("list", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var refs []string
	for _, l := range list {
		refs = append(refs, l.Ref)
	}
	want := []string{"alpine:3.22", "debian:trixie-slim", "registry.example.com:5000/team/base@sha256:" + strings.Repeat("1", 64), "scratch"}
	if !slices.Equal(refs, want) {
		t.Errorf("the list is %q, want %q", refs, want)
	}
	if at := list[1].Range; at != (spec.Range{Start: spec.Position{Line: 4, Column: 3}, End: spec.Position{Line: 4, Column: 21}}) {
		t.Errorf("the second is at %v", at)
	}
}

func TestListProblems(t *testing.T) {
	long := strings.Repeat("x", 1025)
	for text, want := range map[string]string{
		"":              "1:1: the list names no base",
		"# nothing\n\n": "1:1: the list names no base",
		"alpine\n Alpine\n\talpine:latest\ndocker.io/library/alpine\na b\n": `2:2: "Alpine" is no reference|3:2: "alpine:latest" is named twice, first on line 1|4:1: "docker.io/library/alpine" is named twice|5:1: "a b" is more than one word`,
		"a:1,\na:\n":     `1:1: "a:1," is no reference|2:1: "a:" is no reference`,
		"a\xff\n" + long: "1:1: the line is no text|2:1: the line is no text",
		strings.Repeat("x", 64) + "\n" + strings.Repeat("1", 64) + "\n": `2:1: "` + strings.Repeat("1", 64) + `" is no reference`,
	} {
		_, err := lock.ParseList("list", []byte(text))
		var se *spec.Error
		if !errors.As(err, &se) {
			t.Errorf("%q gives %v", text, err)
			continue
		}
		lines := strings.Split(err.Error(), "\n")
		for i, w := range strings.Split(want, "|") {
			if i >= len(lines) || !strings.HasPrefix(lines[i], "list:"+w) {
				t.Errorf("%q: problem %d is not %q in\n%s", text, i, w, err)
			}
		}
	}
	many := strings.Repeat("#\n", 5) + strings.Join(names(10_001), "\n")
	if _, err := lock.ParseList("list", []byte(many)); err == nil || !strings.HasPrefix(err.Error(), "list:10006:1: the list is longer than 10000 bases") {
		t.Errorf("a list that is too long gives %v", err)
	}
}

func names(n int) []string {
	var list []string
	for i := range n {
		list = append(list, "base:"+strings.Repeat("0", i%60)+string(rune('a'+i/60%26))+string(rune('a'+i/1560%26)))
	}
	return list
}
