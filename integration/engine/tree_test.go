package engine

import (
	"archive/tar"
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestTreeWritesTheSameBytesInAnyOrder(t *testing.T) {
	steps := []func(tree){
		func(t tree) { t.file("usr/bin/tool", 0o755, "x") },
		func(t tree) { t.symlink("bin", "usr/bin") },
		func(t tree) { t.dir("home/node", 0o700).owned(1000, 1000) },
		func(t tree) {
			t.add("a-link", &entry{header: tar.Header{Typeflag: tar.TypeLink, Linkname: "usr/bin/tool"}})
		},
	}
	var forward, backward bytes.Buffer
	one, two := tree{}, tree{}
	for i := range steps {
		steps[i](one)
		steps[len(steps)-1-i](two)
	}
	for tr, w := range map[*tree]*bytes.Buffer{&one: &forward, &two: &backward} {
		if err := tr.write(w); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(forward.Bytes(), backward.Bytes()) {
		t.Fatal("the order of calls shows in the layer")
	}
	again := tree{}
	if err := again.readTarGz(&forward, func(string) bool { return true }); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"usr", "usr/bin", "usr/bin/tool", "bin", "home", "home/node", "a-link"} {
		e, ok := again[name]
		if !ok {
			t.Errorf("%s is missing", name)
		} else if !e.header.ModTime.Equal(epoch) {
			t.Errorf("%s has time %v, want %v", name, e.header.ModTime, epoch)
		}
	}
}

func TestTreeKeepsOldTimes(t *testing.T) {
	old := time.Unix(1_000_000_000, 0)
	tr := tree{"f": {header: tar.Header{Typeflag: tar.TypeReg, ModTime: old}}}
	var b bytes.Buffer
	if err := tr.write(&b); err != nil {
		t.Fatal(err)
	}
	again := tree{}
	if err := again.readTarGz(&b, func(string) bool { return true }); err != nil {
		t.Fatal(err)
	}
	if got := again["f"].header.ModTime; !got.Equal(old) {
		t.Errorf("time %v, want %v", got, old)
	}
}

func TestRecipes(t *testing.T) {
	for name, recipe := range recipes() {
		if !strings.Contains(name, ":") || len(recipe.layers) == 0 {
			t.Errorf("%s: a recipe needs a tag and a layer", name)
		}
	}
	if got := ExampleImages(); len(got) != 4 {
		t.Errorf("images of the examples: %q", got)
	}
}
