package main

import (
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
)

func TestParseURIs(t *testing.T) {
	hash := strings.Repeat("0a", 32)
	list := "Reading package lists...\n" +
		"'http://example.com/pool/g/git_2.47.3-0%2bdeb13u1_amd64.deb' git_1%3a2.47.3-0+deb13u1_amd64.deb 8862 SHA256:" + hash + "\n" +
		"'http://example.com/pool/b/bash_5_amd64.deb' bash_5_amd64.deb 12 SHA256:" + hash + "\n"
	got, err := parseURIs(list)
	want := []deb{
		{name: "bash", uri: "http://example.com/pool/b/bash_5_amd64.deb", file: "bash_5_amd64.deb", size: 12, sha256: hash},
		{name: "git", uri: "http://example.com/pool/g/git_2.47.3-0%2bdeb13u1_amd64.deb", file: "git_1%3a2.47.3-0+deb13u1_amd64.deb", size: 8862, sha256: hash},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	for _, bad := range []string{
		"'http://example.com/a.deb' a.deb 12 MD5Sum:00",
		"'http://example.com/a.deb' ../a.deb 12 SHA256:" + hash,
	} {
		if _, err := parseURIs(bad); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

func TestExplainNames(t *testing.T) {
	err := explainNames(errors.New("exit status 100: E: Unable to locate package foo\n"+
		"E: Package 'awk' has no installation candidate\nE: Version '9' for 'bash' was not found"), "debian trixie")
	for _, name := range []string{"foo", "awk", "bash"} {
		want := `package "` + name + `" does not exist in the builder's distribution (debian trixie); correct deps.tools`
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if err := explainNames(errors.New("E: held broken packages"), "x"); !strings.Contains(err.Error(), "held broken packages") {
		t.Errorf("apt-get's own words are lost: %v", err)
	}
}

func TestCheckPackage(t *testing.T) {
	for _, name := range []string{"bash", "g++", "libstdc++6", "7zip", "git=1:2.47.3-0+deb13u1"} {
		if err := checkPackage(name); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{"", "-o", "Bash", "foo-", "foo/sid", "a b", "foo=", "x;y", "foo*"} {
		if checkPackage(name) == nil {
			t.Errorf("%q is accepted", name)
		}
	}
}

func TestReleaseName(t *testing.T) {
	for in, want := range map[string]string{
		"PRETTY_NAME=\"Debian\"\nID=debian\nVERSION_CODENAME=trixie\n": "debian trixie",
		"ID=\"ubuntu\"": "ubuntu",
		"":              "unknown",
	} {
		if got := releaseName(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestRunRefuses(t *testing.T) {
	for _, tt := range []struct{ args, want string }{
		{"", "usage: oh-seal"},
		{"frobnicate", `"frobnicate" is neither a command nor a path`},
		{"lib --out /x", "--arch is missing"},
		{"lib --arch s390x --out /x", `architecture "s390x" is not known: use amd64 or arm64`},
		{"lib --arch amd64", "--out is missing"},
		{"lib --arch amd64 --out /x bash", "lib takes no arguments"},
		{"tools --arch amd64 --out /x bash", "--lib is missing"},
		{"tools --arch amd64 --out /x --lib /y", "nothing to do"},
		{"tools --arch amd64 --out /x --lib /y --wat bash", "not defined: -wat"},
	} {
		err := run(t.Context(), strings.Fields(tt.args), io.Discard)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: got %v, want an error with %q", tt.args, err, tt.want)
		}
	}
}
