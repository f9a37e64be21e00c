package spec

import (
	"reflect"
	"testing"
)

func TestMarshal(t *testing.T) {
	spec := mustLoad(t, base+"labels: {b: '\\$x', a: \" y\\n\", d: 'C:\\z'}\nuser: 1:2\ncommand: []\nextra_deps: echo $x\n", nil).Spec
	got, err := Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	want := `base_image: debian:trixie-slim
server:
  name: none
deps:
  builder: debian:trixie-slim
  tools:
    - bash
    - tmux
    - git
    - jq
    - ripgrep
  uv: false
extra_deps:
  run:
    - echo $x
user: 1:2
working_dir: /workspace
command: []
labels:
  a: " y\n"
  b: \$x
  d: C:\z
`
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestMarshalKeepsEveryText(t *testing.T) {
	for _, text := range []string{
		"", " ", "a ", "\ta", "a\tb", "\n", "\n a", "a\n\n", " a\nb", "a\u2028b", "a\u2029b", "a\u00a0b", "\U0001f600", "\ufffe", "\u00ad",
		"null", "~", "true", "yes", "1", "0x1", "1.5", "2024-01-01", "1:2", "<<", "=", "-", "- a", "?", "a: b", "a #b", "#", "&a", "*a", "!a", "|", ">",
		"'", `"`, `\`, `\n`, `a\b$c`, "$", "$$", "${", "${A}", "${A:-\\}}", "<<\t$x", "$a\\", "%", "@", "`", "[", "{}", "\u200b$",
	} {
		want := defaults()
		want.Labels = map[string]string{"text": text}
		want.Environment = map[string]string{"TEXT": text}
		want.Command = []string{"printf", text}
		data, err := Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Load("openhands.yaml", data, nil)
		switch {
		case err != nil:
			t.Errorf("%q: %v\n%s", text, err, data)
		case !reflect.DeepEqual(got.Spec, want):
			t.Errorf("%q: got %q\n%s", text, got.Spec.Labels["text"], data)
		}
	}
}
