package tags

import (
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"testing"
)

// The vectors are what OpenHands 0.62.0's own functions gave, with the package
// dirhash 0.5.0.
func TestLock(t *testing.T) {
	const base = "nikolaik/python-nodejs:python3.12-nodejs22"
	for browser, want := range map[bool]string{true: "op8feav3rzk15vh7", false: "63h94nptfs6ad786"} {
		v := V0{Version: "0.62.0", Base: base, Browser: browser}
		lock := v.Lock([]byte("[project]\n"), []byte("lock\n"))
		if lock != "oh_v0.62.0_"+want {
			t.Errorf("browser %t: %s, want %s", browser, lock, want)
		}
		if got, want := v.Source(lock, tree(t).DirHash("openhands")), lock+"_zlkyrbl6z3gjpp6y"; got != want {
			t.Errorf("browser %t: %s, want %s", browser, got, want)
		}
	}
}

func TestTruncated(t *testing.T) {
	for in, want := range map[string]string{
		"01": "1", "24": "01",
		"000000000000000000000000000000ff": "37",
		"0123456789abcdef0123456789abcdef": "3nb89axrzwkk5sza",
		"ffffffffffffffffffffffffffffffff": "33psmzhlgqnyronp",
	} {
		sum, err := hex.DecodeString(in)
		if err != nil {
			t.Fatal(err)
		}
		if got := truncated(sum); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func TestValid(t *testing.T) {
	if long := strings.Repeat("t", 128); !Valid(long) || Valid(long+"t") {
		t.Error("a tag has at most 128 characters")
	}
}

func TestVersioned(t *testing.T) {
	for base, want := range map[string]string{
		"debian": "debian",
		"nikolaik/python-nodejs:python3.12-nodejs22":                   "nikolaik_s_python-nodejs_t_python3.12-nodejs22",
		"Registry.Example.com:5000/Team/Image:Tag-1":                   "registry.example.com_t_5000_s_team_s_image_t_tag-1",
		strings.Repeat("x", 50) + "/" + strings.Repeat("y", 60) + ":z": strings.Repeat("x", 29) + "_s_" + strings.Repeat("y", 60) + "_t_z",
	} {
		got := V0{Version: "0.62.0", Base: base}.Versioned()
		if got != "oh_v0.62.0_"+want || !Valid(got) {
			t.Errorf("%s: %s, want %s", base, got, want)
		}
	}
	if pinned := (V0{Version: "1", Base: "debian@sha256:0123"}).Versioned(); Valid(pinned) {
		t.Errorf("%s is no tag", pinned)
	}
}

func TestAgentVersioned(t *testing.T) {
	for base, want := range map[string]string{
		"debian": "debian",
		"nikolaik/python-nodejs:python3.12-nodejs22":                                                     "nikolaik_s_python-nodejs_tag_python3.12-nodejs22",
		"ghcr.io/org/team/a-very-long-repository-name/with-more-parts:v1.2.3-extra":                      "with-more-parts_tag_v1.2.3-extra-85e2ed889eb9",
		"registry.example.com:5000/team/a-long-name-of-a-repository/" + strings.Repeat("i", 60) + ":tag": "registry.example.com_tag_5000_s_team_s_a-long-name--f02381e0be8b",
		"a/" + strings.Repeat("n", 70):                                                                   strings.Repeat("n", 51) + "-48f0b1f7a4bb",
	} {
		if got := AgentVersioned("1.58.2", base); got != "v1.58.2_"+want {
			t.Errorf("%s: %s, want %s", base, got, want)
		}
	}
}

func TestV0Version(t *testing.T) {
	for text, want := range map[string]string{
		"[tool.poetry]\nname = \"x\"\n  version = \"0.62.0\"\nversion = \"2\"\n": "0.62.0",
		"version = '1.2'\n":            "1.2",
		"version=\"1\"\n":              "", // upstream does not see it either
		"requires-python = \">=3.12\"": "",
	} {
		if got := V0Version([]byte(text)); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// tree has what dirhash treats in a way of its own.
func tree(t *testing.T) *Tree {
	t.Helper()
	tree := &Tree{}
	for name, content := range map[string]string{
		"pyproject.toml": "[project]\n", "poetry.lock": "lock\n",
		"openhands/__init__.py": "a", "openhands/empty.txt": "", "openhands/.hidden-file": "h",
		"openhands/.hidden/x/y": "x", "openhands/m.pyc": "p", "openhands/odd.pyc/inside.py": "q",
		"openhands/__pycache__/a.cpython-312.pyc": "c", "openhands/__pycache__/keep.txt": "c",
		"openhands/é/ü.py": "u", "openhands/sub/deep/z.py": "d", "openhands/sub/deep-z.py": "d",
		"openhands/sub/A.py": "A", "openhands/a.b/c": "s",
	} {
		if err := tree.Add(name, false, strings.NewReader(content)); err != nil {
			t.Fatal(err)
		}
	}
	return tree
}

func TestDirHash(t *testing.T) {
	tree := tree(t)
	if got, want := tree.DirHash("openhands"), "87a032e1090d4068b745e5426a6273d7"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got, want := tree.WheelHash("openhands"), "c1ac165cc8c5a0d9959d11dbd0bc0dfe"; got != want {
		t.Errorf("wheel: %s, want %s", got, want)
	}
}

func TestTreeDigest(t *testing.T) {
	digests := map[string]string{}
	for name, change := range map[string]func(*Tree) error{
		"nothing":    func(*Tree) error { return nil },
		"content":    func(t *Tree) error { return t.Add("poetry.lock", false, strings.NewReader("other\n")) },
		"executable": func(t *Tree) error { return t.Add("poetry.lock", true, strings.NewReader("lock\n")) },
		"path":       func(t *Tree) error { return t.Add("poetry.lock2", false, strings.NewReader("lock\n")) },
		"left out of dirhash": func(t *Tree) error {
			return t.Add("openhands/.hidden/x/y", false, strings.NewReader("other"))
		},
	} {
		tree := tree(t)
		if err := change(tree); err != nil {
			t.Fatal(err)
		}
		if other, ok := digests[tree.Digest()]; ok {
			t.Errorf("%s and %s give the same digest", name, other)
		}
		digests[tree.Digest()] = name
	}
}

func TestBuildCoversEveryInput(t *testing.T) {
	epoch := int64(1)
	inputs := []Inputs{
		{}, {Frontend: "x"}, {Target: "x"}, {Platform: "x"}, {Base: "x"}, {Deps: "x"}, {Lock: "x"}, {Source: "x"}, {Spec: "x"},
		{RunArgs: []string{"x"}}, {Labels: map[string]string{"x": "y"}}, {Epoch: &epoch},
	}
	seen := map[string]int{}
	for i, in := range inputs {
		tag := Build(in)
		if !Valid(tag) || !strings.HasPrefix(tag, "build-") {
			t.Errorf("%q is no build tag", tag)
		}
		if other, ok := seen[tag]; ok {
			t.Errorf("%+v and %+v have the same tag", in, inputs[other])
		}
		seen[tag] = i
	}
}

func TestJoin(t *testing.T) {
	amd64 := Set{KindBuild: "build-1", KindLock: "l"}
	arm64 := Set{KindBuild: "build-2", KindLock: "l"}
	if got := Join(map[string]Set{"linux/amd64": amd64}); !maps.Equal(got, amd64) {
		t.Errorf("one platform: %v", got)
	}
	both := Join(map[string]Set{"linux/amd64": amd64, "linux/arm64": arm64})
	if both[KindLock] != "l" || both[KindBuild] == "build-1" || both[KindBuild] == "build-2" || !Valid(both[KindBuild]) {
		t.Errorf("two platforms: %v", both)
	}
	if got := Join(map[string]Set{"linux/amd64": amd64, "linux/arm64": {KindLock: "other"}}); len(got) != 0 {
		t.Errorf("platforms that have nothing in common: %v", got)
	}
	swapped := Join(map[string]Set{"linux/amd64": arm64, "linux/arm64": amd64})
	if swapped[KindBuild] == both[KindBuild] {
		t.Error("which platform has which build does not count")
	}
	if _, ok := Join(map[string]Set{"linux/amd64": amd64, "linux/arm64": {KindLock: "l"}})[KindBuild]; ok {
		t.Error("a build tag although one platform has none")
	}
}

func TestLabelsAndNames(t *testing.T) {
	set := Set{KindVersioned: "v", KindBuild: "build-1", KindLock: "l"}
	if got := FromLabels(set.Labels()); !maps.Equal(got, set) {
		t.Errorf("%v, want %v", got, set)
	}
	if got := FromLabels(map[string]string{"dev.openhands.tag.lock": "a,b"}); len(got) != 0 {
		t.Errorf("%v is no tag", got)
	}
	if got, want := set.Names("example.com/r"), []string{"example.com/r:build-1", "example.com/r:l", "example.com/r:v"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
