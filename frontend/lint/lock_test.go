package lint_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/linter"
	digest "github.com/opencontainers/go-digest"

	"github.com/openhands/llb-frontend/frontend/lint"
	"github.com/openhands/llb-frontend/frontend/lock"
	"github.com/openhands/llb-frontend/frontend/spec"
)

// What a lock pins needs no digest in the spec, and no lock is a finding of
// those who demand one.
func TestLockRules(t *testing.T) {
	doc, err := spec.Load("openhands.yaml", []byte("base_image: debian\nserver: {name: action-execution-server, version: 0.61.0}\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	dgst := digest.FromString("x")
	whole := lock.New()
	whole.Images["debian:latest"], whole.Images["debian:trixie-slim"] = dgst, dgst
	whole.Downloads["pypi/openhands-ai==0.61.0"] = dgst
	stale := []spec.Problem{{Message: "the lock lacks it", Range: doc.Range("server")}}
	for _, tt := range []struct {
		name string
		in   lint.Input
		want string
	}{
		{"no lock", lint.Input{LockCommand: "THE COMMAND"}, "LatestTag NoLock NotPinned UnverifiedDownload"},
		{"an empty one", lint.Input{Locks: true, Lock: lock.New()}, "LatestTag NotPinned UnverifiedDownload"},
		{"a whole one", lint.Input{Locks: true, Lock: whole}, ""},
		{"a stale one", lint.Input{Locks: true, Lock: whole, Stale: stale}, "StaleLock"},
	} {
		tt.in.Document, tt.in.IsContext = doc, func(string) bool { return false }
		found, err := lint.Run(tt.in, linter.Config{ExperimentalRules: []string{"NoLock", "NotPinned"}})
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, f := range found {
			names = append(names, f.Name)
			if f.Name == "NoLock" && !strings.Contains(f.Message, "THE COMMAND") {
				t.Errorf("%q does not say what to type", f.Message)
			}
		}
		slices.Sort(names)
		if got := strings.Join(slices.Compact(names), " "); got != tt.want {
			t.Errorf("%s: found %q, want %q", tt.name, got, tt.want)
		}
	}
}
