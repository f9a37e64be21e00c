package integration

import (
	"crypto/rand"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/openhands/llb-frontend/integration/engine"
)

// canary is what no build may read or write: a file of this machine, and one of
// another image in the daemon's store. Images point at both.
type canary struct {
	file     string // on this machine
	snapshot string // the same, below the daemon's directory
	secret   string // the content of both
	before   string
}

func newCanary(t *testing.T) *canary {
	t.Helper()
	c := &canary{secret: "canary-" + rand.Text(), file: filepath.Join(t.TempDir(), "passwd")}
	write(t, c.file, rootPasswd+c.secret+":x:1000:1000::/:/bin/sh\n")
	// The user has a name, so the daemon unpacks the image.
	image := eng.Registry() + "/test/hostile-canary:latest"
	hostileImage{layers: [][]member{hostileRoot(regular("etc/canary", c.secret))}}.push(t, image)
	if _, err := eng.Build(t.Context(), engine.BuildOptions{Spec: writeSpec(t, "base_image: "+image+"\ndeps_image: "+hostileDeps(t)+"\n")}); err != nil {
		t.Fatal(err)
	}
	found, err := filepath.Glob(filepath.Join(eng.Dir(), "buildkit", "*", "snapshots", "snapshots", "*", "fs", "etc", "canary"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range found { // others are of former runs
		if data, err := os.ReadFile(file); err == nil && string(data) == c.secret {
			c.snapshot = file
		}
	}
	if c.snapshot == "" {
		t.Fatalf("the daemon's store has no file with the content %q: %q", c.secret, found)
	}
	c.before = c.listing(t)
	return c
}

// listing describes what is around the files.
func (c *canary) listing(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	for _, top := range []string{filepath.Dir(c.file), filepath.Dir(filepath.Dir(c.snapshot))} {
		err := filepath.WalkDir(top, func(name string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			fmt.Fprintf(&b, "%s %s %s", name, info.Mode(), info.ModTime())
			if info.Mode().IsRegular() {
				data, err := os.ReadFile(name)
				if err != nil {
					return err
				}
				fmt.Fprintf(&b, " %q", data)
			}
			b.WriteString("\n")
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

// secrets are what must be in no image and in no log.
func (c *canary) secrets(t *testing.T) []string {
	t.Helper()
	list := []string{c.secret}
	for _, file := range []string{"/etc/hostname", "/etc/machine-id"} {
		data, err := os.ReadFile(file)
		if text := strings.TrimSpace(string(data)); err == nil && len(text) > 7 { // a short one is found by chance
			list = append(list, text)
		}
	}
	return list
}

// untouched checks that nothing was written.
func (c *canary) untouched(t *testing.T) {
	t.Helper()
	if after := c.listing(t); after != c.before {
		t.Errorf("files outside of the images are\n%s\nthey were\n%s", after, c.before)
	}
}
