package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/openhands/llb-frontend/llb/secret"
)

func TestPrepareSecrets(t *testing.T) {
	for _, tt := range []struct {
		name    string
		secrets map[string]string
		env     map[string]string
		// variables and files hold what is wanted, PRIVATE and SECRETS stand for
		// the directories.
		variables, files map[string]string
	}{
		{name: "none"},
		{
			name:    "ca",
			secrets: map[string]string{secret.CA: "private\n"},
			variables: map[string]string{
				"SSL_CERT_FILE": "PRIVATE/ca.pem", "PIP_CERT": "PRIVATE/ca.pem", "NODE_EXTRA_CA_CERTS": "PRIVATE/ca.pem",
				"NPM_CONFIG_CAFILE": "PRIVATE/ca.pem", "GIT_SSL_CAINFO": "PRIVATE/ca.pem", "MAMBA_SSL_VERIFY": "PRIVATE/ca.pem",
				"REQUESTS_CA_BUNDLE": "PRIVATE/ca.pem", "CURL_CA_BUNDLE": "PRIVATE/ca.pem",
			},
			files: map[string]string{"ca.pem": "public\nprivate\n"},
		},
		{
			name:      "netrc",
			secrets:   map[string]string{secret.Netrc: "machine m login me password it's\n"},
			env:       map[string]string{"NPM_CONFIG_REGISTRY": "https://m:8443/npm"},
			variables: map[string]string{"NETRC": "SECRETS/netrc", "NPM_CONFIG_USERCONFIG": "PRIVATE/npmrc"},
			files: map[string]string{
				"npmrc":       "\n//m:8443/:_auth=bWU6aXQncw==\n",
				"logins.json": `{"m":"Basic bWU6aXQncw=="}`,
			},
		},
		{
			name:      "npm's own password",
			secrets:   map[string]string{secret.Netrc: "machine m login me password p\n", secret.NPM: "//m/npm/:_authToken=t\n"},
			env:       map[string]string{"NPM_CONFIG_REGISTRY": "https://m/npm"},
			variables: map[string]string{"NETRC": "SECRETS/netrc", "NPM_CONFIG_USERCONFIG": "PRIVATE/npmrc"},
			files:     map[string]string{"npmrc": "//m/npm/:_authToken=t\n"},
		},
		{
			name:    "pip",
			secrets: map[string]string{secret.Pip: "[global]\nindex-url = https://me:it's@m/simple\nextra-index-url =\n  https://a/simple\n  https://b/simple\ntimeout = 9\n"},
			variables: map[string]string{
				"PIP_CONFIG_FILE": "SECRETS/pip", "UV_DEFAULT_INDEX": "https://me:it's@m/simple", "UV_INDEX": "https://a/simple https://b/simple",
			},
		},
		{
			name:      "pip and a mirror",
			secrets:   map[string]string{secret.Pip: "[global]\nindex-url=https://m/simple\n"},
			env:       map[string]string{"UV_DEFAULT_INDEX": "https://mirror/simple"},
			variables: map[string]string{"PIP_CONFIG_FILE": "SECRETS/pip"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := handedOver(t, tt.secrets)
			h.bundles = []string{filepath.Join(h.secrets, "missing"), filepath.Join(t.TempDir(), "public")}
			if err := os.WriteFile(h.bundles[1], []byte("public\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			if err := prepareSecrets(h, func(name string) string { return tt.env[name] }); err != nil {
				t.Fatal(err)
			}
			places := strings.NewReplacer("PRIVATE", h.private, "SECRETS", h.secrets)
			got := variables(t, filepath.Join(h.private, "env"))
			for name, value := range tt.variables {
				if got[name] != places.Replace(value) {
					t.Errorf("%s is %q, want %q", name, got[name], value)
				}
				delete(got, name)
			}
			if len(got) > 0 {
				t.Errorf("further variables %q", got)
			}
			for name, want := range tt.files {
				if b, err := os.ReadFile(filepath.Join(h.private, name)); err != nil || string(b) != want {
					t.Errorf("%s is %q, %v, want %q", name, b, err, want)
				}
			}
		})
	}
}

// variables are those that a shell has after it has read a file.
func variables(t *testing.T, file string) map[string]string {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", `. "$1" && /usr/bin/env -0`, "sh", file)
	cmd.Env = []string{"NONE="}
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, kv := range strings.Split(strings.TrimRight(string(out), "\x00"), "\x00") {
		name, value, _ := strings.Cut(kv, "=")
		if name != "NONE" && name != "PWD" && name != "_" && name != "OLDPWD" && name != "SHLVL" {
			got[name] = value
		}
	}
	return got
}

func TestAptOptions(t *testing.T) {
	etc, work := t.TempDir()+"/", t.TempDir()
	for name, content := range map[string]string{
		"sources.list": "# deb http://old.example/debian trixie main\ndeb [signed-by=/k.gpg] http://me:it@a.example:80/debian trixie main\n",
		"sources.list.d/debian.sources": "Types: deb\nURIs: https://a.example/debian http://b.example/debian-security\n" +
			"Signed-By: /usr/share/keyrings/debian.gpg\n",
		"auth.conf.d/own.conf": "machine own\n",
	} {
		if err := os.MkdirAll(filepath.Dir(etc+name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(etc+name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	h := handedOver(t, map[string]string{secret.CA: "private\n", secret.Apt: "machine a\n", secret.Netrc: "machine b\n"})
	// Twice: a stage fetches packages more than once.
	for range 2 {
		options, err := h.aptOptions(etc, "https://mirror.example.com/deb/", work)
		if err != nil {
			t.Fatal(err)
		}
		want := "Acquire::https::CAInfo=" + h.private + "/ca.pem Dir::Etc::netrcparts=" + h.private + "/auth.conf.d " +
			"Dir::Etc::sourcelist=" + work + "/sources/sources.list Dir::Etc::sourceparts=" + work + "/sources/sources.list.d"
		if got := strings.Join(options, " "); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	for name, want := range map[string]string{
		work + "/sources/sources.list": "# deb http://old.example/debian trixie main\ndeb [signed-by=/k.gpg] https://mirror.example.com/deb/debian trixie main\n",
		work + "/sources/sources.list.d/debian.sources": "Types: deb\nURIs: https://mirror.example.com/deb/debian https://mirror.example.com/deb/debian-security\n" +
			"Signed-By: /usr/share/keyrings/debian.gpg\n",
		h.private + "/auth.conf.d/apt.conf":              "machine a\n",
		h.private + "/auth.conf.d/netrc.conf":            "machine b\n",
		h.private + "/auth.conf.d/builder-own.conf":      "machine own\n",
		filepath.Join(h.private, "auth.conf.d/apt.conf"): "machine a\n",
	} {
		if b, err := os.ReadFile(name); err != nil || string(b) != want {
			t.Errorf("%s is %q, %v, want %q", name, b, err, want)
		}
	}
	if options, err := handedOver(t, nil).aptOptions(etc, "", work); err != nil || len(options) > 0 {
		t.Errorf("with nothing handed over: %q, %v", options, err)
	}
	if _, err := h.aptOptions(t.TempDir(), "https://m", t.TempDir()); err == nil || !strings.Contains(err.Error(), "it has none") {
		t.Errorf("without sources: %v", err)
	}
}
