package frontend

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/subrequests/outline"
)

// What a person sees who has the spec alone.
func TestOutline(t *testing.T) {
	const server = "base_image: debian\nserver: action-execution-server\n"
	for _, tt := range []struct {
		name, spec, target string
		secrets            []string
	}{
		{"tools", "base_image: debian\n", "", []string{"ca", "netrc", "apt"}},
		{"server", server, "check", []string{"ca", "netrc", "pip", "apt"}},
		{"agents of ACP", "base_image: debian\nserver: agent-server\ndeps: {acp: codex}\n", "", []string{"ca", "netrc", "pip", "npm", "apt"}},
		{"deps image", "base_image: debian\ndeps_image: deps:1\n", "", nil},
		{"packages", "base_image: debian\ndeps_image: deps:1\nextra_deps: {packages: [a]}\n", "", []string{"ca", "netrc", "apt"}},
		{"commands", "base_image: debian\ndeps_image: deps:1\nextra_deps: {run: [a]}\n", "", []string{"ca", "netrc", "pip", "npm", "apt"}},
		{"commands do not reach the deps image", server + "extra_deps: {run: [a]}\n", "deps", []string{"ca", "netrc", "pip", "apt"}},
		{"a secret of the commands' own", "base_image: debian\ndeps_image: deps:1\nextra_deps: {run: [cat /run/secrets/token, cat /run/secrets/token]}\n", "",
			[]string{"ca", "netrc", "pip", "npm", "apt", "token"}},
		{"no base yet", "", "", []string{"ca", "netrc", "apt"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res, err := run(t, &stub{spec: tt.spec, opts: map[string]string{"requestid": "frontend.outline", "target": tt.target}})
			if err != nil {
				t.Fatal(err)
			}
			var o outline.Outline
			if err := json.Unmarshal(res.Metadata["result.json"], &o); err != nil {
				t.Fatal(err)
			}
			var secrets []string
			for _, s := range o.Secrets {
				secrets = append(secrets, s.Name)
			}
			if !slices.Equal(secrets, tt.secrets) {
				t.Errorf("secrets %q, want %q", secrets, tt.secrets)
			}
			if ssh := strings.Contains(tt.spec, "run:") && tt.target != "deps"; ssh != (len(o.SSH) > 0) {
				t.Errorf("SSH agents %v", o.SSH)
			}
			if o.Name != cmp.Or(tt.target, "runtime") || o.Description == "" {
				t.Errorf("outline of %q: %q", o.Name, o.Description)
			}
		})
	}
}
