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

// withServer is what a spec with the server means.
func withServer() Spec {
	s := defaults()
	s.Server = Server{Name: "action-execution-server", Version: "0.62.0"}
	s.Deps.Tools = append(s.Deps.Tools, "coreutils", "findutils", "grep", "sed", "procps")
	s.Deps.Python.Provider, s.Deps.Browser.Provider = "builder", "playwright"
	s.Deps.VSCode.Version, s.Deps.Node.Version, s.Deps.UV = "1.109.5", "24.21.0", true
	return s
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
			s.DepsImage, s.Deps, s.Server = "example.com/deps@sha256:"+strings.Repeat("0", 64), Deps{}, Server{}
		}},
		{"deps image by build arg", base + "deps: {tools: [git]}\n", map[string]string{"DEPS_IMAGE": "deps"}, func(s *Spec) {
			s.DepsImage, s.Deps, s.Server = "deps", Deps{}, Server{}
		}},
		{"platforms", base + "platforms: [linux/x86_64, linux/arm64/v8]\n", nil, func(s *Spec) { s.Platforms = []string{"linux/amd64", "linux/arm64"} }},
		{"no tools", base + "deps: {tools: []}\n", nil, func(s *Spec) { s.Deps.Tools = []string{} }},
		{"server none", base + "server: none\n", nil, func(*Spec) {}},
		{"server none with deps image", base + "server: none\ndeps_image: deps\n", nil, func(s *Spec) { s.DepsImage, s.Deps = "deps", Deps{} }},
		{"server with deps image", base + "server: action-execution-server\ndeps_image: deps\n", nil, func(s *Spec) {
			s.DepsImage, s.Deps, s.Server = "deps", Deps{}, withServer().Server
		}},
		{"server and deps with deps image by build arg", base + "server: action-execution-server\ndeps: {tools: [git], python: none}\n", map[string]string{"DEPS_IMAGE": "deps"}, func(s *Spec) {
			s.DepsImage, s.Deps, s.Server = "deps", Deps{}, withServer().Server
		}},
		{"server", base + server, nil, func(s *Spec) { *s = withServer() }},
		{"agent-server", base + "server: agent-server\n", nil, func(s *Spec) {
			*s = withServer()
			s.Server = Server{Name: "agent-server", Version: "1.58.2"}
			s.Deps.Browser.Provider = "builder"
		}},
		{"agent-server version", base + "server: {name: agent-server, version: 1.50.0}\ndeps: {browser: {provider: playwright, version: 1.55.0}}\n", nil, func(s *Spec) {
			*s = withServer()
			s.Server = Server{Name: "agent-server", Version: "1.50.0"}
			s.Deps.Browser = Browser{Provider: "playwright", Version: "1.55.0"}
		}},
		{"server with tools", base + server + "deps: {tools: [bash, tmux, git]}\n", nil, func(s *Spec) {
			*s = withServer()
			s.Deps.Tools = []string{"bash", "tmux", "git"}
		}},
		{"server version", base + "server: {name: action-execution-server, version: 0.61.1}\n", nil, func(s *Spec) {
			*s = withServer()
			s.Server.Version = "0.61.1"
		}},
		{"server source", base + "server: {name: action-execution-server, source: .}\n", nil, func(s *Spec) {
			*s = withServer()
			s.Server = Server{Name: ServerActionExecution, Source: "."}
		}},
		{"server source by name", base + "args: {S: oh/main-1.2}\nserver: {name: action-execution-server, source: $S}\n", nil, func(s *Spec) {
			*s = withServer()
			s.Args, s.Server = map[string]string{"S": "oh/main-1.2"}, Server{Name: ServerActionExecution, Source: "oh/main-1.2"}
		}},
		{"server with other components", base + server + "deps: {python: uv, browser: builder, vscode: \"1.98.2\", node: \"22.1.0\", uv: false}\n", nil, func(s *Spec) {
			*s = withServer()
			s.Deps.Python.Provider, s.Deps.Browser.Provider = "uv", "builder"
			s.Deps.VSCode.Version, s.Deps.Node.Version, s.Deps.UV = "1.98.2", "22.1.0", false
		}},
		{"server without components", base + server + "deps: {browser: none, vscode: none, node: none, uv: false}\n", nil, func(s *Spec) {
			*s = withServer()
			s.Deps.Browser.Provider, s.Deps.VSCode.Version, s.Deps.Node.Version, s.Deps.UV = "none", "none", "none", false
		}},
		{"server with parts of components", base + server + "deps: {python: {requirements: [numpy]}, browser: {version: \"1.55.0\"}, node: {digests: {arm64: " + sum + "}}}\n", nil, func(s *Spec) {
			*s = withServer()
			s.Deps.Python.Requirements, s.Deps.Browser.Version = []string{"numpy"}, "1.55.0"
			s.Deps.Node.Digests = map[string]string{"arm64": sum}
		}},
		{"components", base + "deps: {python: builder, browser: {provider: playwright, version: \"1.55.0\"}, vscode: \"1.98.2\", node: \"24.21.0\", uv: true}\n", nil, func(s *Spec) {
			s.Deps.Python.Provider, s.Deps.Browser = "builder", Browser{Provider: "playwright", Version: "1.55.0"}
			s.Deps.VSCode.Version, s.Deps.Node.Version, s.Deps.UV = "1.98.2", "24.21.0", true
		}},
		{"no components", base + "deps: {python: none, browser: none, vscode: none, node: none, uv: false}\n", nil, func(s *Spec) {
			s.Deps.Python.Provider, s.Deps.Browser.Provider = "none", "none"
			s.Deps.VSCode.Version, s.Deps.Node.Version = "none", "none"
		}},
		{"components in full", base + "deps:\n  python: {provider: uv, version: 3.13.9+20251120, digests: {amd64: " + sum + "}, requirements: [\"numpy==2.3.4\", \"a[b] @ https://example.com/a.whl\"]}\n" +
			"  browser: {provider: builder}\n  vscode: {version: none}\n  node: {version: 22.1.0, digests: {amd64: " + sum + ", arm64: " + sum + "}}\n", nil, func(s *Spec) {
			s.Deps.Python = Python{Provider: "uv", Version: "3.13.9+20251120", Digests: map[string]string{"amd64": sum},
				Requirements: []string{"numpy==2.3.4", "a[b] @ https://example.com/a.whl"}}
			s.Deps.Browser.Provider, s.Deps.VSCode.Version = "builder", "none"
			s.Deps.Node = Component{Version: "22.1.0", Digests: map[string]string{"amd64": sum, "arm64": sum}}
		}},
		{"mirrors", base + "args: {M: m.example.com}\nmirrors: {pypi: \"https://$M/simple/\", conda: \"http://m:8080\", github: \"https://m/g\", playwright: \"https://m/p\", node: \"https://m/@n\"}\n", nil, func(s *Spec) {
			s.Args = map[string]string{"M": "m.example.com"}
			s.Mirrors = map[string]string{"pypi": "https://m.example.com/simple/", "conda": "http://m:8080", "github": "https://m/g", "playwright": "https://m/p", "node": "https://m/@n"}
		}},
		{"user at start", base + "user: {uid: 1001, create: start}\n", nil, func(s *Spec) { s.User = User{Name: "openhands", UID: id(1001), Create: "start"} }},
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
			data, err := Marshal(got.Spec)
			if err != nil {
				t.Fatal(err)
			}
			if again, err := Load("openhands.yaml", data, nil); err != nil || !reflect.DeepEqual(again.Spec, want) {
				t.Errorf("after Marshal: %v\n%s", err, data)
			}
		})
	}
}
