package integration

import (
	"archive/tar"
	"fmt"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/openhands/llb-frontend/integration/reliability"
	ohllb "github.com/openhands/llb-frontend/llb"
)

// Words of outcomes that many rows share.
const (
	composes = "composes"
	// atSpec is how an error shows the line of the spec.
	atBase = ">>> base_image:"
)

// smallDeps is what a deps image holds where nothing of it is run.
func smallDeps(others ...member) []member {
	return append([]member{
		directory("openhands"), directory("openhands/bin"), directory("openhands/tools"),
		regular("openhands/bin/oh-init", "init of ours").mode(0o755), regular("openhands/tools/env", "env of ours").mode(0o755),
		regular("openhands/tools/bash", "bash of ours").mode(0o755), regular("openhands/ld-linux-oh.so", "loader of ours").mode(0o755),
	}, others...)
}

func labelledDeps(c *v1.ConfigFile) {
	c.Config.Labels = map[string]string{ohllb.LabelDepsVersion: ohllb.DepsVersion, ohllb.LabelDepsTools: "bash", ohllb.LabelDepsComponents: "lib,tools,init"}
}

// hostileDeps is a deps image as the target deps makes it, of a few bytes.
func hostileDeps(t *testing.T) string {
	t.Helper()
	image := eng.Registry() + "/test/hostile-deps:1"
	hostileImage{layers: [][]member{smallDeps()}, config: labelledDeps}.push(t, image)
	return image
}

// Images that nobody would make in good faith, as bases.
func TestHostileBases(t *testing.T) {
	deps := hostileDeps(t)
	canary := newCanary(t)
	rows := slices.Concat(accountRows(canary), directoryRows(canary), openhandsRows(canary), layerRows(), configRows())
	buildRows(t, "base", rows, func(image string) string {
		return "base_image: " + image + "\ndeps_image: " + deps + "\n"
	})
	ours := layers(t, pulled(t, deps, "amd64"))
	for i, row := range rows {
		t.Run(row.input, func(t *testing.T) {
			row.verify(t)
			if strings.Contains(row.log, canary.secret) {
				t.Errorf("the build's log has what is not the image's:\n%s", row.log)
			}
			if row.refused != nil {
				return
			}
			c := compositionOf(t, row.ref)
			below := layers(t, pulled(t, fmt.Sprintf("%s/test/hostile-base-%d:1", eng.Registry(), i), "amd64"))
			c.keeps(t, slices.Concat(below, ours))
			c.openhands(t)
			c.clean(t, len(below), canary.secrets(t)...)
			if row.spec == "" {
				c.user(t)
			}
		})
	}
	canary.untouched(t)
	reliability.Check(t, "../docs", "bases", hostileTable("base", rows))
}

// hostileTable is what docs/reliability.md shows of rows.
func hostileTable(what string, rows []*hostileRow) reliability.Table {
	table := reliability.Table{Header: []string{what, "what comes of it"}}
	refused := 0
	for _, row := range rows {
		if row.refused != nil {
			refused++
		}
		table.Rows = append(table.Rows, []string{row.input, row.outcome})
	}
	return reliability.Table{Header: table.Header, Rows: append(table.Rows,
		[]string{fmt.Sprintf("**%d in all**", len(rows)), fmt.Sprintf("%d compose, %d are refused", len(rows)-refused, refused)})}
}

const (
	newPasswd = rootPasswd + "openhands:x:1000:1000::/home/openhands:/bin/bash\n"
	// asNumber spares a base's account files.
	asNumber = "user: 1234\n"
	asRootOf = "user: root\n"
)

// based is an image of one layer.
func based(others ...member) hostileImage {
	return hostileImage{layers: [][]member{hostileRoot(others...)}}
}

// passwdIs checks what a process finds as /etc/passwd.
func passwdIs(want string) func(*testing.T, composed) {
	return func(t *testing.T, c composed) {
		t.Helper()
		if got := c.read(t, "/etc/passwd"); got != want {
			t.Errorf("/etc/passwd is %.500q, want %.500q", got, want)
		}
	}
}

// accountRows are about what is read and written: the account files.
func accountRows(c *canary) []*hostileRow {
	inside := "composes: followed inside of the image, where there is nothing, so the file begins anew"
	kind := func(what, word string, m member) *hostileRow {
		return &hostileRow{input: "`/etc/passwd` is " + what, outcome: "refused: not a file", image: based(m),
			refused: []string{atBase, `"/etc/passwd" is ` + word, "name the user by number"}}
	}
	size := func(what string, m member) *hostileRow {
		return &hostileRow{input: "`/etc/passwd` " + what, outcome: "refused: larger than 1 MB", image: based(m),
			refused: []string{atBase, `"/etc/passwd" has`, "name the user by number"}}
	}
	return []*hostileRow{
		{input: "`/etc/passwd` is an absolute symlink to a file of the daemon's machine", outcome: inside, image: based(symlink("etc/passwd", c.file)), check: passwdIs(newPasswd)},
		{input: "`/etc/passwd` is a relative symlink out of the root", outcome: inside, image: based(symlink("etc/passwd", "../../../../../../../.."+c.file)), check: passwdIs(newPasswd)},
		{input: "`/etc/passwd` is a symlink to a file of another image in the daemon's store", outcome: inside, image: based(symlink("etc/passwd", c.snapshot)), check: passwdIs(newPasswd)},
		{input: "`/etc/passwd` is a symlink to `../../../etc/hostname`", outcome: inside, image: based(symlink("etc/passwd", "../../../etc/hostname")), check: passwdIs(newPasswd)},
		{input: "`/etc/passwd` is a symlink to a file of the image", outcome: "composes: the file is edited, the link stays",
			image: based(symlink("etc/passwd", "../../usr/lib/passwd"), directory("usr/lib"), regular("usr/lib/passwd", rootPasswd)), check: passwdIs(newPasswd)},
		{input: "`/etc/passwd` is a symlink to itself", outcome: "refused: more than 40 symlinks", image: based(symlink("etc/passwd", "passwd")),
			refused: []string{atBase, `"/etc/passwd" has more than 40 symlinks on its path`}},
		{input: "`/etc/passwd` is a symlink to `/dev/null`", outcome: "refused: a container mounts over `/dev`", image: based(symlink("etc/passwd", "/dev/null")),
			refused: []string{">>>", `"/etc/passwd" leads to "/dev/null" in the base image, which containers mount over`}},
		{input: "`/etc/passwd` is a symlink to `/proc/self/environ`", outcome: "refused: a container mounts over `/proc`", image: based(symlink("etc/passwd", "/proc/self/environ")),
			refused: []string{">>>", `"/etc/passwd" leads to "/proc/self/environ" in the base image, which containers mount over`}},
		kind("a FIFO", "a FIFO", fifo("etc/passwd")),
		kind("a device that never ends (`/dev/zero`)", "a device", device("etc/passwd", tar.TypeChar, 1, 5)),
		kind("the daemon's disk (a block device)", "a device", device("etc/passwd", tar.TypeBlock, 8, 0)),
		kind("a directory", "a directory", directory("etc/passwd")),
		{input: "`/etc/passwd` is a FIFO, `user` a number", outcome: "composes: nothing is read", image: based(fifo("etc/passwd")), spec: asNumber},
		size("has a gigabyte, of zeros", sparse("etc/passwd", 1<<30)),
		size("has a million users", regular("etc/passwd", manyUsers(1_000_000))),
		{input: "`/etc/passwd` has 18,000 users", outcome: composes, image: based(regular("etc/passwd", rootPasswd+manyUsers(18_000)))},
		{input: "`/etc/passwd` has lines that end in CRLF", outcome: "composes: they stay, ours is added",
			image: based(regular("etc/passwd", "root:x:0:0:root:/root:/bin/sh\r\ndaemon:x:1:1::/:/bin/sh\r\n")),
			check: passwdIs("root:x:0:0:root:/root:/bin/sh\r\ndaemon:x:1:1::/:/bin/sh\r\nopenhands:x:1000:1000::/home/openhands:/bin/bash\n")},
		{input: "`/etc/passwd` has the user twice", outcome: "composes: the first counts, as for every reader",
			image: based(regular("etc/passwd", rootPasswd+"openhands:x:7:7::/first:/bin/sh\nopenhands:x:8:8::/second:/bin/sh\n")),
			check: passwdIs(rootPasswd + "openhands:x:7:7::/first:/bin/sh\nopenhands:x:8:8::/second:/bin/sh\n")},
		{input: "`/etc/passwd` does not end in a newline", outcome: "composes: the line is ended first",
			image: based(regular("etc/passwd", strings.TrimSuffix(rootPasswd, "\n"))), check: passwdIs(newPasswd)},
		{input: "`/etc/passwd` has NUL bytes and no valid line", outcome: "composes: they stay, ours is added",
			image: based(regular("etc/passwd", "\x00\x01:\x00:0\n\xff\xfe\n")),
			check: passwdIs("\x00\x01:\x00:0\n\xff\xfe\nopenhands:x:1000:1000::/home/openhands:/bin/bash\n")},
		{input: "`/etc/passwd` is empty", outcome: "composes: ours is added", image: based(regular("etc/passwd", "")), check: passwdIs("openhands:x:1000:1000::/home/openhands:/bin/bash\n")},
		{input: "`/etc/passwd` is a hard link of another file", outcome: "composes: the other file stays as it is",
			image: based(regular("usr/other", rootPasswd), hardLink("etc/passwd", "usr/other")), check: func(t *testing.T, c composed) {
				passwdIs(newPasswd)(t, c)
				if got := c.files["/usr/other"].data; got != rootPasswd {
					t.Errorf("the other file is %q", got)
				}
			}},
		{input: "`/etc/passwd` is setuid and everybody's", outcome: "composes: without the bit", image: based(regular("etc/passwd", rootPasswd).mode(0o4777)), check: func(t *testing.T, c composed) {
			passwdIs(newPasswd)(t, c)
			if got := c.files["/etc/passwd"].Mode; got != 0o777 {
				t.Errorf("the mode is %o", got)
			}
		}},
		{input: "the user's home in `/etc/passwd` is `../../..` and a control character", outcome: "composes: the home of an account is the base's business, and stays inside of the image",
			image: based(regular("etc/passwd", rootPasswd+"openhands:x:7:7::../../../\x1b[2Jhome:/bin/sh\n"))},
		{input: "the user's home is that of the base's account, which the spec contradicts, with control characters", outcome: "refused: the values are quoted", spec: "user: {name: dev, home: /home/dev}\n",
			image: based(regular("etc/passwd", rootPasswd+"dev:x:7:7::/\x1b[2Jhome:/bin/sh\n")), refused: []string{">>> user:", `has a user "dev" with home "/\x1b[2Jhome"`}},
		{input: "`/etc/group` is a FIFO", outcome: "refused: not a file", image: based(fifo("etc/group")), refused: []string{atBase, `"/etc/group" is a FIFO`}},
		{input: "`/etc/group` is a symlink to a file of the daemon's machine", outcome: inside, image: based(symlink("etc/group", c.file)), check: func(t *testing.T, c composed) {
			if got, want := c.read(t, "/etc/group"), "root:x:0:\nopenhands:x:1000:\n"; got != want {
				t.Errorf("/etc/group is %q, want %q", got, want)
			}
		}},
		{input: "`/etc/shadow` is a symlink to a file of the daemon's machine", outcome: "composes: there is no such file in the image, so none is written", image: based(symlink("etc/shadow", c.file)), check: func(t *testing.T, c composed) {
			if _, real, ok := c.at("/etc/shadow"); ok {
				t.Errorf("there is a %s", real)
			}
		}},
		{input: "`/etc/gshadow` is a device", outcome: "refused: not a file", image: based(device("etc/gshadow", tar.TypeChar, 1, 8)), refused: []string{atBase, `"/etc/gshadow" is a device`}},
		{input: "`/etc/os-release` is a FIFO, and packages are wanted", outcome: "refused: not a file", spec: "extra_deps: {packages: [less]}\n",
			image: based(fifo("etc/os-release")), refused: []string{atBase, `"/etc/os-release" is a FIFO`}},
	}
}

func manyUsers(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "user%d:x:%d:%d:somebody:/home/user%d:/bin/sh\n", i, 2000+i, 2000+i, i)
	}
	return b.String()
}
