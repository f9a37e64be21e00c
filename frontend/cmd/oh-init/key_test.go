package main

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestKeys(t *testing.T) {
	const (
		action = "/openhands/poetry/venv/bin/python -u -P -m openhands.runtime.action_execution_server 8000"
		agent  = "/agent-server/.venv/bin/python -P -m openhands.agent_server --port 8000"
	)
	made := regexp.MustCompile(`^[0-9a-f]{32}$`)
	for _, tt := range []struct {
		command string
		env     environ
		want    string // "made" for a new key
		said    string
	}{
		{action, nil, "made", "SESSION_API_KEY is not set: the server wants the header X-Session-API-Key: "},
		{action, environ{"SESSION_API_KEY=mine"}, "mine", ""},
		{action, environ{"SESSION_API_KEY="}, "", ""},
		{"/openhands/micromamba/bin/micromamba run -n openhands poetry run python -u -m openhands.runtime.action_execution_server 8000", nil, "", ""},
		{"/openhands/poetry/venv/bin/python -c 1", nil, "", ""},
		{"bash", nil, "", ""},
		{agent, nil, "", "SESSION_API_KEY is not set: the server listens on 127.0.0.1 of this container alone"},
		{agent, environ{"SESSION_API_KEY=mine"}, "mine", ""},
		{agent, environ{"OH_SESSION_API_KEYS_0=mine"}, "", ""},
		{agent + " --host 0.0.0.0", nil, "", ""},
		{agent + " --host=0.0.0.0", nil, "", ""},
	} {
		env, note, err := withKey("/", strings.Fields(tt.command), tt.env)
		if err != nil {
			t.Errorf("%s: %v", tt.command, err)
		}
		said := ""
		if note != nil {
			said = note.Error()
		}
		if got := env.get("SESSION_API_KEY"); got != tt.want && (tt.want != "made" || !made.MatchString(got) || !strings.Contains(said, " "+got+";")) {
			t.Errorf("%s with %q: the key is %q, want %q; it says %q", tt.command, tt.env, got, tt.want, said)
		}
		if !strings.HasPrefix(said, tt.said) || tt.said == "" && said != "" {
			t.Errorf("%s with %q: it says %q, want %q", tt.command, tt.env, said, tt.said)
		}
	}
}

// What is started has the key that people read.
func TestServerGetsTheKeyThatIsSaid(t *testing.T) {
	dir := t.TempDir()
	server := filepath.Join(dir, serverEnv, "bin/python")
	write(t, server, "#!/bin/sh\necho \"$SESSION_API_KEY\"\n", 0o755)
	cmd := program(t, "/openhands/bin/oh-init", "--", server, "-m", actionServer)
	cmd.Env = append(cmd.Env, "TEST_ROOT="+dir)
	got := run(t, cmd)
	key := strings.TrimSpace(got.stdout)
	if len(key) != 32 || !strings.Contains(got.stderr, "X-Session-API-Key: "+key+";") {
		t.Errorf("%+v", got)
	}
}
