package spec

import (
	"reflect"
	"strings"
	"testing"
)

// defaults is what the two-line spec means.
func defaults() Spec {
	return Spec{
		BaseImage:  "debian:trixie-slim",
		Server:     Server{Name: "none"},
		Deps:       Deps{Builder: "debian:trixie-slim", Tools: []string{"bash", "tmux", "git", "jq", "ripgrep"}},
		User:       User{Name: "openhands", Create: "build"},
		WorkingDir: "/workspace",
	}
}

func TestLoadValues(t *testing.T) {
	tests := []struct {
		name string
		yaml string
		args map[string]string
		want func(*Spec)
	}{
		{"two lines", "# syntax=x\n" + base, nil, func(*Spec) {}},
		{"byte order mark and line ends", "\ufeff" + strings.ReplaceAll(base+"user: root\n", "\n", "\r\n"), nil, func(s *Spec) { s.User.Name = "root" }},
		{"base by build arg", "# syntax=x\n", map[string]string{"BASE_IMAGE": "alpine"}, func(s *Spec) { s.BaseImage = "alpine" }},
		{"base by declared arg", "args: {BASE_IMAGE: alpine}\n", nil, func(s *Spec) {
			s.Args, s.BaseImage = map[string]string{"BASE_IMAGE": "alpine"}, "alpine"
		}},
		{"deps image leaves no deps", base + "deps_image: example.com/deps@sha256:" + strings.Repeat("0", 64) + "\n", nil, func(s *Spec) {
			s.DepsImage, s.Deps = "example.com/deps@sha256:"+strings.Repeat("0", 64), Deps{}
		}},
		{"deps image by build arg", base + "deps: {tools: [git]}\n", map[string]string{"DEPS_IMAGE": "deps"}, func(s *Spec) { s.DepsImage, s.Deps = "deps", Deps{} }},
		{"platforms", base + "platforms: [linux/x86_64, linux/arm64/v8]\n", nil, func(s *Spec) { s.Platforms = []string{"linux/amd64", "linux/arm64"} }},
		{"no tools", base + "deps: {tools: []}\n", nil, func(s *Spec) { s.Deps.Tools = []string{} }},
		{"server", base + "server: none\n", nil, func(*Spec) {}},
		{"extra deps command", base + "extra_deps: echo $HOME\n", nil, func(s *Spec) { s.ExtraDeps.Run = []string{"echo $HOME"} }},
		{"run command", base + "extra_deps: {run: \"a ${b%%c}\"}\n", nil, func(s *Spec) { s.ExtraDeps.Run = []string{"a ${b%%c}"} }},
		{"user root", base + "user: root\n", nil, func(s *Spec) { s.User = User{Name: "root", Create: "build"} }},
		{"user number", base + "user: 1000\n", nil, func(s *Spec) { s.User = User{UID: id(1000), Create: "build"} }},
		{"user numbers", base + "user: 1000:0\n", nil, func(s *Spec) { s.User = User{UID: id(1000), GID: id(0), Create: "build"} }},
		{"user uid", base + "user: {uid: 1000}\n", nil, func(s *Spec) { s.User.UID = id(1000) }},
		{"user", base + "user: {name: dev, uid: 0123, gid: 5}\n", nil, nil},
		{"user full", base + "user: {name: dev$, uid: 1, gid: 5, home: /home/dev, shell: /bin/sh, sudo: true, create: build}\n", nil, func(s *Spec) {
			s.User = User{Name: "dev$", UID: id(1), GID: id(5), Home: "/home/dev", Shell: "/bin/sh", Sudo: true, Create: "build"}
		}},
		{"empty lists", base + "entrypoint: []\ncommand: []\n", nil, func(s *Spec) { s.Entrypoint, s.Command = []string{}, []string{} }},
		{"empty argument", base + "command: [a, \"\"]\n", nil, func(s *Spec) { s.Command = []string{"a", ""} }},
		{"literal scalars", base + "environment: {A: 1.50, B: yes, C: true, D: \"\", E: 2024-01-02}\nlabels: {1: 0x10}\n", nil, func(s *Spec) {
			s.Environment = map[string]string{"A": "1.50", "B": "yes", "C": "true", "D": "", "E": "2024-01-02"}
			s.Labels = map[string]string{"1": "0x10"}
		}},
		{"multi-line value", base + "environment:\n  A: |\n    x\n    y\n", nil, func(s *Spec) { s.Environment = map[string]string{"A": "x\ny\n"} }},
		{"substitution", "args: {V: 12, W: \"${V}-slim\", N: }\nbase_image: debian:$W\nlabels: {a: \"${N:-x}${N:+y}\", b: \"\\\\$V ${Q:-\", c: 'C:\\x \"'}\n",
			map[string]string{"N": ""}, nil},
		{"substitution forms", "args: {V: 12, W: \"${V}-slim\", N: }\nbase_image: debian:$W\nlabels: {a: \"${N:-x}${V:+y}\", b: '\\$V \"$V\"', c: 'C:\\x'}\nuser: {uid: $V}\n",
			map[string]string{"N": ""}, func(s *Spec) {
				s.Args = map[string]string{"V": "12", "W": "12-slim", "N": ""}
				s.BaseImage = "debian:12-slim"
				s.Labels = map[string]string{"a": "xy", "b": `$V "12"`, "c": `C:\x`}
				s.User.UID = id(12)
			}},
		{"build arg over default", "args: {V: 12}\nbase_image: debian:$V\n", map[string]string{"V": "13"}, func(s *Spec) {
			s.Args, s.BaseImage = map[string]string{"V": "13"}, "debian:13"
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Load("openhands.yaml", []byte(tt.yaml), tt.args)
			if tt.want == nil {
				if err == nil {
					t.Fatal("loaded, want an error")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			want := defaults()
			tt.want(&want)
			if !reflect.DeepEqual(got.Spec, want) {
				t.Errorf("got\n%+v\nwant\n%+v", got.Spec, want)
			}
		})
	}
}
