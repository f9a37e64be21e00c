package engine

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// imageRoot is a root filesystem with accounts, whose /etc/passwd is a symlink
// as hostile or unusual images may have it.
func imageRoot(t *testing.T, passwdLink string) string {
	t.Helper()
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "etc"), 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(name, content string) {
		if err := os.WriteFile(filepath.Join(root, "etc", name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("accounts", "root:x:0:0:root:/root:/bin/sh\nagent:x:1001:1002::/home/agent:/bin/sh\n")
	write("group", "root:x:0:\nagent:x:1002:\naudio:x:29:agent\n")
	if passwdLink != "" {
		if err := os.Symlink(passwdLink, filepath.Join(root, "etc/passwd")); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestResolveUser(t *testing.T) {
	for _, tc := range []struct {
		name, link, spec string
		uid, gid         int
		home             string
		groups           []int
		fails            bool
	}{
		{name: "nobody named means root", link: "accounts", uid: 0, gid: 0, home: "/root"},
		{name: "name", link: "accounts", spec: "agent", uid: 1001, gid: 1002, home: "/home/agent", groups: []int{29}},
		{name: "absolute link stays inside", link: "/etc/accounts", spec: "agent", uid: 1001, gid: 1002, home: "/home/agent", groups: []int{29}},
		{name: "number of an account", link: "accounts", spec: "1001", uid: 1001, gid: 1002, home: "/home/agent", groups: []int{29}},
		{name: "number without account", link: "accounts", spec: "4242", uid: 4242, gid: 0, home: "/"},
		{name: "number and group name", link: "accounts", spec: "4242:audio", uid: 4242, gid: 29, home: "/"},
		{name: "no passwd at all", spec: "65532", uid: 65532, gid: 0, home: "/"},
		{name: "unknown name", link: "accounts", spec: "ghost", fails: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := resolveUser(imageRoot(t, tc.link), tc.spec)
			if tc.fails {
				if err == nil {
					t.Fatalf("got %+v, want an error", got)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got.Uid != tc.uid || got.Gid != tc.gid || got.Home != tc.home || !slices.Equal(got.Sgids, tc.groups) {
				t.Errorf("got %+v, want %d:%d %s %v", got, tc.uid, tc.gid, tc.home, tc.groups)
			}
		})
	}
}

func TestRuntimeSpecCommand(t *testing.T) {
	config := v1.Config{Entrypoint: []string{"init", "--"}, Cmd: []string{"serve"}, WorkingDir: "/workspace", Env: []string{"A=1", "HOME=/data"}}
	for _, tc := range []struct {
		name string
		opt  RunOptions
		want []string
	}{
		{"image's own", RunOptions{}, []string{"init", "--", "serve"}},
		{"other command", RunOptions{Args: []string{"id"}}, []string{"init", "--", "id"}},
		{"other entrypoint drops the command", RunOptions{Entrypoint: []string{"sh"}}, []string{"sh"}},
		{"no entrypoint", RunOptions{Entrypoint: []string{}, Args: []string{"id", "-u"}}, []string{"id", "-u"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.opt.Env = []string{"A=2"}
			spec, err := runtimeSpec(config, tc.opt, imageRoot(t, "accounts"), "/test")
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(spec.Process.Args, tc.want) {
				t.Errorf("args %q, want %q", spec.Process.Args, tc.want)
			}
			if want := []string{defaultPath, "HOME=/data", "A=2"}; !slices.Equal(spec.Process.Env, want) {
				t.Errorf("env %q, want %q", spec.Process.Env, want)
			}
			if spec.Process.Cwd != "/workspace" {
				t.Errorf("cwd %q", spec.Process.Cwd)
			}
		})
	}
	if _, err := runtimeSpec(v1.Config{}, RunOptions{}, imageRoot(t, "accounts"), "/test"); err == nil {
		t.Error("an image without any command must be refused")
	}
}

func TestRuntimeSpecDropsCapabilitiesOfUsers(t *testing.T) {
	spec, err := runtimeSpec(v1.Config{Cmd: []string{"id"}, User: "agent"}, RunOptions{}, imageRoot(t, "accounts"), "/test")
	if err != nil {
		t.Fatal(err)
	}
	caps := spec.Process.Capabilities
	if len(caps.Effective) != 0 || len(caps.Permitted) != 0 || len(caps.Bounding) == 0 {
		t.Errorf("capabilities %+v: a user has none, but may gain those of the bounding set", caps)
	}
}
