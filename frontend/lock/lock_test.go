package lock_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"strings"
	"testing"

	digest "github.com/opencontainers/go-digest"

	"github.com/openhands/llb-frontend/frontend/lock"
	"github.com/openhands/llb-frontend/frontend/spec"
)

var (
	one = digest.FromString("1")
	two = digest.FromString("2")
)

// whole has something of everything.
func whole() *lock.Lock {
	l := lock.New()
	l.Images["alpine:3.22"] = one
	l.Images["localhost:5000/team/base:1"] = two
	l.Downloads["node/v24.21.0/node-v24.21.0-linux-x64.tar.gz"] = one
	l.Downloads["github/a/cpython-3.13.17+20261021.tar.gz"] = two
	l.Packages["debian:trixie-slim"] = lock.Packages{Snapshot: "20261127T000000Z"}
	l.Packages["alpine:3.22"] = lock.Packages{Unpinned: `apk has no snapshots: "today's"`}
	l.Know(one, "linux/amd64", facts())
	l.Know(one, "linux/arm64", facts())
	l.Know(two, "linux/amd64", facts())
	l.MustRead(digest.FromString("3"), "linux/amd64")
	return l
}

func facts() lock.Facts {
	return lock.Facts{
		Distribution: "debian-13",
		Files: map[string]*lock.File{
			"/bin":       {Mode: fs.ModeSymlink | 0o777, Linkname: "usr/bin"},
			"/etc":       {Mode: fs.ModeDir | 0o755},
			"/tmp":       {Mode: fs.ModeDir | fs.ModeSticky | 0o777},
			"/dev/x":     {Mode: fs.ModeIrregular | 0o600, UID: 1, GID: 2},
			"/usr/sudo":  {Mode: fs.ModeSetuid | 0o755, Xattrs: true},
			"/a: #b\n\"": {Mode: fs.ModeSymlink | 0o777, Linkname: " \u2028é\x7f"},
			"/workspace": nil,
		},
		Accounts: map[string][]byte{
			"passwd": []byte("root:x:0:0:root:/root:/bin/sh\n\n# comment\n+::::::\n"),
			"group":  []byte("root:x:0:\r\n"),
			"shadow": []byte(" no newline"), "gshadow": {},
		},
	}
}

func TestRoundTrip(t *testing.T) {
	for _, l := range []*lock.Lock{lock.New(), whole()} {
		text := l.Encode()
		again, err := lock.Parse("lock", text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if !reflect.DeepEqual(l, again) {
			t.Errorf("%#v\nbecomes\n%#v\n%s", l, again, text)
		}
		if string(again.Encode()) != string(text) {
			t.Errorf("written twice it differs:\n%s\n%s", text, again.Encode())
		}
	}
}

// The file as people see it: what is alike stands once.
func TestEncode(t *testing.T) {
	want, err := os.ReadFile("testdata/whole.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if got := whole().Encode(); string(got) != string(want) {
		t.Errorf("the lock is\n%s", got)
	}
}

func TestRef(t *testing.T) {
	for text, want := range map[string]string{
		"debian":                         "debian:latest",
		"docker.io/library/debian:13":    "debian:13",
		"registry.example.com/a/b":       "registry.example.com/a/b:latest",
		"debian:13@" + string(one):       "",
		"Not a reference":                "",
		"localhost:5000/x:y":             "localhost:5000/x:y",
		"index.docker.io/library/debian": "debian:latest",
	} {
		if got, _ := lock.Ref(text); got != want {
			t.Errorf("%s is %q, want %q", text, got, want)
		}
	}
}

// Another path of the same base is added to what is known; facts that nobody
// has any more go.
func TestKnow(t *testing.T) {
	l := lock.New()
	l.Know(one, "linux/amd64", facts())
	l.Know(one, "linux/amd64", lock.Facts{Distribution: "debian-13", Files: map[string]*lock.File{"/data": nil}, Accounts: facts().Accounts})
	l, err := lock.Parse("lock", l.Encode())
	if err != nil {
		t.Fatal(err)
	}
	f, known, listed := l.Base(one, "linux/amd64")
	if len(f.Files) != len(facts().Files)+1 || !known || !listed || len(l.Facts) != 1 {
		t.Errorf("the lock knows %v, and has %d facts", f, len(l.Facts))
	}
	if _, known, listed := l.Base(one, "linux/arm64"); known || listed {
		t.Error("the lock knows another platform")
	}
	var none *lock.Lock
	if _, known, listed := none.Base(one, "linux/amd64"); known || listed {
		t.Error("no lock knows a base")
	}
}

// Add takes over what another lock has: a base that both know is known as one.
func TestAdd(t *testing.T) {
	l, more := lock.New(), lock.New()
	l.Images["alpine:3.22"] = two
	l.Know(one, "linux/amd64", lock.Facts{Distribution: "debian-13", Files: map[string]*lock.File{"/data": nil}, Accounts: facts().Accounts})
	more.Images["alpine:3.22"], more.Images["debian:13"] = one, two
	more.Downloads["a/b"] = one
	more.Packages["debian:13"] = lock.Packages{Unpinned: "why"}
	more.Know(one, "linux/amd64", facts())
	more.MustRead(two, "linux/arm64")
	l.Add(more)
	f, known, _ := l.Base(one, "linux/amd64")
	_, must, listed := l.Base(two, "linux/arm64")
	if !known || len(f.Files) != len(facts().Files)+1 || must || !listed {
		t.Errorf("bases are %v, facts %v", l.Bases, l.Facts)
	}
	if l.Images["alpine:3.22"] != one || l.Images["debian:13"] != two || len(l.Downloads) != 1 || len(l.Packages) != 1 {
		t.Errorf("the lock is\n%s", l.Encode())
	}
}

// Hundreds of bases of one distribution are a file that people can still read.
func TestManyBases(t *testing.T) {
	l := lock.New()
	for i := range 500 {
		dgst := digest.FromString(fmt.Sprint(i))
		l.Images[fmt.Sprintf("registry.example.com/bases/instance-%d:1", i)] = dgst
		l.Know(dgst, "linux/amd64", facts())
	}
	text := l.Encode()
	if len(text) > 200_000 {
		t.Errorf("500 bases take %d bytes", len(text))
	}
	if again, err := lock.Parse("lock", text); err != nil || len(again.Bases) != 500 || len(again.Facts) != 1 {
		t.Errorf("500 bases are read as %v", err)
	}
}

func TestUnfit(t *testing.T) {
	for shadow, want := range map[string]string{
		"root:*:20000:0:99999:7:::\ndaemon:!*:::::\nx::\ny:!!:\nz:*LK*:\nno colon\n": "",
		"root:$y$j9T$abc$defghijkl:20000::\n":                                        "holds a password",
		"root:!aaaaaaaaaaaaa:20000::\n":                                              "holds a password",
		"root:\xff":                                                                  "not UTF-8",
	} {
		f := facts()
		f.Accounts["shadow"] = []byte(shadow)
		if got := f.Unfit(); !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("%q is unfit because %q, want %q", shadow, got, want)
		}
	}
	f := facts()
	f.Files["/x"] = &lock.File{Mode: fs.ModeSymlink, Linkname: "\xff"}
	if f.Unfit() == "" {
		t.Error("a path that is no text is fit")
	}
	f = facts()
	f.Files["/"+strings.Repeat("x", 1024)] = nil
	if !strings.Contains(f.Unfit(), "longer than a key") {
		t.Error("a path that is no key is fit")
	}
}

func TestProblems(t *testing.T) {
	dgst := one.String()
	id := facts().ID().String()
	for _, tt := range []struct{ yaml, want string }{
		{"", "1:1: the lock is empty"},
		{"# nothing\n", "1:1: the lock is empty"},
		{"a: [\n", "invalid YAML"},
		{"version: 1\n<<<<<<< HEAD\nimages: {}\n=======\nimages: {}\n>>>>>>> other\n", "2:1: a merge of two versions was left unfinished"},
		{"version: 1\n---\nversion: 1\n", "a lock holds one YAML document"},
		{"[]\n", "1:1: a lock must be a mapping"},
		{"images: {}\n", "1:1: the lock has no version"},
		{"version: 2\n", `1:10: this frontend knows version 1 of the lock, not "2": use a newer frontend`},
		{"version: 1\nimagse: {}\n", `2:1: unknown key "imagse"`},
		{"version: 1\nimages: [a]\n", "2:9: images must be a mapping"},
		{"version: 1\nimages: &a {}\ndownloads: *a\n", "2:9: images must be a mapping"},
		{"version: 1\nimages:\n  debian:13: " + dgst + "\n  debian:13: " + dgst + "\n", `4:3: images has "debian:13" twice, first on line 3`},
		{"version: 1\nimages:\n  debian: " + dgst + "\n", `3:3: "debian" is no image by name and tag`},
		{"version: 1\nimages:\n  debian:13@" + dgst + ": " + dgst + "\n", "3:3: "},
		{"version: 1\nimages:\n  debian:13:\n", `3:13: "debian:13" must have a value`},
		{"version: 1\nimages:\n  debian:13: sha256:0\n", `3:14: "sha256:0" is no digest`},
		{"version: 1\nimages:\n  debian:13: !!str " + dgst + "\n", `3:14: "debian:13" must have a value`},
		{"version: 1\ndownloads:\n  \"a b\": " + dgst + "\n", `3:3: "a b" is no name of a download`},
		{"version: 1\ndownloads:\n  " + strings.Repeat("a", 502) + ": " + dgst + "\n", `a" is no name of a download`},
		{"version: 1\npackages:\n  debian:13: {snapshot: today}\n", `3:25: snapshot "today" is no time`},
		{"version: 1\npackages:\n  debian:13: {}\n", `3:3: "debian:13" must have a snapshot`},
		{"version: 1\npackages:\n  debian:13: {pinned: x}\n", `3:15: unknown key "pinned"`},
		{"version: 1\nbases:\n  debian: {}\n", `3:3: "debian" is no digest of a base`},
		{"version: 1\nbases:\n  " + dgst + ":\n    linux/386: none\n", `4:5: "linux/386" is no platform`},
		{"version: 1\nbases:\n  " + dgst + ":\n    linux/amd64: " + dgst + "\n", `4:18: there are no facts "` + dgst},
		{"version: 1\nfacts:\n  " + dgst + ":\n    distribution: x\n", "3:3: facts were changed by hand"},
		{"version: 1\nfacts:\n  " + id + ":\n    files:\n      etc: none\n", `5:7: "etc" is no absolute path`},
		{"version: 1\nfacts:\n  " + id + ":\n    files:\n      /a/..: none\n", `5:7: "/a/.." is no absolute path`},
		{"version: 1\nfacts:\n  " + id + ":\n    files:\n      /etc: dir 755 0:0\n", `5:13: "dir 755 0:0" describes no file`},
		{"version: 1\nfacts:\n  " + id + ":\n    files:\n      /etc: dir 0755 0:9999999999\n", "5:13: "},
		{"version: 1\nfacts:\n  " + id + ":\n    accounts: {sudoers: x}\n", `4:16: unknown key "sudoers"`},
		{"version: 1\nfacts:\n  " + id + ":\n    size: 1\n", `4:5: unknown key "size"`},
		{"version: 1\n" + strings.Repeat("#", 13<<20), "1:1: the lock has"},
	} {
		_, err := lock.Parse("openhands.lock.yaml", []byte(tt.yaml))
		if err == nil || !strings.HasPrefix(err.Error(), "openhands.lock.yaml:") || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%.200s\ngives %v, want %q", tt.yaml, err, tt.want)
		}
	}
}

func checkPlaces(t *testing.T, data []byte, err error) {
	t.Helper()
	var se *spec.Error
	if !errors.As(err, &se) || len(se.Problems) == 0 {
		t.Fatalf("error without problems: %v", err)
	}
	lines := strings.Split(string(data), "\n")
	for _, p := range se.Problems {
		at := p.Range.Start
		if at.Line < 1 || at.Line > len(lines) || at.Column < 1 || at.Column > len([]rune(lines[at.Line-1]))+1 || p.Message == "" {
			t.Fatalf("place outside the file: %v", fmt.Sprint(p))
		}
	}
}
