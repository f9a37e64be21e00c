package integration

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// What people see when something is wrong: the message, and the spec's own
// line with a mark.
func TestMistakes(t *testing.T) {
	deps := prebuilt(t)
	locked := lockedRegistry(t)
	for _, tt := range []struct {
		name, yaml string
		args       []string
		want       []string
	}{
		{"three at once", "base_image: debian:trixie-slim\nplatfroms: [linux/amd64]\nuser: 'a:b'\nworking_dir: here\n", nil, []string{
			`openhands.yaml:3:1: unknown key "platfroms", did you mean "platforms"?`,
			"openhands.yaml:4:7: ", "openhands.yaml:5:14: ",
			">>> platfroms", ">>> user", ">>> working_dir",
		}},
		{"failing run line", "base_image: debian:trixie-slim\ndeps_image: " + deps + "\nextra_deps:\n  run:\n    - echo fine\n    - ls /nowhere\n", nil, []string{
			">>>     - ls /nowhere", "exit code: 2", "/nowhere': No such file",
		}},
		{"no such base", "base_image: debian:nosuch\n", nil, []string{">>> base_image: debian:nosuch", "does not exist: check name and tag"}},
		{"no such platform", "base_image: node:22-slim\ndeps_image: " + deps + "\n", []string{"--platform=linux/arm64"}, []string{">>> base_image: node:22-slim", "linux/arm64"}},
		{"needs a login", "base_image: " + locked + "/private:1\n", nil, []string{">>> base_image: " + locked, "docker login"}},
		{"unknown package", "base_image: debian:trixie-slim\ndeps_image: " + deps + "\nextra_deps:\n  packages: [no-such-package]\n", nil, []string{">>>   packages: [no-such-package]", "Unable to locate package no-such-package"}},
		{"home below a file", "base_image: debian:trixie-slim\ndeps_image: " + deps + "\nuser:\n  name: dev\n  home: /etc/passwd/dev\n", nil, []string{">>>   home: /etc/passwd/dev", "openhands.yaml:6:9", "not a directory"}},
		{"deps image without /openhands", "base_image: debian:trixie-slim\ndeps_image: alpine:3.22\n", nil, []string{">>> deps_image: alpine:3.22", "has no /openhands", "--target deps"}},
		{"builder that is not Debian-like", "base_image: debian:trixie-slim\ndeps:\n  builder: alpine:3.22\n", nil, []string{">>>   builder: alpine:3.22", "deps.builder must be a Debian or Ubuntu image"}},
		{"unknown package in deps", "base_image: debian:trixie-slim\ndeps:\n  tools: [bash, no-such-tool]\n", nil, []string{">>>   tools:", `"no-such-tool"`}},
		{"user name with a newline", "base_image: debian:trixie-slim\nuser: \"a\\nb\"\n", nil, []string{`>>> user: "a\nb"`, "openhands.yaml:3:7"}},
		{"uid conflict", "base_image: node:22-slim\ndeps_image: " + deps + "\nuser:\n  name: node\n  uid: 1001\n", nil, []string{">>>   uid: 1001", "1000", "1001"}},
		{"unknown target", "base_image: debian:trixie-slim\n", []string{"--target=runtme"}, []string{`unknown target "runtme"`, "did you mean runtime?"}},
		{"no package manager", "base_image: alpine:3.22\ndeps_image: " + deps + "\nextra_deps:\n  packages: [curl]\n", nil, []string{">>>   packages: [curl]", "deps.tools"}},
		{"token in an address", "base_image: debian:trixie-slim\nmirrors:\n  apt: https://mirror.example.com/?token=hunter2\n", nil, []string{">>>   apt: https", "--secret id=netrc"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			log := buildFails(t, tt.yaml, tt.args...)
			contains(t, log, tt.want...)
			if strings.Contains(log, "panic") {
				t.Errorf("panic in\n%s", log)
			}
		})
	}
}

// lockedRegistry is a registry that wants a password of everybody.
func lockedRegistry(t *testing.T) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("WWW-Authenticate", `Basic realm="locked"`)
		http.Error(w, "unauthorized", http.StatusUnauthorized)
	}))
	t.Cleanup(srv.Close)
	return strings.TrimPrefix(srv.URL, "http://")
}
