package check

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// v1Image is an image whose agent-server is fake.
func v1Image(t *testing.T, fake string) image {
	t.Helper()
	img := newImage(t)
	img.env = append(img.env, "FAKE="+fake)
	img.file(t, "agent-server/code/openhands/agent_server/__main__.py", "")
	img.elf(t, "fake-agent-server")
	img.script(t, "agent-server/.venv/bin/python", `case "$3" in
--check-browser) [ -z "$FAKE" ] && echo "Browser check passed: Successfully rendered about:blank" && exit 0
  echo "Browser check failed: no usable sandbox"; exit 1 ;;
esac
exec `+img.path("fake-agent-server")+` "$@"`)
	if err := os.Symlink(img.path("agent-server"), filepath.Join(filepath.Dir(img.root), "agent-server")); err != nil {
		t.Fatal(err)
	}
	return img
}

// fakeAgentServer answers like the agent-server. FAKE says what is wrong with it.
func fakeAgentServer(args []string) {
	bad := os.Getenv("FAKE") == "broken"
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ready", func(w http.ResponseWriter, _ *http.Request) {
		if os.Getenv("FAKE") == "never" {
			answerJSON(w, 503, map[string]any{"status": "initializing"})
			return
		}
		answerJSON(w, 200, map[string]any{"status": "ready"})
	})
	mux.HandleFunc("POST /api/bash/execute_bash_command", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Session-API-Key") != os.Getenv("KEY") {
			answerJSON(w, 401, map[string]any{"detail": "Unauthorized"})
			return
		}
		var req struct{ Command string }
		err := json.NewDecoder(r.Body).Decode(&req)
		if err != nil || bad {
			answerJSON(w, 200, map[string]any{"kind": "BashOutput", "exit_code": 127, "stdout": nil, "stderr": "/bin/sh: not found\n"})
			return
		}
		answerJSON(w, 200, map[string]any{"kind": "BashOutput", "order": 0, "exit_code": 0, "stdout": "42\n/workspace\n", "stderr": nil})
	})
	mux.HandleFunc("GET /api/vscode/url", func(w http.ResponseWriter, _ *http.Request) {
		if bad {
			answerJSON(w, 200, map[string]any{"url": nil})
			return
		}
		answerJSON(w, 200, map[string]any{"url": "http://localhost:8001/?tkn=5f1f3c1e&folder=workspace"})
	})
	go serve(os.Getenv("OH_VSCODE_PORT"), fakeEditor("5f1f3c1e"))
	serve(args[slices.Index(args, "--port")+1], mux)
}

// Tests of this file are not parallel: two that look for a free port at a time
// find the same one.
func TestV1(t *testing.T) {
	img := v1Image(t, "").with(t)
	img.script(t, "bin/chromium", "")
	img.env = append(img.env, "KEY=secret", "SESSION_API_KEY=secret")
	got := rows(t, img, nil)
	want(t, got["server"], ok, "agent-server is ready")
	want(t, got["server-run"], ok, "a command runs in /workspace")
	want(t, got["server-browser"], ok, "opens a page")
	want(t, got["server-vscode"], ok, "serves the workbench")
}

func TestV1WithoutFeatures(t *testing.T) {
	got := rows(t, v1Image(t, ""), nil)
	want(t, got["server"], ok, "")
	want(t, got["server-browser"], absent, "no chromium")
	want(t, got["server-vscode"], absent, "no editor")
}

func TestV1Broken(t *testing.T) {
	img := v1Image(t, "broken").with(t)
	img.script(t, "bin/chromium", "")
	img.limit /= 10
	got := rows(t, img, nil)
	want(t, got["server"], ok, "")
	want(t, got["server-run"], fail, "exit code 127: /bin/sh: not found")
	want(t, got["server-browser"], fail, "--check-browser: Browser check failed: no usable sandbox")
	want(t, got["server-vscode"], fail, "no address for its editor")
}

func TestV1RefusesKey(t *testing.T) {
	img := v1Image(t, "")
	img.env = append(img.env, "KEY=secret", "SESSION_API_KEY=other")
	want(t, rows(t, img, nil)["server-run"], fail, "refuses SESSION_API_KEY: Unauthorized")
}

func TestV1NeverReady(t *testing.T) {
	img := v1Image(t, "never")
	img.limit /= 10
	want(t, rows(t, img, nil)["server"], fail, "GET /ready: status 503")
}

func TestV1Command(t *testing.T) {
	img := v1Image(t, "")
	got := agentServer{}.command(img, 30000, 31500)
	line := filepath.Join(filepath.Dir(img.root), "agent-server/.venv/bin/python") + " -m openhands.agent_server --port 30000"
	if strings.Join(got.args, " ") != line || got.dir != "/" || !slices.Equal(got.env, []string{"OH_VSCODE_PORT=31500"}) {
		t.Errorf("got %s in %s with %v, want %s", got.args, got.dir, got.env, line)
	}
}

func TestV1Port(t *testing.T) {
	for line, want := range map[string]int{
		"python -m openhands.agent_server --host 0.0.0.0 --port 8000": 8000,
		"python -m openhands.agent_server --port=60000":               60000,
		"python -m openhands.agent_server --port":                     0,
		"python -m openhands.agent_server --port x":                   0,
		"python -m openhands.agent_server":                            0,
	} {
		if got, found := (agentServer{}).port(strings.Fields(line)); got != want || found != (want != 0) {
			t.Errorf("%s: got %d, %v", line, got, found)
		}
	}
}
