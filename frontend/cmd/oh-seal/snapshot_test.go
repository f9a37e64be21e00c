package main

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	digest "github.com/opencontainers/go-digest"
)

func TestPlainServices(t *testing.T) {
	got := plainServices("Acquire::Snapshots::URI \"\";\n" +
		"Acquire::Snapshots::URI::Host::deb.example.com \"https://snapshot.example.com/archive/@PATH@/@SNAPSHOTID@/\";\n" +
		"Acquire::Snapshots::URI::Origin::X \"http://plain.example.com/\";\nAcquire::Changelogs::URI::Origin::X \"https://c/\";\n")
	want := []string{"Acquire::Snapshots::URI::Host::deb.example.com=http://snapshot.example.com/archive/@PATH@/@SNAPSHOTID@/"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A builder without certificates asks the service without TLS, unless the client
// has given some.
func TestUseSnapshot(t *testing.T) {
	dir := t.TempDir()
	config := "#!/bin/sh\necho 'Acquire::Snapshots::URI::Origin::X \"https://s/@SNAPSHOTID@\";'\n"
	if err := os.WriteFile(filepath.Join(dir, "apt-config"), []byte(config), 0o755); err != nil {
		t.Fatal(err)
	}
	const ca, own = "Acquire::https::CAInfo=/ca.pem", "Acquire::Snapshots::URI::Origin::X=http://s/@SNAPSHOTID@"
	missing, there := filepath.Join(dir, "none"), filepath.Join(dir, "apt-config")
	for _, tt := range []struct {
		options          []string
		mirror, snapshot string
		bundle           string
		updates          int
		plain            bool
	}{
		{nil, "", "", missing, 1, false},
		{nil, "https://m/20260101T000000Z", "20260101T000000Z", missing, 1, false},
		{nil, "", "20260101T000000Z", there, 2, false},
		{[]string{ca}, "", "20260101T000000Z", missing, 2, false},
		{nil, "", "20260101T000000Z", missing, 2, true},
	} {
		a := &apt{path: filepath.Join(dir, "apt-get")}
		a.add(tt.options...)
		updates, err := a.useSnapshot(t.Context(), tt.mirror, tt.snapshot, tt.bundle)
		if plain := slices.Contains(a.options, own); err != nil || updates != tt.updates || plain != tt.plain {
			t.Errorf("%+v: %d updates, without TLS %t, %v", tt, updates, plain, err)
		}
	}
}

// A mirror of snapshots has the time behind an archive's path.
func TestMirroredByPath(t *testing.T) {
	const sources = "# deb http://a/debian x\ndeb [arch=amd64] http://a/debian/ trixie main\nURIs: https://b:1/debian-security  http://c/x/y\n"
	got := mirrored(sources, "https://m/archive/@PATH@/20260101T000000Z")
	want := "# deb http://a/debian x\ndeb [arch=amd64] https://m/archive/debian/20260101T000000Z/ trixie main\n" +
		"URIs: https://m/archive/debian-security/20260101T000000Z  https://m/archive/x/y/20260101T000000Z\n"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestOfSnapshot(t *testing.T) {
	debs := []deb{{uri: "http://m/debian/20260101T000000Z/pool/a.deb"}, {uri: "http://a/debian/pool/b.deb"}}
	if err := ofSnapshot(debs, ""); err != nil {
		t.Error(err)
	}
	if err := ofSnapshot(debs[:1], "20260101T000000Z"); err != nil {
		t.Error(err)
	}
	err := ofSnapshot(debs, "20260101T000000Z")
	if !errors.As(err, new(*todaysError)) || !strings.Contains(err.Error(), "http://a/debian/pool/b.deb") {
		t.Errorf("got %v", err)
	}
	for err, want := range map[error]string{
		err: "its apt takes no packages of a time",
		errors.New("E: Failed to fetch http://x/20260101T000000Z/InRelease"):              "cannot be reached",
		explainNames(errors.New("E: Unable to locate package libc6"), "debian trixie"):    "cannot be reached",
		errors.New("builder image has no apt-get: deps.builder must be a Debian or such"): "cannot be run",
	} {
		if got := whyNoSnapshot(err, "20260101T000000Z"); !strings.Contains(got, want) || strings.Contains(got, "http:") {
			t.Errorf("%v is %q, want %q", err, got, want)
		}
	}
}

func TestDigest(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "file") }))
	defer s.Close()
	opt, err := parseOptions([]string{"digest", "--out", filepath.Join(t.TempDir(), "digest"), s.URL})
	if err != nil {
		t.Fatal(err)
	}
	if err := download(t.Context(), handedOver(t, nil), opt, pause, t.Logf); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(opt.out)
	if err != nil || string(got) != digest.FromString("file").String() {
		t.Errorf("the digest is %s, %v", got, err)
	}
	if info, err := os.Stat(opt.out); err != nil || !info.ModTime().Equal(time.Unix(0, 0)) {
		t.Errorf("the file is of %v, %v", info.ModTime(), err)
	}
}
