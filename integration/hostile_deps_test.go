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

const atDeps = ">>> deps_image:"

// Images that nobody would make in good faith, as deps images.
func TestHostileDeps(t *testing.T) {
	canary := newCanary(t)
	// A layer that goes through /openhands would go to /etc.
	base := eng.Registry() + "/test/hostile-deps-base:1"
	based(symlink("openhands", "/etc")).push(t, base)
	rows := slices.Concat(depsRows(canary), depsLabelRows())
	buildRows(t, "deps", rows, func(image string) string {
		return "base_image: " + base + "\ndeps_image: " + image + "\n"
	})
	below := layers(t, pulled(t, base, "amd64"))
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
			c.keeps(t, below)
			c.openhands(t)
			c.clean(t, len(below), canary.secrets(t)...)
			if row.spec == "" {
				c.user(t)
				passwdIs(newPasswd)(t, c)
			}
			ours := layers(t, pulled(t, fmt.Sprintf("%s/test/hostile-deps-%d:1", eng.Registry(), i), "amd64"))
			if row.image.config != nil {
				c.keeps(t, slices.Concat(below, ours))
				return
			}
			// A copy: one layer with /openhands alone.
			for _, m := range c.layers[len(below)] {
				if top, _, _ := strings.Cut(strings.Trim(m.Name, "/"), "/"); top != "openhands" {
					t.Errorf("the layer of /openhands has %s", m.Name)
				}
			}
		})
	}
	canary.untouched(t)
	reliability.Check(t, "../docs", "deps", hostileTable("deps image", rows))
}

// depsRows are images without the label of a deps image: somebody's own.
func depsRows(c *canary) []*hostileRow {
	const copied = "its /openhands is copied"
	of := func(others ...member) hostileImage { return hostileImage{layers: [][]member{smallDeps(others...)}} }
	over := func(members ...member) hostileImage {
		return hostileImage{layers: [][]member{smallDeps(), members}}
	}
	file := func(name string, check func(t *testing.T, m member)) func(*testing.T, composed) {
		return func(t *testing.T, c composed) {
			t.Helper()
			m, ok := c.files[name]
			if !ok {
				t.Errorf("%s is missing", name)
			}
			check(t, m)
		}
	}
	row := func(input, outcome string, image hostileImage, check func(*testing.T, composed)) *hostileRow {
		return &hostileRow{input: input, outcome: outcome, image: image, check: check, warning: copied}
	}
	const stays = "composes: copied as it is"
	return []*hostileRow{
		row("no label", "composes: copied, with a warning", of(), nil),
		row("a setuid file", stays, of(regular("openhands/su", "x").mode(0o4755)), file("/openhands/su", func(t *testing.T, m member) {
			if m.Mode != 0o4755 {
				t.Errorf("the mode is %o", m.Mode)
			}
		})),
		row("a directory that everybody may write", stays, of(directory("openhands/open").mode(0o777)), file("/openhands/open", func(t *testing.T, m member) {
			if m.Mode != 0o777 {
				t.Errorf("the mode is %o", m.Mode)
			}
		})),
		row("devices: `/dev/zero` and a disk", stays+", none is opened", of(device("openhands/zero", tar.TypeChar, 1, 5), device("openhands/disk", tar.TypeBlock, 8, 0)), file("/openhands/zero", func(t *testing.T, m member) {
			if m.Typeflag != tar.TypeChar || m.Devmajor != 1 || m.Devminor != 5 {
				t.Errorf("it is %+v", m.Header)
			}
		})),
		row("a FIFO", stays, of(fifo("openhands/fifo")), file("/openhands/fifo", func(t *testing.T, m member) {
			if m.Typeflag != tar.TypeFifo {
				t.Errorf("it is %q", m.Typeflag)
			}
		})),
		row("symlinks to `/etc/passwd` and to a file of the daemon's machine", stays+": links of the image", of(symlink("openhands/one", "/etc/passwd"), symlink("openhands/two", "../../../.."+c.file)), file("/openhands/two", func(t *testing.T, m member) {
			if m.Linkname != "../../../.."+c.file {
				t.Errorf("it is %+v", m.Header)
			}
		})),
		row("a hard link to a file outside of `/openhands`", "composes: copied, as a file", of(directory("etc"), regular("etc/theirs", "theirs"), hardLink("openhands/twin", "etc/theirs")), file("/openhands/twin", func(t *testing.T, m member) {
			if m.data != "theirs" {
				t.Errorf("it has %q", m.data)
			}
		})),
		row("files outside of `/openhands`: `/etc/passwd`, `/home`", "composes: not taken", of(directory("etc"), regular("etc/passwd", "theirs"), symlink("home", "/nowhere")), nil),
		row("whiteouts of `/etc/passwd` and `/etc/group`", "composes: they are about the image's own layers", hostileImage{layers: [][]member{
			smallDeps(directory("etc"), regular("etc/passwd", ""), regular("etc/group", "")), {directory("etc"), regular("etc/.wh.passwd", ""), regular("etc/.wh.group", "")}}}, nil),
		{input: "whiteouts in a directory that no layer below has", outcome: "refused by BuildKit, which finds names without files", image: over(directory("etc"), regular("etc/.wh.passwd", "")),
			refused: []string{atDeps, "no such file or directory"}},
		row("whiteouts of `/etc` and `/home`", "composes: they are about the image's own layers", over(regular(".wh.etc", ""), regular(".wh.home", "")), nil),
		row("a root that is opaque", "composes: it is about the image's own layers", hostileImage{layers: [][]member{smallDeps(regular(".wh..wh..opq", ""))}}, nil),
		row("a layer without directories of its own", "composes: the copy has them", hostileImage{layers: [][]member{smallDeps()[3:]}}, nil),
		row("127 layers", "composes: copied to one", deepDeps(127), nil),
		{input: "`/openhands` is a symlink to `/etc`", outcome: "refused: no directory", image: hostileImage{layers: [][]member{{symlink("openhands", "/etc"), directory("etc"), regular("etc/x", "")}}},
			refused: []string{atDeps, "/openhands is a symlink, not a directory", "--target deps"}},
		{input: "`/openhands` is a symlink to a directory of the daemon's machine", outcome: "refused: no directory", image: hostileImage{layers: [][]member{{symlink("openhands", c.file)}}},
			refused: []string{atDeps, "/openhands is a symlink, not a directory", "--target deps"}},
		{input: "`/openhands` is a file", outcome: "refused: no directory", image: hostileImage{layers: [][]member{{regular("openhands", "")}}},
			refused: []string{atDeps, "/openhands is a file, not a directory", "--target deps"}},
		{input: "no `/openhands`", outcome: "refused: nothing to take", image: based(), refused: []string{atDeps, "has no /openhands", "--target deps"}},
		{input: "`/openhands` is taken away by a layer", outcome: "refused: nothing to take", image: over(regular(".wh.openhands", "")), refused: []string{atDeps, "has no /openhands", "--target deps"}},
	}
}

func deepDeps(n int) hostileImage {
	h := hostileImage{layers: [][]member{smallDeps()}}
	for i := 1; i < n; i++ {
		h.layers = append(h.layers, []member{directory("openhands"), regular(fmt.Sprintf("openhands/layer%d", i), "")})
	}
	return h
}

// depsLabelRows are images that have the label.
func depsLabelRows() []*hostileRow {
	labelledAs := func(change func(*v1.ConfigFile)) hostileImage {
		return hostileImage{layers: [][]member{smallDeps()}, config: func(c *v1.ConfigFile) {
			labelledDeps(c)
			change(c)
		}}
	}
	with := func(label, value string) hostileImage {
		return labelledAs(func(c *v1.ConfigFile) { c.Config.Labels[label] = value })
	}
	deep := deepDeps(127)
	deep.config = labelledDeps
	liar := hostileImage{config: labelledDeps, layers: [][]member{smallDeps(),
		{directory("etc"), regular("etc/.wh.passwd", ""), regular("etc/.wh.group", ""), regular("etc/theirs", "theirs")}}}
	theirs := func(t *testing.T, c composed) {
		if _, ok := c.files["/etc/theirs"]; !ok {
			t.Error("the image is not taken for what its label says")
		}
	}
	return []*hostileRow{
		{input: "the label, with whiteouts of account files and a file in `/etc`", outcome: "composes: taken for what the label says, and the accounts are those of base and user; name only deps images whose programs you trust", image: liar, check: theirs},
		{input: "the same, `user: root`", outcome: "composes: taken for what the label says, and the base's accounts are gone", image: liar, spec: asRootOf, check: func(t *testing.T, c composed) {
			theirs(t, c)
			if _, ok := c.files["/etc/passwd"]; ok {
				t.Error("/etc/passwd is there: the outcome can be a better one")
			}
		}},
		{input: "the label, 127 layers", outcome: "composes, with a warning: Docker's own store takes 125 layers", image: deep, warning: "the image has 129 layers"},
		{input: "the label, and no history", outcome: composes, image: labelledAs(func(c *v1.ConfigFile) { c.History = nil }), check: historyOf},
		{input: "the label, and history of 1,000 layers", outcome: composes, image: labelledAs(func(c *v1.ConfigFile) { c.History = history(1000, false) }), check: historyOf},
		{input: "the label, and `HEALTHCHECK`, `ENTRYPOINT`, `USER` and `VOLUME`", outcome: "composes: only files are taken", image: labelledAs(func(c *v1.ConfigFile) {
			c.Config.Entrypoint, c.Config.User, c.Config.Volumes = []string{"/evil"}, "evil", map[string]struct{}{"/evil": {}}
			c.Config.Healthcheck = &v1.HealthConfig{Test: []string{"CMD-SHELL", "curl evil"}}
		}), check: func(t *testing.T, c composed) {
			if got := c.config.Config; got.Healthcheck != nil || got.Entrypoint != nil || got.User == "evil" || len(got.Volumes) > 0 {
				t.Errorf("the config is %+v", got)
			}
		}},
		{input: "the label, with components that nobody knows", outcome: "composes: they count for nothing", image: with(ohllb.LabelDepsComponents, "lib,../../etc,\x1b[2J")},
		{input: "the label, of another layout", outcome: "refused: another version", image: with(ohllb.LabelDepsVersion, "99\x1b[2J\n#1 DONE"), refused: []string{atDeps, `layout version "99\x1b[2J\n#1 DONE"`}},
		{input: "the label, with a server that nobody knows", outcome: "refused: no such server", image: with(ohllb.LabelDepsServer, "evil\x1b[2J@1"), refused: []string{`"evil\x1b[2J"`}},
		{input: "the label, of another platform", outcome: "refused: another platform", image: labelledAs(func(c *v1.ConfigFile) { c.Architecture = "arm64" }), refused: []string{atDeps, "is for linux/arm64, not for linux/amd64"}},
	}
}
