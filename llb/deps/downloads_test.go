package deps

import (
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/client/llb"
	digest "github.com/opencontainers/go-digest"

	"github.com/openhands/llb-frontend/frontend/spec"
	"github.com/openhands/llb-frontend/llb/llbtest"
)

// listed are the names of a build's downloads, with "?" behind those whose
// digest is not known.
func listed(t *testing.T, in Input) (names []string, list []Download) {
	t.Helper()
	list, err := Downloads(in)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range list {
		name := d.Name
		if d.Digest == "" {
			name += "?"
		}
		names = append(names, name)
	}
	return names, list
}

func TestDownloads(t *testing.T) {
	other := everything("uv", "playwright")
	other.Node = spec.Component{Version: "1.2.3"}
	other.ACP = spec.ACP{}
	for _, tt := range []struct {
		name string
		in   Input
		want []string
	}{
		{"tools alone", graphInput("amd64", spec.Deps{Tools: []string{"bash"}}, spec.Server{}), nil},
		{"for arm64 on amd64", graphInput("arm64", other, server), []string{
			"github/astral-sh/python-build-standalone/releases/download/20261021/cpython-3.13.17+20261021-aarch64-unknown-linux-gnu-install_only_stripped.tar.gz",
			"github/astral-sh/python-build-standalone/releases/download/20261021/cpython-3.13.17+20261021-x86_64-unknown-linux-gnu-install_only_stripped.tar.gz",
			"pypi/openhands-ai==0.62.0",
			"node/v1.2.3/node-v1.2.3-linux-arm64.tar.gz?",
			"playwright/chromium-headless-shell/openhands-ai-0.62.0/arm64?",
			"github/gitpod-io/openvscode-server/releases/download/openvscode-server-v1.109.5/openvscode-server-v1.109.5-linux-arm64.tar.gz",
		}},
		{"another agent-server", graphInput("amd64", spec.Deps{Python: spec.Python{Provider: spec.ProviderBuilder}}, spec.Server{Name: spec.ServerAgent, Version: "1.0.0"}), []string{
			"pypi/openhands-sdk==1.0.0?", "pypi/openhands-tools==1.0.0?", "pypi/openhands-workspace==1.0.0?", "pypi/openhands-agent-server==1.0.0?",
		}},
		{"micromamba", graphInput("amd64", everything("micromamba", "builder"), spec.Server{}), []string{
			"github/mamba-org/micromamba-releases/releases/download/" + micromambaVersion + "/micromamba-linux-64",
			"node/v24.21.0/node-v24.21.0-linux-x64.tar.gz",
			"github/gitpod-io/openvscode-server/releases/download/openvscode-server-v1.109.5/openvscode-server-v1.109.5-linux-x64.tar.gz",
		}},
	} {
		if got, _ := listed(t, tt.in); !sameNames(got, tt.want) {
			t.Errorf("%s downloads\n%s\nwant\n%s", tt.name, strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
		}
	}
}

func sameNames(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// A lock's digest is taken before the frontend's own, and makes a release known
// that is not; the spec's own digest wins over both.
func TestLockedDigests(t *testing.T) {
	locked := digest.FromString("locked")
	in := graphInput("amd64", everything("uv", "playwright"), spec.Server{Name: spec.ServerActionExecution, Version: "0.1.0"})
	in.Spec.Node = spec.Component{Version: "1.2.3"}
	in.Spec.VSCode.Digests = sums
	in.Locked = func(string) digest.Digest { return locked }
	def, _ := definition(t, in)
	text := llbtest.Render(t, def)
	for name, want := range map[string]int{
		"env REQUIREMENT=openhands-ai==0.1.0 --hash=" + locked.String(): 1,
		"env DIGEST=" + locked.String():                                 1,
		"http.checksum=" + sum:                                          1,
		"http.checksum=" + locked.String():                              3,
	} {
		if got := strings.Count(text, name); got != want {
			t.Errorf("%s stands %d times in the graph, want %d\n%s", name, got, want, grep(text, "checksum", "DIGEST", "REQUIREMENT"))
		}
	}
}

func grep(text string, words ...string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		if slices.ContainsFunc(words, func(w string) bool { return strings.Contains(line, w) }) {
			out.WriteString(line)
		}
	}
	return out.String()
}

// What is looked up is fetched as a stage would, by the spec's mirrors, and anew:
// a file that has changed gives another digest when the lock is written again.
func TestMeasure(t *testing.T) {
	in := graphInput("amd64", everything("uv", "playwright"), spec.Server{Name: spec.ServerActionExecution, Version: "0.1.0"})
	in.Spec.Node = spec.Component{Version: "1.2.3"}
	in.Mirrors = map[string]string{"node": "https://n/", "pypi": "https://p/simple"}
	_, list := listed(t, in)
	var text string
	for _, d := range list {
		if d.Digest != "" {
			continue
		}
		st, err := d.Measure(in)
		if err != nil {
			t.Fatal(err)
		}
		def := llbtest.Marshal(t, st, llb.LinuxAmd64)
		text += llbtest.Render(t, def)
		var anew []string
		for _, md := range def.Metadata {
			if md.IgnoreCache {
				anew = append(anew, md.Description["llb.customname"])
			}
		}
		if len(anew) != 1 || !strings.Contains(anew[0], "look up the digest of ") {
			t.Errorf("%s: run each time are %q, want what looks it up", d.Name, anew)
		}
	}
	for _, want := range []string{
		`"digest" "--out" "/run/openhands/out/digest" "https://n/v1.2.3/node-v1.2.3-linux-x64.tar.gz"]`,
		"package-digest.sh", "env SOURCE=openhands-ai", "env REQUIREMENT=openhands-ai==0.1.0", "env PIP_INDEX_URL=https://p/simple",
		"env LOOK_UP=1",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("what is looked up lacks %s\n%s", want, grep(text, "exec", "env"))
		}
	}
}

func TestApt(t *testing.T) {
	const own = "https://m/archive/@PATH@/@SNAPSHOTID@"
	for _, tt := range []struct {
		name     string
		mirrors  map[string]string
		snapshot string
		want     string
	}{
		{"nothing", nil, "", ""},
		{"a mirror", map[string]string{"apt": "https://a"}, "", "APT_MIRROR=https://a"},
		{"a snapshot", nil, "20260101T000000Z", "APT_SNAPSHOT=20260101T000000Z"},
		{"a mirror of today alone", map[string]string{"apt": "https://a"}, "20260101T000000Z", "APT_MIRROR=https://a"},
		{"a mirror of snapshots", map[string]string{"apt": "https://a", "apt_snapshot": own}, "20260101T000000Z",
			"APT_MIRROR=https://m/archive/@PATH@/20260101T000000Z APT_SNAPSHOT=20260101T000000Z"},
		{"paths follow", map[string]string{"apt_snapshot": "https://m/@SNAPSHOTID@/"}, "20260101T000000Z",
			"APT_MIRROR=https://m/20260101T000000Z/@PATH@ APT_SNAPSHOT=20260101T000000Z"},
		{"without a snapshot", map[string]string{"apt": "https://a", "apt_snapshot": own}, "", "APT_MIRROR=https://a"},
	} {
		st := llb.Image("x").Run(append(Apt(tt.mirrors, tt.snapshot), llb.Args([]string{"true"}))...).Root()
		var env []string
		for _, op := range ops(t, llbtest.Marshal(t, st, llb.LinuxAmd64)) {
			for _, e := range op.GetExec().GetMeta().GetEnv() {
				if strings.HasPrefix(e, "APT_") {
					env = append(env, e)
				}
			}
		}
		slices.Sort(env)
		if got := strings.Join(env, " "); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestDefaultDownloadsArePinned lists what the defaults of every server fetch, for
// both architectures on both: each file has a digest of this frontend's own, but
// for the browser, of which Playwright publishes none: a lock file has that.
func TestDefaultDownloadsArePinned(t *testing.T) {
	for _, yaml := range []string{
		"server: none\ndeps: {node: 24.21.0, vscode: 1.109.5, uv: true, python: uv}\n",
		"server: action-execution-server\n",
		"server: action-execution-server\ndeps: {python: uv}\n",
		"server: agent-server\n",
		"server: agent-server\ndeps: {python: uv, acp: {agents: [claude-code, codex, gemini-cli]}}\n",
	} {
		doc, err := spec.Load("spec", []byte("base_image: a\n"+yaml), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, arch := range []string{"amd64", "arm64"} {
			for _, machine := range []string{"amd64", "arm64"} {
				in := graphInput(arch, doc.Spec.Deps, doc.Spec.Server)
				in.BuildArchitecture = machine
				downloads, err := Downloads(in)
				if err != nil || len(downloads) == 0 {
					t.Fatalf("%s for %s on %s: %d downloads, %v", yaml, arch, machine, len(downloads), err)
				}
				for _, d := range downloads {
					if strings.HasPrefix(d.Name, "playwright/") && d.Digest == "" {
						continue
					}
					if d.Digest.Validate() != nil || d.Own {
						t.Errorf("%s for %s on %s: %s has no digest that this frontend knows", yaml, arch, machine, d.Name)
					}
				}
			}
		}
	}
}
