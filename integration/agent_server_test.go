package integration

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/openhands/llb-frontend/integration/engine"
)

var agentBases = []string{"debian:trixie-slim", "alpine:3.22"}

// `docker run IMAGE` starts the agent-server, as its own user.
func TestAgentServerStarts(t *testing.T) {
	for _, base := range agentBases {
		t.Run(base, func(t *testing.T) {
			image := agentImage(t, "base_image: "+base+"\n")
			const port = 8000 // in the image's command
			mustBeFree(t, port)
			s := startAgent(t, port, "", engine.RunOptions{Image: image})
			contains(t, s.container.Output(), "oh-init: SESSION_API_KEY is not set: the server listens on 127.0.0.1 of this container alone")
			s.worksAs("10001", "openhands")
			contains(t, s.sh("tr '\\0' ' ' </proc/1/cmdline"), "/openhands/bin/oh-init -- /agent-server/.venv/bin/python -P -m openhands.agent_server --port 8000")
			// The orphan becomes oh-init's, and goes when it ends.
			contains(t, s.sh("p=$(sh -c 'sleep 100 >/dev/null & echo $!'); echo parent $(grep PPid: /proc/$p/status); kill $p; "+
				"i=0; while [ -e /proc/$p ] && [ $i -lt 300 ]; do i=$((i+1)); sleep 0.1; done; [ -e /proc/$p ] || echo reaped"), "parent PPid: 1\n", "reaped")
			contains(t, s.sh("/agent-server/.venv/bin/python -m openhands.agent_server --check-browser 2>/dev/null"), "Browser check passed")
			if err := s.container.Signal(t.Context(), syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			res, err := s.container.Wait()
			if err != nil {
				t.Fatal(err)
			}
			// uvicorn ends in its own order, then by the signal that it got.
			if want := 128 + int(syscall.SIGTERM); res.ExitCode != want || !strings.Contains(s.container.Output(), "Application shutdown complete") {
				t.Errorf("the container ends with %d, want %d and a server that shuts down\n%s", res.ExitCode, want, lastLines(s.container.Output(), 20))
			}
		})
	}
}

// Hosts pass arguments, which replace the image's command, and a key; and they may
// start it as root. One base, that with the least of its own: what differs between
// bases shows in TestAgentServerStarts.
func TestAgentServerByHosts(t *testing.T) {
	port := freePort(t)
	s := startAgent(t, port, "key-of-a-session", engine.RunOptions{
		Image: agentImage(t, "base_image: alpine:3.22\n"), User: "0",
		Args: []string{"--host", "0.0.0.0", "--port", fmt.Sprint(port)},
	})
	s.worksAs("0", "root")
	stranger := agentServer{&server{t: t, port: port}}
	for _, key := range []string{"", "another key"} {
		stranger.key = key
		body, status, err := stranger.request(t.Context(), "POST", "/api/bash/execute_bash_command", []byte(`{"command": "id"}`))
		if err != nil || status != http.StatusUnauthorized {
			t.Errorf("with the key %q: status %d, %v: %s", key, status, err, body)
		}
	}
}

// Remote hosts clear the entrypoint, and name interpreter, port and user.
func TestAgentServerByRemoteHosts(t *testing.T) {
	for _, base := range agentBases {
		t.Run(base, func(t *testing.T) {
			const port = 60000
			mustBeFree(t, port)
			s := startAgent(t, port, "", engine.RunOptions{
				Image: agentImage(t, "base_image: "+base+"\n"), User: "10001", WorkingDir: "/",
				Entrypoint: []string{"/agent-server/.venv/bin/python", "-m", "openhands.agent_server", "--port", fmt.Sprint(port)},
			})
			contains(t, s.sh("id -u; pwd"), "10001\n")
			contains(t, s.sh("cat /proc/1/cmdline | tr '\\0' ' '"), "/agent-server/.venv/bin/python -m openhands.agent_server --port 60000")
		})
	}
}

func mustBeFree(t *testing.T, port int) {
	t.Helper()
	l, err := net.Listen("tcp", fmt.Sprintf("0.0.0.0:%d", port))
	if err != nil {
		t.Fatalf("the test needs the port %d: %v", port, err)
	}
	l.Close()
}

// worksAs tries what the server offers.
func (s agentServer) worksAs(uid, name string) {
	s.t.Helper()
	var info struct {
		Version string
		Tools   []string `json:"usable_tools"`
	}
	s.ask("GET", "/server_info", nil, &info)
	if info.Version != "1.58.2" || !strings.Contains(strings.Join(info.Tools, " "), "browser_tool_set") {
		s.t.Errorf("/server_info says %+v, want the version of the spec and a browser", info)
	}
	contains(s.t, s.sh(`echo "$(id -u) $(id -un)"; bash -c 'echo bash ${BASH_VERSION%%.*}'; tmux -V; git --version; command -v tmux`),
		uid+" "+name+"\n", "bash 5\n", "tmux 3", "git version 2", "/openhands/bin/tmux\n")

	var visits atomic.Int32
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/page" {
			visits.Add(1)
		}
		fmt.Fprint(w, `<!doctype html><title>a page</title><h1>Read by a browser</h1><p id=x></p><script>document.getElementById("x").textContent = "counted " + 6 * 7</script>`)
	}))
	defer page.Close()
	said := s.converse(
		toolCall{"terminal", map[string]any{"command": "echo $((6*7)) as $(id -u) in $PWD with $TERM"}},
		toolCall{"browser_navigate", map[string]any{"url": page.URL + "/page"}},
		toolCall{"browser_get_content", map[string]any{}},
	)
	if len(said) < 3 {
		s.t.Fatalf("the agent's tools say %q", said)
	}
	contains(s.t, said[0], "42 as "+uid+" in /workspace/project with ")
	contains(s.t, said[2], "Read by a browser", "counted 42") // its script has run
	if visits.Load() == 0 {
		s.t.Errorf("nobody has asked for the page; the tools say %q", said)
	}
	s.servesVSCode()
}
