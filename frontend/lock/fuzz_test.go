package lock_test

import (
	"io/fs"
	"path"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/distribution/reference"
	digest "github.com/opencontainers/go-digest"

	"github.com/openhands/llb-frontend/frontend/lock"
)

// FuzzParse holds Parse to three rules: it never panics, an accepted lock is
// written and read unchanged, and every problem lies inside the file.
func FuzzParse(f *testing.F) {
	f.Add(whole().Encode())
	f.Add(lock.New().Encode())
	f.Add([]byte("version: 1\nimages: {debian:13: x}\n<<: *a\n? [a]\n: b\n"))
	f.Add([]byte("version: 1\n<<<<<<< a\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := lock.Parse("f", data)
		if err != nil {
			checkPlaces(t, data, err)
			return
		}
		text := l.Encode()
		again, err := lock.Parse("f", text)
		if err != nil {
			t.Fatalf("what was written is not read: %v\n%s", err, text)
		}
		if string(again.Encode()) != string(text) {
			t.Fatalf("changed by writing and reading:\n%s\n%s", text, again.Encode())
		}
	})
}

// FuzzEncode writes what a base of any content gives, and reads it back as it was.
func FuzzEncode(f *testing.F) {
	f.Add("debian-13", "/etc/passwd", uint32(0o644), uint32(0), "", "root:x:0:0:root:/root:/bin/sh\n", "no archive of a time")
	f.Add("é: [x]", "/home/a b\t", uint32(0o41777), uint32(1000), "../usr/bin", " lead\n\n\n", "- x")
	f.Add("", "/\x01", uint32(0o4755), uint32(1<<32-1), "none", "a\r\nb", "\u2028")
	f.Fuzz(func(t *testing.T, distribution, name string, mode, owner uint32, target, passwd, why string) {
		facts := lock.Facts{Distribution: distribution, Accounts: map[string][]byte{"passwd": []byte(passwd)}}
		file := &lock.File{Mode: fs.FileMode(mode) & (fs.ModePerm | fs.ModeSetuid | fs.ModeSticky | fs.ModeDir), UID: int(owner), GID: int(mode)}
		if target != "" {
			file = &lock.File{Mode: fs.ModeSymlink | 0o777, Linkname: target}
		}
		if name = path.Clean("/" + name); name != "/" {
			facts.Files = map[string]*lock.File{"/none": nil, name: file}
		}
		if facts.Unfit() != "" || !utf8.ValidString(why) || why == "" {
			t.Skip()
		}
		l := lock.New()
		l.Know(digest.FromString("base"), "linux/amd64", facts)
		l.MustRead(digest.FromString("base"), "linux/arm64")
		l.Packages["debian:13"] = lock.Packages{Unpinned: why}
		text := l.Encode()
		again, err := lock.Parse("f", text)
		if err != nil {
			t.Fatalf("what was written is not read: %v\n%s", err, text)
		}
		if !reflect.DeepEqual(l, again) {
			t.Fatalf("%#v became %#v:\n%s", l, again, text)
		}
	})
}

// FuzzNamed holds keys of a lock to the one form that they have: it is a
// reference of the same image, and its own form.
func FuzzNamed(f *testing.F) {
	for _, text := range []string{"debian", "docker.io/library/debian:13", "docker.io/a.b/c", "docker.io/localhost/a", "example.com:5000/a/b", "a@" + string(digest.FromString("a")), "[::1]:5000/a", "Debian", "а"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		name, ok := lock.Named(text)
		want, err := reference.ParseNormalizedNamed(text)
		if ok != (err == nil) {
			t.Fatalf("%q is a reference: %t, %v", text, ok, err)
		}
		if !ok {
			return
		}
		if again, ok := lock.Named(name); !ok || again != name {
			t.Fatalf("%q is %q, is %q (%t)", text, name, again, ok)
		}
		got, err := reference.ParseNormalizedNamed(name)
		if err != nil || got.String() != reference.TagNameOnly(want).String() {
			t.Fatalf("%q is %v as %q: %v", text, want, name, err)
		}
		if strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }) {
			t.Fatalf("%q has the name %q", text, name)
		}
	})
}
