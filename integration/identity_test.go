package integration

import (
	"archive/tar"
	"fmt"
	"strings"
	"testing"

	"github.com/openhands/llb-frontend/integration/engine"
)

// top lists the entries of an image's last layer.
func top(t *testing.T, ref string) map[string]*tar.Header {
	t.Helper()
	img := pulled(t, ref, "amd64")
	return files(t, img, len(layers(t, img))-1)
}

func TestIdentityLayer(t *testing.T) {
	deps := "deps_image: " + prebuilt(t) + "\n"
	type want struct {
		mode     int64
		uid, gid int
		link     string
	}
	for _, tt := range []struct {
		name, yaml string
		want       map[string]want
	}{
		{"named user", "base_image: debian:trixie-slim\n", map[string]want{
			"/etc":            {0o755, 0, 0, ""},
			"/etc/passwd":     {0o644, 0, 0, ""},
			"/etc/group":      {0o644, 0, 0, ""},
			"/etc/shadow":     {0o640, 0, 42, ""},
			"/etc/gshadow":    {0o640, 0, 42, ""},
			"/home":           {0o755, 0, 0, ""},
			"/home/openhands": {0o755, 1000, 1000, ""},
			"/workspace":      {0o775, 1000, 0, ""},
		}},
		{"root", "base_image: debian:trixie-slim\nuser: root\n", map[string]want{
			"/workspace": {0o775, 0, 0, ""},
		}},
		{"number", "base_image: debian:trixie-slim\nuser: 4321\n", map[string]want{
			"/openhands-home": {0o775, 4321, 0, ""},
			"/workspace":      {0o775, 4321, 0, ""},
		}},
		{"base without anything", "base_image: distroless\nuser: {name: dev, uid: 2000, gid: 3000}\n", map[string]want{
			"/etc":                        {0o755, 0, 0, ""},
			"/etc/passwd":                 {0o644, 0, 0, ""},
			"/etc/group":                  {0o644, 0, 0, ""},
			"/home":                       {0o755, 0, 0, ""},
			"/home/dev":                   {0o755, 2000, 3000, ""},
			"/workspace":                  {0o775, 2000, 0, ""},
			"/bin":                        {0o755, 0, 0, ""},
			"/bin/bash":                   {0o777, 0, 0, "/openhands/tools/bash"},
			"/bin/sh":                     {0o777, 0, 0, "/openhands/tools/bash"},
			"/usr":                        {0o755, 0, 0, ""},
			"/usr/bin":                    {0o755, 0, 0, ""},
			"/usr/bin/env":                {0o777, 0, 0, "/openhands/tools/env"},
			"/lib64":                      {0o755, 0, 0, ""},
			"/lib64/ld-linux-x86-64.so.2": {0o777, 0, 0, "/openhands/ld-linux-oh.so"},
		}},
		{"symlinked directories", "base_image: symlinks\n", map[string]want{
			"/etc":                {0o755, 0, 0, ""},
			"/etc/passwd":         {0o644, 0, 0, ""},
			"/etc/group":          {0o644, 0, 0, ""},
			"/etc/shadow":         {0o640, 0, 42, ""},
			"/etc/gshadow":        {0o640, 0, 42, ""},
			"/srv":                {0o755, 0, 0, ""},
			"/srv/home":           {0o755, 0, 0, ""},
			"/srv/home/openhands": {0o755, 1000, 1000, ""},
			"/workspace":          {0o775, 1000, 0, ""},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res := build(t, tt.yaml+deps)
			got := top(t, res.Ref)
			for name, w := range tt.want {
				h := got[name]
				switch {
				case h == nil:
					t.Errorf("%s is missing", name)
				case h.Mode&0o7777 != w.mode || h.Uid != w.uid || h.Gid != w.gid || h.Linkname != w.link:
					t.Errorf("%s is %o %d:%d %q, want %o %d:%d %q", name, h.Mode, h.Uid, h.Gid, h.Linkname, w.mode, w.uid, w.gid, w.link)
				}
			}
			for name := range got {
				if _, ok := tt.want[name]; !ok && name != "/tmp" {
					t.Errorf("the layer holds %s as well", name)
				}
			}
		})
	}
}

// Both names of a shared id live, and files of that id read as ours.
func TestTakenID(t *testing.T) {
	image := imageName(t)
	buildAs(t, image, "base_image: node:22-slim\ndeps_image: "+prebuilt(t)+"\n")
	out := run(t, engine.RunOptions{Image: image, Args: []string{"bash", "-c", "id -un; id -u node; ls -ld /home/openhands /home/node"}})
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) != 4 || lines[0] != "openhands" || lines[1] != "1000" || !strings.Contains(lines[2], " openhands openhands ") {
		t.Errorf("got %q", lines)
	}
}

func TestBaseSymlinksStay(t *testing.T) {
	image := imageName(t)
	buildAs(t, image, "base_image: symlinks\ndeps_image: "+prebuilt(t)+"\n")
	out := run(t, engine.RunOptions{Image: image, Args: []string{"bash", "-c", "readlink /home /bin; cd; pwd -P; touch file && echo writable"}})
	contains(t, out, "/srv/home\n", "usr/bin\n", "/srv/home/openhands\n", "writable")
}

func TestSudoRule(t *testing.T) {
	image := imageName(t)
	res := buildAs(t, image, "base_image: debian:trixie-slim\ndeps_image: "+prebuilt(t)+"\nuser: {name: dev, sudo: true}\nextra_deps: {packages: [sudo]}\n")
	if h := top(t, res.Ref)["/etc/sudoers.d/openhands"]; h == nil || h.Mode&0o7777 != 0o440 {
		t.Errorf("the rule's file is %+v", h)
	}
	contains(t, run(t, engine.RunOptions{Image: image, Args: []string{"sudo", "id", "-u"}}), "0\n")
}

func TestExtraDeps(t *testing.T) {
	image := imageName(t)
	res := buildAs(t, image, fmt.Sprintf(`args: {WHAT: nothing}
base_image: debian:bookworm-slim
deps_image: %s
extra_deps:
  packages: [less]
  run:
    - echo "$WHAT by $(id -un)" > /made
    - tmux -V >> /made
`, prebuilt(t)), "--build-arg", "WHAT=everything")
	contains(t, res.Log, "[packages] apt install less", "[run] tmux -V >> /made")
	contains(t, run(t, engine.RunOptions{Image: image, Args: []string{"cat", "/made"}}), "everything by root\n", "tmux 3")
	contains(t, run(t, engine.RunOptions{Image: image, Args: []string{"less", "--version"}}), "less ")
	img := pulled(t, res.Ref, "amd64")
	config := configOf(t, img)
	for _, kv := range config.Config.Env {
		if strings.HasPrefix(kv, "WHAT=") || strings.HasPrefix(kv, "CACHE=") {
			t.Errorf("the image's environment holds %q", kv)
		}
	}
	if got, want := len(config.History), len(layers(t, img)); got < want {
		t.Errorf("%d history entries for %d layers", got, want)
	}
	for i := range layers(t, img) {
		for name := range files(t, img, i) {
			if strings.HasPrefix(name, "/run/openhands") || strings.HasSuffix(name, ".deb") {
				t.Errorf("layer %d holds %s", i, name)
			}
		}
	}
}
