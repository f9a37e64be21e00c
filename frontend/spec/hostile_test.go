package spec

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/openhands/llb-frontend/llb/llbtest"
)

// hostile is a spec of somebody who wants to harm, with the whole answer to it:
// "" if the spec loads, since it does no harm.
type hostile struct {
	group, name string
	yaml        string
	args        map[string]string
	want        string // line:col: message
}

func hostileSpecs() []hostile {
	labels := func(value string) string { return base + "labels: {a: " + value + "}\n" }
	long := strings.Repeat("a", 1<<20)
	list := func(n int) string { return "[" + strings.Repeat("a,", n) + "]" }
	return []hostile{
		// What costs time and memory.
		{"size", "a bomb of aliases", "x-a: &a [x, x]\nx-b: &b [*a, *a]\nx-c: &c [*b, *b]\n" + base + "labels: *c\n", nil,
			"5:9: YAML aliases are not supported; write the value out, or declare it under args and use ${NAME}"},
		{"size", "aliases where keys are free", "x-a: &a [x, x]\nx-b: [*a, *a]\n" + base, nil, ""},
		{"size", "an alias of itself", base + "labels: &a {a: *a}\n", nil,
			`2:9: YAML anchors are not supported; remove "&a", or declare the value under args and use ${NAME}`},
		{"size", "101 levels of lists", base + "x-a: " + strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1) + "\n", nil,
			"2:106: lists and mappings lie more than 100 deep in each other; a spec needs 4 levels"},
		{"size", "20,000 levels of lists", base + "x-a: " + strings.Repeat("[", 20_000) + "\n", nil,
			"2:1: invalid YAML: exceeded max depth of 10000"},
		{"size", "10,000 items", base + "deps:\n  tools: " + list(maxNodes) + "\n", nil,
			"3:19997: the file holds more than 10000 keys and values; is it the right file?"},
		{"size", "10,000 keys that are free", base + "x-a:\n" + strings.Repeat(" a: 1\n", maxNodes), nil,
			"5000:5: the file holds more than 10000 keys and values; is it the right file?"},
		{"size", "thousands of documents", base + strings.Repeat("---\nx-a: b\n", 5000), nil,
			"2:1: a spec file holds one YAML document; remove the second one"},
		{"size", "a file of several MB", base + "# " + long + long + "\n", nil,
			"1:1: the file has 2097186 bytes, a spec file has at most 1048576; is it the right file?"},
		{"size", "a value of 100 kB and more", base + "extra_deps: {run: [" + long[:maxValue+1] + "]}\n", nil,
			"2:20: extra_deps.run[0] has 102401 bytes; at most 102400 are allowed: put data into a file"},
		{"size", "a key of 1 kB and more", base + "? " + long[:maxKey+1] + "\n: x\n", nil,
			`2:3: the key "` + long[:maxShown] + `…" has 1025 bytes; at most 1024 are allowed`},
		{"size", "args that grow by each other", "args: {A: " + long[:2000] + ", B: $A$A$A$A$A}\n" + base, nil,
			"1:2016: args.B has 10000 bytes after substitution; at most 8192 are allowed"},
		{"size", "an arg that is used often", "args: {A: " + long[:4000] + "}\n" + base + "labels:\n" + manyLabels(140, "$A$A"), nil,
			"134:9: the values up to labels.a130 have more than 1048576 bytes together after substitution; use args less often"},
		{"size", "an arg that is replaced by itself by itself", "args: {A: " + long[:4000] + "}\n" + base + "labels: {a: '${A//a/${A//a/$A}}'}\n", nil,
			"3:13: labels.a takes too much to substitute; use args less often, and shorter words in ${NAME/pattern/word}, ${NAME#pattern} and ${NAME%pattern}"},
		{"size", "1,000 args in each other", base + "labels: {a: '" + strings.Repeat("${BASE_IMAGE:-", 1000) + strings.Repeat("}", 1000) + "'}\n", nil,
			"2:13: labels.a takes too much to substitute; use args less often, and shorter words in ${NAME/pattern/word}, ${NAME#pattern} and ${NAME%pattern}"},
		{"size", "variables of 128 kB and more", base + "environment: {A: " + long[:70<<10] + ", B: " + long[:70<<10] + "}\n", nil,
			"2:14: environment has 143366 bytes; at most 131072 are allowed: put data into a file"},
		{"size", "101 commands", base + "extra_deps:\n  run:\n" + strings.Repeat("  - a\n", 101), nil,
			"104:5: extra_deps.run has 101 commands; at most 100 are allowed, since each is a layer: join some with &&"},
		{"size", "a path that no file system takes", base + "working_dir: /" + long[:maxName+1] + "\n", nil,
			`2:14: working_dir "/` + long[:256] + `" has a part of more than 255 bytes, which no file system takes`},
		{"size", "a path of 4 kB and more", base + "working_dir: /" + strings.Repeat("a/", 2047) + "ab\n", nil,
			`2:14: working_dir "/` + strings.Repeat("a/", 199) + `a…" has 4097 bytes; Linux takes a path of at most 4095`},
		{"size", "a reference of 256 characters", "base_image: " + long[:256] + "\n", nil,
			`1:13: base_image "` + long[:256] + `" is not an image reference (repository name must not be more than 255 characters); write name[:tag][@digest], e.g. debian:trixie-slim`},
		{"size", "a version of 101 bytes", base + "deps: {node: " + long[:101] + "}\n", nil,
			"2:14: deps.node.version has 101 bytes; at most 100 are allowed"},
		{"size", "an address of 2 kB and more", base + "mirrors: {npm: https://" + long[:2048] + "}\n", nil,
			"2:16: mirrors.npm has 2056 bytes; at most 2048 are allowed"},

		// What would write on somebody's terminal.
		{"terminal", "bytes that are no UTF-8", labels("\"\xff\""), nil, "2:1: the file is not UTF-8 text; save it as UTF-8"},
		{"terminal", "an arg that is no UTF-8", "args: {A: }\n" + labels("$A"), map[string]string{"A": "\xff"},
			"1:11: args.A is not UTF-8 text; give it another value"},
		{"terminal", "a NUL in the file", base + "# \x00\n", nil,
			"2:1: the line holds the control character U+0000; remove it, or write it as an escape in double quotes"},
		{"terminal", "a NUL as an escape", labels(`"\0"`), nil, "2:13: labels.a holds the control character U+0000; remove it"},
		{"terminal", "an escape sequence in the file", base + "# \x1b[2K\n", nil,
			"2:1: the line holds the control character U+001B; remove it, or write it as an escape in double quotes"},
		{"terminal", "colours as an escape", base + `extra_deps: "echo \e[31m"` + "\n", nil,
			"2:13: extra_deps holds the control character U+001B; remove it"},
		{"terminal", "a window title by an arg", "args: {A: }\n" + labels("$A"), map[string]string{"A": "\x1b]0;x\a"},
			"1:11: args.A holds the control character U+001B; remove it"},
		{"terminal", "control characters of Latin-1", labels(`"\x9b31m"`), nil, "2:13: labels.a holds the control character U+009B; remove it"},
		{"terminal", "a carriage return", base + "# a\rb\n", nil,
			`2:1: the line holds a carriage return that ends no line; save the file with line ends "\n" or "\r\n"`},
		{"terminal", "a forged line in a message", base + `platforms: "x\n#9 DONE 0.0s"` + "\n", nil,
			`2:12: platforms must be a list of strings, is a string; write [x\n#9 DONE 0.0s]`},
		{"terminal", "an escape in a key that a message names", base + `labels: {"\e[2Ka": }` + "\n", nil,
			`2:20: labels.\x1b[2Ka has no value; write "" for an empty one`},
		{"terminal", "an escape in an unknown key", base + `"\e[2K": x` + "\n", nil,
			`2:1: unknown key "\x1b[2K"; the keys here are args, base_image, platforms, server, deps_image, deps, extra_deps, environment, user, working_dir, entrypoint, command, labels, mirrors`},
		{"terminal", "a message of the spec's own", `base_image: "${BASE_IMAGE:?a\nb\u202ec}"` + "\n", nil,
			`1:13: base_image: BASE_IMAGE: a\nb\u202ec`},
		{"terminal", "text that turns the direction of writing", base + "# \u202e }\u2066 if admin\u2069\n", nil,
			"2:1: the line holds the control character U+202E; remove it, or write it as an escape in double quotes"},
		{"terminal", "the same as an escape, in a value", labels(`"\u202eabc"`), nil, ""},
		{"terminal", "a newline in a value", labels(`"a\nb"`), nil, ""},

		// What would reach other places than it should.
		{"places", "a path with ..", base + "working_dir: /workspace/../etc\n", nil,
			`2:14: working_dir "/workspace/../etc" must be a clean path; use "/etc"`},
		{"places", "a home with ..", base + "user: {home: /home/../../etc}\n", nil,
			`2:14: user.home "/home/../../etc" must be a clean path; use "/etc"`},
		{"places", "a home that is the root", base + "user: {home: /}\n", nil, `2:14: user.home must not be "/"; use a path below it`},
		{"places", "a checkout outside of the context", base + "server: {name: agent-server, source: ../..}\n", nil,
			`2:38: server.source "../.." is not the name of a build context; use "." for the build context, or a name that --build-context gives`},
		{"places", "a version that is a path", base + "deps: {node: ../../etc/passwd}\n", nil,
			`2:14: deps.node.version "../../etc/passwd" is not a version; it holds only letters, digits and .+_-`},
		{"places", "a line of passwd in a user name", base + `user: "a:x:0:0::/:/bin/sh"` + "\n", nil,
			`2:7: user must be a name, a uid or "uid:gid"; give a name and its ids as {name: ..., uid: ..., gid: ...}`},
		{"places", "a line of passwd in a shell", base + `user: {shell: "/bin/sh\nroot2:x:0:0::/:/bin/sh"}` + "\n", nil,
			`2:15: user.shell "/bin/sh\nroot2:x:0:0::/:/bin/sh" must not hold control characters`},
		{"places", "the id that means no change", base + "user: 4294967295\n", nil,
			`2:7: user has a uid that must be a whole number from 0 to 4294967294, written in decimal, is "4294967295"`},
		{"places", "an option for a package manager", base + "extra_deps: {packages: [--allow-untrusted]}\n", nil,
			`2:25: extra_deps.packages[0] "--allow-untrusted" is not a package name; it begins with a letter or digit and holds only letters, digits and +._:=~-`},
		{"places", "an option for pip, behind a line end of Unicode", base + `deps: {python: {provider: builder, requirements: ["a==1\u2028--index-url=https://example.com"]}}` + "\n", nil,
			`2:51: deps.python.requirements[0] "a==1\u2028--index-url=https://example.com" is not a requirement in pip's form (PEP 508); it begins with the name of a package, e.g. "numpy==2.3.4"`},

		// References.
		{"references", "a password", "base_image: user:secret@registry.example.com/base\n", nil,
			`1:13: base_image holds "@" without a digest behind it; write name[:tag][@digest], and log in to a registry with docker login`},
		{"references", "a password behind a scheme", "base_image: https://user:secret@registry.example.com/base\n", nil,
			`1:13: base_image holds "@" without a digest behind it; write name[:tag][@digest], and log in to a registry with docker login`},
		{"references", "a password in a mirror", base + "mirrors: {npm: \"https://user:secret@example.com/\"}\n", nil,
			`2:16: mirrors.npm must not hold a password; hand it over as the secret "netrc" (--secret id=netrc,src=...)`},
		{"references", "a letter that looks like another", "base_image: dеbian\n", nil,
			`1:13: base_image "dеbian" is not an image reference (it holds the character U+0435, which is not ASCII); write name[:tag][@digest], e.g. debian:trixie-slim`},
		{"references", "text that turns the direction of writing", `base_image: "debian\u202e:12"` + "\n", nil,
			`1:13: base_image "debian\u202e:12" is not an image reference (it holds the character U+202E, which is not ASCII); write name[:tag][@digest], e.g. debian:trixie-slim`},
		{"references", "a forged line", `base_image: "a://b\n#9 DONE"` + "\n", nil,
			`1:13: base_image "a://b\n#9 DONE" is not an image reference (repository name (/b\n#9 DONE) must be lowercase); write it without the scheme: b\n#9 DONE`},
		{"references", "another kind of source", "base_image: git://example.com/repo\n", nil,
			`1:13: base_image "git://example.com/repo" is not an image reference (invalid reference format); write it without the scheme: example.com/repo`},
	}
}

func manyLabels(n int, value string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "  a%03d: %s\n", i, value)
	}
	return b.String()
}

// TestHostileSpecs also holds docs/reliability.md to the answers.
func TestHostileSpecs(t *testing.T) {
	rows := [][]string{{"about", "a spec with", "answer"}}
	for _, tt := range hostileSpecs() {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Load("openhands.yaml", []byte(tt.yaml), tt.args)
			got := ""
			if se := (*Error)(nil); errors.As(err, &se) {
				checkPlaces(t, []byte(tt.yaml), se.Problems)
				p := se.Problems[0]
				got = fmt.Sprintf("%d:%d: %s", p.Range.Start.Line, p.Range.Start.Column, p.Message)
				if strings.Contains(err.Error(), "secret@") {
					t.Errorf("the error holds a password: %v", err)
				}
			}
			if got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
		rows = append(rows, []string{tt.group, tt.name, answer(tt.want)})
	}
	llbtest.Page(t, "../../docs/reliability.md", "specs", rows)
}

// answer is a message without its place and without what quotes at length.
func answer(want string) string {
	if want == "" {
		return "builds; it does no harm"
	}
	_, message, _ := strings.Cut(want, ": ")
	for run := 400; run > 20; run-- {
		message = strings.ReplaceAll(message, strings.Repeat("a", run), "aaa…")
		message = strings.ReplaceAll(message, strings.Repeat("a/", run), "a/…")
	}
	return "`" + message + "`"
}
