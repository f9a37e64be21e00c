package spec

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

const rangeSpec = `# syntax=x
base_image: debian:12 # comment
deps:
  tools: [bash,
    "tmux"   # not the end
  ]
  builder: 'it''s'
extra_deps:
  run:
    - |
      first

      second
    - plain text
      on two lines
user: {uid: "\"$A", labels: {}}
labels:
  org.example.a: >-
    folded
    text
environment: {}
`

func TestRangeText(t *testing.T) {
	// The text at a range shows where it ends.
	l := &loader{src: newSource([]byte(rangeSpec)), places: map[string]Range{}, failed: map[string]bool{}, args: newArguments(map[string]string{"A": "1"})}
	top, ok := l.parse([]byte(rangeSpec))
	if !ok {
		t.Fatal(l.problems)
	}
	l.decode(top, &Spec{})
	tests := []struct{ path, want string }{
		{"base_image", "debian:12"},
		{"deps.tools", "[bash,\n    \"tmux\"   # not the end\n  ]"},
		{"deps.tools[0]", "bash"},
		{"deps.tools[1]", `"tmux"`},
		{"deps.builder", `'it''s'`},
		{"deps", rangeSpec[strings.Index(rangeSpec, "tools:"):strings.Index(rangeSpec, "\nextra_deps")]},
		{"extra_deps.run[0]", "|\n      first\n\n      second"},
		{"extra_deps.run[1]", "plain text\n      on two lines"},
		{"user.uid", `"\"$A"`},
		{"user", `{uid: "\"$A", labels: {}}`},
		{"labels.org.example.a", ">-\n    folded\n    text"},
		{"environment", "{}"},
		// Not in the file: the first line of what is around it.
		{"environment.A", "{}"},
		{"extra_deps.run[7]", "- |"},
		{"extra_deps.packages[0]", "run:"},
		{"working_dir", "base_image: debian:12 # comment"},
		{"labels.org.example.b", "org.example.a: >-"},
	}
	for _, tt := range tests {
		if got := textAt(l.src, l.rangeOf(tt.path)); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.path, got, tt.want)
		}
	}
}

func textAt(s source, r Range) string {
	var text []rune
	for p := r.Start; p != r.End; p = s.next(p) {
		c, _ := s.at(p)
		text = append(text, c)
	}
	return string(text)
}

func TestRangeOfShortForms(t *testing.T) {
	d := mustLoad(t, base+"extra_deps: echo x\nuser: 1000\nargs: {DEPS_IMAGE: deps}\n", nil)
	for path, line := range map[string]int{"extra_deps.run[0]": 2, "user.uid": 3, "deps_image": 4, "deps.builder": 1} {
		if got := d.Range(path).Start.Line; got != line {
			t.Errorf("%s: line %d, want %d", path, got, line)
		}
	}
	if got := mustLoad(t, "", map[string]string{"BASE_IMAGE": "a"}).Range("base_image"); got != fileStart {
		t.Errorf("empty spec: %v", got)
	}
}

func TestRunArgs(t *testing.T) {
	d := mustLoad(t, `args: {B: "2 3", A: 1, C: 3}
extra_deps:
  run:
    - echo $B ${A:-x} ${#B} $HOME $CC
    - echo plain A
    - echo ${BASE_IMAGE}
`, map[string]string{"BASE_IMAGE": "x", "C": "4"})
	want := [][]string{{"A=1", "B=2 3"}, {}, {"BASE_IMAGE=x"}}
	for i := range want {
		if got := d.RunArgs(i); !slices.Equal(got, want[i]) {
			t.Errorf("run[%d]: got %q, want %q", i, got, want[i])
		}
	}
	if want := map[string]string{"A": "1", "B": "2 3", "C": "4", "BASE_IMAGE": "x"}; !reflect.DeepEqual(d.Args, want) {
		t.Errorf("args: got %v, want %v", d.Args, want)
	}
}

func TestPlatformArgs(t *testing.T) {
	platform := map[string]string{"TARGETARCH": "arm64", "TARGETVARIANT": "", "BUILDARCH": "amd64"}
	for _, tt := range []struct {
		yaml string
		want bool
	}{
		{"labels: {a: $BUILDARCH}\n", false},
		{"labels: {a: '${TARGETARCH}${TARGETVARIANT}-x'}\n", true},
		{"extra_deps: echo $TARGETARCH\n", true},
	} {
		d := mustLoad(t, base+tt.yaml, platform)
		if got := d.PerPlatform(); got != tt.want {
			t.Errorf("%s: got %t", tt.yaml, got)
		}
		if a := d.Spec.Labels["a"]; a != "" && a != "amd64" && a != "arm64-x" {
			t.Errorf("label is %q", a)
		}
		if len(d.Spec.ExtraDeps.Run) > 0 && !slices.Equal(d.RunArgs(0), []string{"TARGETARCH=arm64"}) {
			t.Errorf("the command gets %q", d.RunArgs(0))
		}
	}
}

func TestWarnings(t *testing.T) {
	args := map[string]string{
		"VERSOIN": "1", "STRANGE": "x", "BASE_IMAGE": "x", "DEPS_IMAGE": "y", "http_proxy": "p", "BUILDKIT_SYNTAX": "s",
		"SOURCE_DATE_EPOCH": "0", "TARGETARCH": "arm64", "VERSION": "2", "IN_ARG": "",
	}
	d := mustLoad(t, "args: {VERSION: 1, UNUSED: x, IN_RUN: y, IN_ARG: z, OVER: \"$IN_ARG\"}\n"+
		"base_image: debian:12\nlabels: {a: $VERSION$OVER}\nextra_deps: echo $IN_RUN\n", args)
	want := []string{
		`1:1: build arg "STRANGE" is not declared; add it to args or leave it out`,
		`1:1: build arg "VERSOIN" is not declared, did you mean "VERSION"?`,
		`1:28: arg "UNUSED" is declared but not used; use ${UNUSED} in a value or remove it`,
		`2:13: build arg "BASE_IMAGE" is not used: base_image is fixed; write base_image: ${BASE_IMAGE}`,
	}
	got := messages(t, &Error{Problems: d.Warnings})
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestErrorText(t *testing.T) {
	_, err := Load("my.yaml", []byte(base+"usr: a\nworking_dir: b\n"), nil)
	want := `my.yaml:2:1: unknown key "usr", did you mean "user"?
my.yaml:3:14: working_dir "b" must be an absolute path; use e.g. "/b"`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestExamplesLoad(t *testing.T) {
	names, err := filepath.Glob("../../examples/*/openhands.yaml")
	if err != nil || len(names) < 3 {
		t.Fatalf("found %d examples, error %v", len(names), err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		d, err := Load(name, data, map[string]string{"DEPS_IMAGE": "example.com/openhands-deps:1"})
		if err != nil {
			t.Error(err)
			continue
		}
		if len(d.Warnings) > 0 {
			t.Errorf("%s: warnings %v", name, d.Warnings)
		}
	}
}

func TestSchemaIsACopy(t *testing.T) {
	Schema()[0] = 'x'
	if Schema()[0] != '{' {
		t.Error("a caller changed the schema")
	}
}
