package deps

import (
	"slices"
	"strings"
	"testing"

	"github.com/openhands/llb-frontend/llb/secret"
)

// Every command that fetches something may see every secret, and has a tmpfs for
// what it makes of them. None of them must be given.
func TestEveryStageHasTheSecrets(t *testing.T) {
	for _, in := range inputs() {
		in.Proxied = true
		def, _ := definition(t, in)
		for _, op := range ops(t, def) {
			exec := op.GetExec()
			if exec == nil {
				continue
			}
			var got []string
			tmpfs := false
			for _, m := range exec.Mounts {
				if m.SecretOpt != nil {
					if !m.SecretOpt.Optional {
						t.Errorf("%q: the secret %s must be given", exec.Meta.Args, m.SecretOpt.ID)
					}
					got = append(got, m.SecretOpt.ID+" "+m.Dest)
				}
				tmpfs = tmpfs || m.Dest == secret.Private && m.TmpfsOpt != nil
			}
			var want []string
			for _, s := range secret.All() {
				want = append(want, s.ID+" "+s.Path())
			}
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) || !tmpfs {
				t.Errorf("%q has the secrets %q and a tmpfs: %t, want %q", exec.Meta.Args, got, tmpfs, want)
			}
		}
	}
}

// The daemon downloads what comes from its makers; what comes from a mirror or
// through the client's proxy is a command's business.
func TestWhoDownloads(t *testing.T) {
	for _, tt := range []struct {
		name        string
		mirrors     map[string]string
		proxied     bool
		byDaemon    int
		byOurselves []string
	}{
		{"makers", nil, false, 2, nil},
		{"proxy", nil, true, 0, []string{nodeAddress, githubAddress}},
		{"one mirror", map[string]string{"node": "https://m/node"}, false, 1, []string{"https://m/node"}},
		{"other mirrors", map[string]string{"pypi": "https://m/pypi"}, false, 2, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := graphInput("amd64", everything("builder", "builder"), server)
			in.Mirrors, in.Proxied = tt.mirrors, tt.proxied
			def, _ := definition(t, in)
			byDaemon := 0
			var byOurselves []string
			for _, op := range ops(t, def) {
				if strings.HasPrefix(op.GetSource().GetIdentifier(), "http") {
					byDaemon++
				}
				if args := op.GetExec().GetMeta().GetArgs(); len(args) > 1 && args[1] == "fetch" {
					byOurselves = append(byOurselves, args[len(args)-1])
				}
			}
			if byDaemon != tt.byDaemon {
				t.Errorf("the daemon downloads %d files, want %d", byDaemon, tt.byDaemon)
			}
			for _, prefix := range tt.byOurselves {
				if !slices.ContainsFunc(byOurselves, func(a string) bool { return strings.HasPrefix(a, prefix+"/") }) {
					t.Errorf("nothing of %s among %q", prefix, byOurselves)
				}
			}
			if len(byOurselves) != len(tt.byOurselves) {
				t.Errorf("downloaded are %q, want those of %q", byOurselves, tt.byOurselves)
			}
		})
	}
}
