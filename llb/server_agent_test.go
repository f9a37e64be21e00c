package llb_test

import (
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/solver/pb"

	ohllb "github.com/openhands/llb-frontend/llb"
)

// TestAgentUser says whom the agent-server runs as, and who gets sudo.
func TestAgentUser(t *testing.T) {
	without := func() *ohllb.Facts {
		f := debian()
		delete(f.Entries, "/usr/bin/sudo")
		return f
	}
	taken := func() *ohllb.Facts {
		f := debian()
		f.Accounts.Passwd = append(f.Accounts.Passwd, "openhands:x:500:500::/home/openhands:/bin/sh\n"...)
		f.Accounts.Group = append(f.Accounts.Group, "openhands:x:500:\n"...)
		return f
	}
	for _, tt := range []struct {
		name, yaml string
		facts      *ohllb.Facts
		account    string // line of passwd, "" where none is written
		sudo       bool
	}{
		{"default", "", debian(), "openhands:x:10001:10001:", true},
		{"base without sudo", "", without(), "openhands:x:10001:10001:", false},
		{"sudo refused", "user: {sudo: false}", debian(), "openhands:x:10001:10001:", false},
		{"another uid", "user: {uid: 1234}", debian(), "openhands:x:1234:", true},
		{"another name", "user: dev", debian(), "dev:x:1000:1000:", false},
		{"the base's account", "", taken(), "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out := compose(t, input(t, "base_image: debian\ndeps_image: deps\n"+tt.yaml+"\n", tt.facts, prebuiltAgent))
			files := written(t, out)
			if tt.account == "" {
				if passwd, ok := files["/etc/passwd"]; ok {
					t.Errorf("it writes passwd\n%s", passwd)
				}
			} else if !strings.Contains(files["/etc/passwd"], "\n"+tt.account) {
				t.Errorf("passwd has no line %s\n%s", tt.account, files["/etc/passwd"])
			}
			if _, got := files["/etc/sudoers.d/openhands"]; got != tt.sudo {
				t.Errorf("a rule for sudo: %v", got)
			}
			if len(out.Warnings) > 0 {
				t.Errorf("it warns: %v", out.Warnings)
			}
		})
	}
}

// written are the files that a graph writes as they are.
func written(t *testing.T, out *ohllb.Output) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, dt := range marshal(t, out.State, amd64).Def {
		var op pb.Op
		if err := op.Unmarshal(dt); err != nil {
			t.Fatal(err)
		}
		for _, a := range op.GetFile().GetActions() {
			if f := a.GetMkfile(); f != nil {
				files[f.Path] = string(f.Data)
			}
		}
	}
	return files
}

func TestAgentNeedsItsName(t *testing.T) {
	facts := debian()
	facts.Entries["/agent-server"] = ohllb.Entry{Mode: fs.ModeDir | 0o755}
	_, err := ohllb.Compose(input(t, "base_image: b\ndeps_image: d\n", facts, prebuiltAgent))
	if err == nil || !strings.HasPrefix(err.Error(), `openhands.yaml:1:13: base image "b" has a /agent-server of its own`) {
		t.Errorf("got %v", err)
	}
	// An image that we made has our link.
	facts.Entries["/agent-server"] = ohllb.Entry{Mode: fs.ModeSymlink | 0o777, Linkname: "/openhands/agent-server"}
	facts.Entries["/openhands"] = ohllb.Entry{Mode: fs.ModeDir | 0o755}
	facts.Entries["/openhands/agent-server"] = ohllb.Entry{Mode: fs.ModeDir | 0o755}
	compose(t, input(t, "base_image: b\ndeps_image: d\n", facts, prebuiltAgent))
}

func TestAgentConfig(t *testing.T) {
	const parts = "lib,tools,init,python,python-deps,code"
	in := input(t, "base_image: debian\ndeps_image: deps\nuser: root\n", nil, func(in *ohllb.Input) {
		in.Deps = prebuilt("deps", parts, "agent-server@1.58.2")
	})
	config := compose(t, in).Image.Config
	for _, want := range []string{"OH_ENABLE_VSCODE=false", "OH_CONVERSATIONS_PATH=/workspace/conversations"} {
		if !slices.Contains(config.Env, want) {
			t.Errorf("the environment lacks %s: %q", want, config.Env)
		}
	}
	for _, kv := range config.Env {
		if strings.HasPrefix(kv, "CHROME_BIN=") || strings.HasPrefix(kv, "PLAYWRIGHT_BROWSERS_PATH=") {
			t.Errorf("an image without a browser has %s", kv)
		}
	}
	if len(config.ExposedPorts) != 1 {
		t.Errorf("ports %v", config.ExposedPorts)
	}
	if want := []string{"--port", "8000"}; !slices.Equal(config.Cmd, want) {
		t.Errorf("command %q, want %q", config.Cmd, want)
	}
}
