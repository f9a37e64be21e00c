package frontend

import (
	"testing"

	"github.com/moby/buildkit/solver/pb"
)

// No graph asks for an entitlement or for a device: a daemon may refuse all of
// them, and no client has to allow one.
func TestNoEntitlementIsAskedFor(t *testing.T) {
	const (
		base  = "base_image: debian:trixie-slim\n"
		extra = "extra_deps:\n  packages: [make]\n  run: ['cat /run/secrets/token', make]\n"
	)
	for name, s := range map[string]*stub{
		"tools":                 {spec: base + extra},
		"deps image":            {spec: base + extra + "deps_image: serverdeps:1\n"},
		"action server":         {spec: base + extra + "server: action-execution-server\n"},
		"action server, uv":     {spec: base + "server: action-execution-server\ndeps: {python: uv, browser: {provider: builder, version: \"1.55.0\"}}\n"},
		"agent server":          {spec: base + extra + "server: agent-server\ndeps: {acp: {agents: [claude-code, codex, gemini-cli]}}\n"},
		"requirements, mirrors": {spec: base + "deps: {python: {provider: builder, requirements: [rich==14.1.0]}}\nmirrors: {apt: \"https://mirror.example.com/apt\", pypi: \"https://mirror.example.com/pypi\", node: \"https://mirror.example.com/node\"}\n"},
	} {
		t.Run(name, func(t *testing.T) {
			s.images = registry()
			for _, target := range []string{"runtime", "deps", "check", lockTarget} {
				s.opts = map[string]string{"target": target}
				// A lock runs commands whose answers this gateway does not have.
				if _, err := run(t, s); err != nil && target != lockTarget {
					t.Fatalf("%s: %v", target, err)
				}
			}
			commands := 0
			for _, def := range s.all {
				for _, op := range opsOf(t, def) {
					if e := op.GetExec(); e != nil {
						commands++
						unprivileged(t, e)
					}
				}
			}
			if commands < 3 {
				t.Errorf("%d commands are in %d graphs, want one of each target at least", commands, len(s.all))
			}
		})
	}
}

func unprivileged(t *testing.T, e *pb.ExecOp) {
	t.Helper()
	if e.Security != pb.SecurityMode_SANDBOX {
		t.Errorf("%q wants the security mode %v", e.Meta.Args, e.Security)
	}
	if e.Network == pb.NetMode_HOST {
		t.Errorf("%q wants the host's network", e.Meta.Args)
	}
	if len(e.CdiDevices) > 0 {
		t.Errorf("%q wants the devices %v", e.Meta.Args, e.CdiDevices)
	}
	for _, m := range e.Mounts {
		if m.MountType == pb.MountType_SECRET && m.SecretOpt.GetMode()&0o077 != 0 {
			t.Errorf("%q has the secret %q with mode %o, which others may read", e.Meta.Args, m.SecretOpt.GetID(), m.SecretOpt.GetMode())
		}
	}
}
