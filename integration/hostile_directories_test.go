package integration

import (
	"archive/tar"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// leadsTo checks where a path of the image ends, and that it is a directory of an
// owner.
func leadsTo(p, want string, uid int) func(*testing.T, composed) {
	return func(t *testing.T, c composed) {
		t.Helper()
		if m, real, ok := c.at(p); !ok || real != want || m.Typeflag != tar.TypeDir || m.Uid != uid {
			t.Errorf("%s leads to %s (%q of %d, there: %t), want %s, a directory of %d", p, real, m.Typeflag, m.Uid, ok, want, uid)
		}
	}
}

// stays checks that a symlink of the base is what it was, and where it leads.
func stays(link, target string, then func(*testing.T, composed)) func(*testing.T, composed) {
	return func(t *testing.T, c composed) {
		t.Helper()
		if m := c.files[link]; m.Typeflag != tar.TypeSymlink || m.Linkname != target {
			t.Errorf("%s is %q -> %q, want the symlink to %s", link, m.Typeflag, m.Linkname, target)
		}
		then(t, c)
	}
}

// directoryRows are about the directories that ours lie in.
func directoryRows(c *canary) []*hostileRow {
	const stayed = "composes: the symlink stays, what it leads to gets our files"
	moved := func(target, dir string) hostileImage { // /etc lies elsewhere
		return based(symlink("etc", target), directory(dir), regular(dir+"/passwd", rootPasswd), regular(dir+"/group", "root:x:0:\n"))
	}
	outside := filepath.Dir(c.file)
	return []*hostileRow{
		{input: "`/etc` is an absolute symlink", outcome: stayed, image: moved("/usr/etc", "usr/etc"), check: stays("/etc", "/usr/etc", passwdIs(newPasswd))},
		{input: "`/etc` is a relative symlink", outcome: stayed, image: moved("usr/./etc", "usr/etc"), check: stays("/etc", "usr/./etc", passwdIs(newPasswd))},
		{input: "`/etc` is a symlink out of the root", outcome: "composes: followed inside of the image", image: moved("../../../usr/etc", "usr/etc"), check: stays("/etc", "../../../usr/etc", passwdIs(newPasswd))},
		{input: "`/etc` is a symlink to a directory of the daemon's machine", outcome: "composes: followed inside of the image, where a new directory is made",
			image: based(symlink("etc", outside)), check: stays("/etc", outside, passwdIs(newPasswd))},
		{input: "`/etc` is in a loop of two symlinks", outcome: "refused: more than 40 symlinks", image: based(symlink("etc", "usr/etc"), symlink("usr/etc", "../etc")),
			refused: []string{atBase, "has more than 40 symlinks on its path"}},
		{input: "`/etc` is a file", outcome: "refused: no directory", image: based(regular("etc", "")), refused: []string{atBase, `"/etc" is not a directory in the base image`}},
		{input: "`/etc` is everybody's, setgid and sticky", outcome: "composes: the directory keeps its mode", image: based(directory("etc").mode(0o3777)), check: func(t *testing.T, c composed) {
			passwdIs(newPasswd)(t, c)
			if got := c.files["/etc"].Mode & 0o7777; got != 0o3777 {
				t.Errorf("the mode is %o", got)
			}
		}},
		{input: "`/home` is an absolute symlink", outcome: stayed, image: based(symlink("home", "/srv/home"), directory("srv"), directory("srv/home")),
			check: stays("/home", "/srv/home", leadsTo("/home/openhands", "/srv/home/openhands", 1000))},
		{input: "`/home` is a symlink out of the root", outcome: "composes: followed inside of the image", image: based(symlink("home", "../../../srv")),
			check: stays("/home", "../../../srv", leadsTo("/home/openhands", "/srv/openhands", 1000))},
		{input: "`/home` is a symlink to a directory of the daemon's machine", outcome: "composes: followed inside of the image, where a new directory is made", image: based(symlink("home", outside)),
			check: stays("/home", outside, leadsTo("/home/openhands", outside+"/openhands", 1000))},
		{input: "`/home` is a chain of 40 symlinks", outcome: "composes: as many as the kernel follows", image: chain("home", 40), check: leadsTo("/home/openhands", "/h40/openhands", 1000)},
		{input: "`/home` is a chain of 41 symlinks", outcome: "refused: more than 40 symlinks", image: chain("home", 41), refused: []string{">>>", `"/home/openhands" has more than 40 symlinks`}},
		{input: "`/home` is a symlink to itself", outcome: "refused: more than 40 symlinks", image: based(symlink("home", "home")), refused: []string{">>>", `"/home/openhands" has more than 40 symlinks`}},
		{input: "`/home` is a file", outcome: "refused: no directory", image: based(regular("home", "")), refused: []string{">>>", `"/home" is not a directory in the base image`}},
		{input: "`/home` is a symlink into `/openhands`", outcome: "refused: what is there is replaced", image: based(symlink("home", "/openhands/home"), directory("openhands"), directory("openhands/home")),
			refused: []string{">>>", `"/home/openhands" leads into /openhands in the base image`}},
		{input: "the user's home is there and another's, `0700`", outcome: "composes: it becomes the user's and keeps its mode",
			image: based(func() member { m := directory("home/openhands").mode(0o700); m.Uid = 42; return m }()), check: leadsTo("/home/openhands", "/home/openhands", 1000)},
		{input: "the user's home is a file", outcome: "refused: no directory", image: based(regular("home/openhands", "")), refused: []string{">>>", `"/home/openhands" is not a directory in the base image`}},
		{input: "`/workspace` is a symlink", outcome: stayed, image: based(symlink("workspace", "srv/work")), check: stays("/workspace", "srv/work", leadsTo("/workspace", "/srv/work", 1000))},
		{input: "`/workspace` is a symlink to a directory of the daemon's machine", outcome: "composes: followed inside of the image, where a new directory is made", image: based(symlink("workspace", outside)),
			check: stays("/workspace", outside, leadsTo("/workspace", outside, 1000))},
		{input: "`/workspace` is a symlink to `/etc`", outcome: "refused: `/etc` stays root's", image: based(symlink("workspace", "etc")),
			refused: []string{">>>", `"/workspace" leads to "/etc" in the base image, which keeps its owner`}},
		{input: "`/workspace` is a symlink to `/dev/shm`", outcome: "refused: a container mounts over `/dev`", image: based(symlink("workspace", "/dev/shm")),
			refused: []string{">>>", `"/workspace" leads to "/dev/shm" in the base image, which containers mount over`}},
		{input: "`/workspace` is a file", outcome: "refused: no directory", image: based(regular("workspace", "")), refused: []string{">>>", `"/workspace" is not a directory in the base image`}},
		{input: "`/workspace` is a device", outcome: "refused: no directory", image: based(device("workspace", tar.TypeBlock, 8, 0)), refused: []string{">>>", `"/workspace" is not a directory in the base image`}},
		{input: "`/workspace` is a symlink, `user: root`", outcome: "composes: nothing is read, and the symlink becomes a directory", image: based(symlink("workspace", "etc")), spec: asRootOf, check: leadsTo("/workspace", "/workspace", 0)},
		{input: "`/bin/sh` is a symlink to a file of the daemon's machine", outcome: "composes: followed inside of the image, where it gets our shell", image: based(directory("bin"), symlink("bin/sh", c.file)), check: func(t *testing.T, c composed) {
			if _, real, ok := c.at("/bin/sh"); !ok || real != "/openhands/tools/bash" {
				t.Errorf("/bin/sh leads to %s, there: %t", real, ok)
			}
		}},
		{input: "`/bin/sh` is a device", outcome: "composes: it stays", image: based(directory("bin"), device("bin/sh", tar.TypeChar, 1, 5)), check: func(t *testing.T, c composed) {
			if m := c.files["/bin/sh"]; m.Typeflag != tar.TypeChar {
				t.Errorf("/bin/sh is %q", m.Typeflag)
			}
		}},
		{input: "files that are setuid", outcome: "composes: they are the base's, and stay", image: based(regular("usr/su", "x").mode(0o4755)), check: func(t *testing.T, c composed) {
			if got := c.files["/usr/su"].Mode; got != 0o4755 {
				t.Errorf("the mode is %o", got)
			}
		}},
		{input: "names that are patterns: `/[h]ome`, `/*`, `/ho?e`", outcome: "composes: they are names", image: based(regular("[h]ome", ""), regular("*", ""), regular("ho?e", "")), check: leadsTo("/home/openhands", "/home/openhands", 1000)},
	}
}

// chain is an image in which a name leads through so many symlinks.
func chain(name string, n int) hostileImage {
	var links []member
	for i := 1; i <= n; i++ {
		links = append(links, symlink(name, fmt.Sprintf("h%d", i)))
		name = fmt.Sprintf("h%d", i)
	}
	return based(append(links, directory(name))...)
}

// openhandsRows are bases that have an /openhands already.
func openhandsRows(c *canary) []*hostileRow {
	becomes := "composes: it becomes our directory, and what it led to stays as it was"
	etcStays := func(t *testing.T, c composed) {
		passwdIs(newPasswd)(t, c)
		for name := range c.files {
			if strings.HasPrefix(name, "/etc/tools") || strings.HasPrefix(name, "/etc/bin") {
				t.Errorf("/openhands has gone to %s", name)
			}
		}
	}
	return []*hostileRow{
		{input: "`/openhands` is a directory with files", outcome: "composes: ours win, others stay",
			image: based(directory("openhands"), directory("openhands/tools"), regular("openhands/tools/env", "theirs"), regular("openhands/more", "theirs")), check: func(t *testing.T, c composed) {
				if got := c.files["/openhands/more"].data; got != "theirs" {
					t.Errorf("the base's own file is %q", got)
				}
			}},
		{input: "`/openhands` is a symlink to `/etc`", outcome: becomes, image: based(symlink("openhands", "/etc")), check: etcStays},
		{input: "`/openhands` is a symlink to `/etc`, `user: root`", outcome: becomes, image: based(symlink("openhands", "/etc")), spec: asRootOf, check: func(t *testing.T, c composed) {
			if _, ok := c.files["/etc/tools"]; ok {
				t.Error("/openhands has gone to /etc")
			}
		}},
		{input: "`/openhands` is a symlink to a directory of the daemon's machine", outcome: becomes, image: based(symlink("openhands", filepath.Dir(c.file)))},
		{input: "`/openhands` is a file", outcome: "composes: it becomes our directory", image: based(regular("openhands", "a file"))},
		{input: "`/openhands` is a device", outcome: "composes: it becomes our directory", image: based(device("openhands", tar.TypeBlock, 8, 0))},
		{input: "`/openhands/bin` and `/openhands/tools` are symlinks to `/etc`", outcome: becomes,
			image: based(directory("openhands"), symlink("openhands/bin", "/etc"), symlink("openhands/tools", "../etc")), check: etcStays},
		{input: "`/openhands/tools/env` is a symlink to `/etc/passwd`", outcome: "composes: it becomes our file",
			image: based(directory("openhands"), directory("openhands/tools"), symlink("openhands/tools/env", "/etc/passwd")), check: etcStays},
	}
}

// layerRows are about layers as such.
func layerRows() []*hostileRow {
	over := func(members ...member) hostileImage {
		return hostileImage{layers: [][]member{hostileRoot(directory("openhands"), regular("openhands/old", "old"), directory("workspace"), regular("workspace/old", "old")), members}}
	}
	deep := func(n int) hostileImage {
		h := hostileImage{layers: [][]member{hostileRoot()}}
		for i := 1; i < n; i++ {
			h.layers = append(h.layers, []member{regular(fmt.Sprintf("layer%d", i), "")})
		}
		return h
	}
	gone := func(names ...string) func(*testing.T, composed) {
		return func(t *testing.T, c composed) {
			for _, name := range names {
				if _, ok := c.files[name]; ok {
					t.Errorf("%s is there", name)
				}
			}
		}
	}
	many := func(n int) *hostileRow {
		return &hostileRow{input: fmt.Sprintf("%d layers", n), outcome: composes, image: deep(n), check: passwdIs(newPasswd)}
	}
	warned := func(n int) *hostileRow {
		row := many(n)
		row.outcome = "composes, with a warning: Docker's own store takes 125 layers"
		row.warning = fmt.Sprintf("the image has %d layers", n+2)
		return row
	}
	return []*hostileRow{
		{input: "a layer has the whiteouts `.wh.openhands` and `.wh.workspace`", outcome: "composes: they are about the layers below", image: over(regular(".wh.openhands", ""), regular(".wh.workspace", "")), check: gone("/openhands/old", "/workspace/old")},
		{input: "a layer makes `/openhands` and `/etc` opaque", outcome: "composes: they are about the layers below",
			image: over(directory("openhands"), regular("openhands/.wh..wh..opq", ""), directory("etc"), regular("etc/.wh..wh..opq", ""), regular("etc/passwd", rootPasswd)), check: func(t *testing.T, c composed) {
				gone("/openhands/old", "/etc/os-release")(t, c)
				passwdIs(newPasswd)(t, c)
			}},
		{input: "a layer takes away `/etc/passwd` and `/etc/group`", outcome: "composes: they begin anew", image: over(directory("etc"), regular("etc/.wh.passwd", ""), regular("etc/.wh.group", "")), check: passwdIs(newPasswd)},
		{input: "a layer has whiteouts in a directory that no layer below has", outcome: "composes: they are about the layers below", image: over(directory("opt"), regular("opt/.wh.x", "")), check: gone("/opt/x")},
		{input: "a layer without any file", outcome: composes, image: hostileImage{layers: [][]member{hostileRoot(), nil}}},
		{input: "a path that leaves the layer, `../../etc/passwd`", outcome: "composes: inside of the image", image: hostileImage{layers: [][]member{hostileRoot(), {regular("../../../../etc/passwd", rootPasswd+"dev:x:7:7::/:/bin/sh\n")}}},
			check: func(t *testing.T, c composed) {
				if got := c.read(t, "/etc/passwd"); !strings.Contains(got, "dev:x:7:7") {
					t.Errorf("/etc/passwd is %q", got)
				}
			}},
		many(100), warned(125), warned(126), warned(127), warned(128),
		{input: "127 layers, `user: root`", outcome: "composes, with a warning: Docker's own store takes 125 layers", image: deep(127), spec: asRootOf, warning: "the image has 129 layers"},
	}
}
