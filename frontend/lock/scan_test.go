package lock

import (
	"bytes"
	"fmt"
	"io/fs"
	"reflect"
	"testing"

	digest "github.com/opencontainers/go-digest"
	"gopkg.in/yaml.v3"
)

// sample is a lock as Encode writes it.
func sample(bases int) []byte {
	l := New()
	for i := range bases {
		dgst := digest.FromString(fmt.Sprint(i))
		l.Images[fmt.Sprintf("registry.example.com:5000/team/base:%d", i)] = dgst
		l.Know(dgst, "linux/amd64", Facts{
			Distribution: "debian-13",
			Files: map[string]*File{
				"/etc": {Mode: fs.ModeDir | 0o755}, "/bin": {Mode: fs.ModeSymlink | 0o777, Linkname: "usr/bin"},
				"/workspace": nil, "/x: #\u00e9\"": {Mode: fs.ModeSymlink | 0o777, Linkname: " a"},
			},
			Accounts: map[string][]byte{"passwd": []byte("root:x:0:0:root:/root:/bin/sh\n\nx::\n"), "group": []byte("no end"), "shadow": {}},
		})
	}
	l.Packages["debian:13"] = Packages{Unpinned: "it has none (yet), says apt: none"}
	return l.Encode()
}

// What is written is scanned, so that it need not be parsed.
func TestScan(t *testing.T) {
	data := sample(3)
	if scan(data) == nil {
		t.Errorf("what is written is not scanned:\n%s", data)
	}
	for _, text := range []string{
		"", "# nothing\n", "# a\nversion: 1\n", "version: 1", "version:\n", "version: 1\n\n", " version: 1\n", "version: 1 # one\n", "version: 'a'\n",
		"version: 1\nimages: {}\n", "version: 1\nimages:\n    debian:13: x\n", "version: 1\nimages:\n  - a\n", "version: |\n  a\n   b\n\n",
		"version: \"\\101\"\n", "version: \"1\"\n", "version: 1\r\n", "version: é\n", "version: a: b\n", "---\nversion: 1\n", "... a: b\n", `version: "\x80"` + "\n", "version: 1\n---\n",
	} {
		if scan([]byte(text)) != nil {
			t.Errorf("%q is scanned", text)
		}
	}
}

// FuzzScan holds scan to what the YAML library says: of any text it gives the same
// nodes, or none.
func FuzzScan(f *testing.F) {
	f.Add(sample(1))
	f.Add([]byte("version: 1\na:\n  b: |\n    c\n\n    d\n  e: \"\"\n"))
	f.Add([]byte("a.b: c (d), e\n..: x\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		got := scan(data)
		if got == nil {
			return
		}
		decoder := yaml.NewDecoder(bytes.NewReader(data))
		var document, second yaml.Node
		if err := decoder.Decode(&document); err != nil {
			t.Fatalf("it is no YAML: %v\n%s", err, data)
		}
		if err := decoder.Decode(&second); err == nil {
			t.Fatalf("there are two documents:\n%s", data)
		}
		want := document.Content[0]
		strip(want)
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("the nodes differ in\n%s", data)
		}
	})
}

// strip takes out what no reader of a lock looks at.
func strip(n *yaml.Node) {
	n.Tag, n.HeadComment, n.LineComment, n.FootComment = "", "", "", ""
	for _, c := range n.Content {
		strip(c)
	}
}

// A build of one of five hundred bases reads all of the lock first.
func BenchmarkParse(b *testing.B) {
	data := sample(500)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(Name, data); err != nil {
			b.Fatal(err)
		}
	}
}
