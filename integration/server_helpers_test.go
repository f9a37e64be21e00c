package integration

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/openhands/llb-frontend/integration/engine"
)

// serverDeps and agentDeps build the deps image of a server once, and return its
// reference. Without its layers in the daemon's cache that takes minutes, so
// every test composes images of it.
var (
	serverDeps = sync.OnceValues(func() (string, error) {
		return buildServerDeps("server: action-execution-server\n", "test/server-deps:latest")
	})
	agentDeps = sync.OnceValues(func() (string, error) { return buildServerDeps("server: agent-server\n", "test/agent-deps:latest") })
)

func buildServerDeps(yaml, image string) (string, error) {
	dir, err := os.MkdirTemp("", "deps")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, engine.SpecFile)
	if err := os.WriteFile(file, []byte("# syntax="+engine.FrontendImage+"\nbase_image: scratch\n"+yaml), 0o644); err != nil {
		return "", err
	}
	res, err := eng.Build(context.Background(), engine.BuildOptions{
		Spec: file, Image: image,
		Args: []string{"--target=deps", "--platform=linux/amd64"},
	})
	if err != nil {
		return "", err
	}
	return res.Ref, nil
}

func prebuiltServer(t *testing.T) string {
	t.Helper()
	ref, err := serverDeps()
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// serverImage composes an image with a server and returns its name.
func serverImage(t *testing.T, yaml string) string {
	t.Helper()
	image := imageName(t)
	buildAs(t, image, yaml+"deps_image: "+prebuiltServer(t)+"\n")
	return image
}

// server is a server in a container: the action execution server, or an agentServer.
type server struct {
	t         *testing.T
	ready     string // path that says when it is ready; default: /alive
	container *engine.Container
	port      int
	vscode    int    // port of the editor
	key       string // SESSION_API_KEY
	commands  int    // of sh
}

// freePort is a port of the machine, which containers share, that nobody uses.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// hostsCommand is the command line of OpenHands' hosts
// (openhands/runtime/utils/command.py).
func hostsCommand(port int, rest ...string) []string {
	return append([]string{
		"/openhands/micromamba/bin/micromamba", "run", "-n", "openhands", "poetry", "run",
		"python", "-u", "-m", "openhands.runtime.action_execution_server", fmt.Sprint(port),
		"--working-dir", "/workspace",
	}, rest...)
}

// startAsHost starts a server as OpenHands' hosts do: without the image's
// entrypoint, in /openhands/code/, with their environment. It waits until the
// server is ready; rest are the further arguments of the server.
func startAsHost(t *testing.T, opt engine.RunOptions, rest ...string) *server {
	t.Helper()
	s := &server{t: t, port: freePort(t), vscode: freePort(t)}
	opt.Entrypoint = []string{}
	opt.WorkingDir = "/openhands/code/"
	opt.Args = hostsCommand(s.port, rest...)
	opt.Env = append([]string{
		fmt.Sprintf("port=%d", s.port), "PYTHONUNBUFFERED=1", fmt.Sprintf("VSCODE_PORT=%d", s.vscode),
		fmt.Sprintf("APP_PORT_1=%d", freePort(t)), fmt.Sprintf("APP_PORT_2=%d", freePort(t)), "PIP_BREAK_SYSTEM_PACKAGES=1",
		"NO_CHANGE_TIMEOUT_SECONDS=120", // of a command that prints nothing
	}, opt.Env...)
	s.start(opt)
	return s
}

// start starts the container and waits until the server is ready.
func (s *server) start(opt engine.RunOptions) {
	s.t.Helper()
	c, err := eng.Start(s.t.Context(), opt)
	if err != nil {
		s.t.Fatal(err)
	}
	s.container = c
	s.t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			s.t.Errorf("stop the container: %v", err)
		}
		if s.t.Failed() {
			s.t.Logf("the server printed\n%s", lastLines(c.Output(), 60))
		}
	})
	ctx, cancel := context.WithTimeout(s.t.Context(), 3*time.Minute)
	defer cancel()
	for last := ""; ; {
		var is struct{ Status string }
		body, status, err := s.request(ctx, "GET", cmp.Or(s.ready, "/alive"), nil)
		if err == nil && status == 200 && json.Unmarshal(body, &is) == nil && (is.Status == "ok" || is.Status == "ready") {
			return
		}
		if err == nil {
			last = fmt.Sprintf("%d %s", status, body)
		}
		select {
		case <-c.Ended():
			res, err := c.Wait()
			s.t.Fatalf("the container has ended: %+v, %v", res, err)
		case <-ctx.Done():
			s.t.Fatalf("the server is never ready: %s answers %q", cmp.Or(s.ready, "/alive"), last)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// lastLines is the end of a text.
func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// browserClient keeps cookies, and may be sent elsewhere, as a browser is.
func browserClient(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar, Timeout: time.Minute}
}

// cached tells whether a step whose name begins like that came from the cache.
func cached(t *testing.T, log, name string) bool {
	t.Helper()
	number := regexp.MustCompile(`(?m)^(#\d+) ` + regexp.QuoteMeta(name)).FindStringSubmatch(log)
	if number == nil {
		t.Fatalf("no step %q is in\n%s", name, log)
	}
	return strings.Contains(log, "\n"+number[1]+" CACHED\n")
}

// fetch reads a page.
func fetch(client *http.Client, url string) (string, int, error) {
	resp, err := client.Get(url)
	if err != nil {
		return "", 0, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return string(b), resp.StatusCode, err
}

// request asks the server, with the key that it wants.
func (s *server) request(ctx context.Context, method, path string, body []byte) ([]byte, int, error) {
	req, err := http.NewRequestWithContext(ctx, method, fmt.Sprintf("http://127.0.0.1:%d%s", s.port, path), bytes.NewReader(body))
	if err != nil {
		return nil, 0, err
	}
	// A connection that the server is about to give up fails a request that may
	// not be sent twice.
	req.Close = true
	req.Header.Set("Content-Type", "application/json")
	if s.key != "" {
		req.Header.Set("X-Session-API-Key", s.key)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, 0, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return b, resp.StatusCode, err
}

// observation is the server's answer to an action.
type observation struct {
	Observation string
	Content     string
	Extras      struct {
		Screenshot     string
		ScreenshotPath string `json:"screenshot_path"`
		Error          bool
	}
}

// act has the server do something.
func (s *server) act(action string, args map[string]any) observation {
	s.t.Helper()
	obs, err := s.try(action, args)
	if err != nil {
		s.t.Fatal(err)
	}
	return obs
}

func (s *server) try(action string, args map[string]any) (observation, error) {
	var obs observation
	body, err := json.Marshal(map[string]any{"action": map[string]any{"action": action, "args": args}})
	if err != nil {
		return obs, err
	}
	answer, status, err := s.request(s.t.Context(), "POST", "/execute_action", body)
	if err != nil {
		return obs, err
	}
	if err := json.Unmarshal(answer, &obs); err != nil || status != 200 || obs.Observation == "" {
		return obs, fmt.Errorf("%s %v: status %d, %w: %.2000s", action, args, status, err, answer)
	}
	return obs, nil
}

// sh runs a command in the server's terminal, and returns what it prints.
//
// On a busy machine the server may take the prompt that stands before the
// command for the one behind it (BashSession.execute), and what the command
// prints is lost to it: then it is in a file.
func (s *server) sh(command string) string {
	s.t.Helper()
	s.commands++
	file, mark := fmt.Sprintf("/tmp/command-%d", s.commands), fmt.Sprintf("end-%d:", s.commands)
	obs := s.act("run", map[string]any{"command": fmt.Sprintf(`{ %s; echo "end"-%d:$?; } 2>&1 | tee %s`, command, s.commands, file)})
	if obs.Observation != "run" {
		s.t.Fatalf("%s: %s\n%s", command, obs.Observation, obs.Content)
	}
	for end := time.Now().Add(time.Minute); !strings.Contains(obs.Content, mark); {
		if time.Now().After(end) {
			s.t.Fatalf("%s: does not end\n%s", command, obs.Content)
		}
		time.Sleep(time.Second)
		if read, err := s.try("read", map[string]any{"path": file}); err == nil {
			obs = read
		}
	}
	out, code, _ := strings.Cut(obs.Content, mark)
	if strings.TrimSpace(code) != "0" {
		s.t.Errorf("%s: exit code %s\n%s", command, code, out)
	}
	return out
}

// cell runs a cell in Jupyter that prints something, and returns that.
//
// The server takes the kernel's reply for the end, but what the cell prints
// comes by another channel, and may come later (JupyterKernel.execute): then the
// cell runs again.
func (s *server) cell(code string) string {
	s.t.Helper()
	for end := time.Now().Add(time.Minute); ; {
		obs := s.act("run_ipython", map[string]any{"code": code, "include_extra": false})
		if obs.Observation != "run_ipython" {
			s.t.Errorf("%s: %s\n%s", code, obs.Observation, obs.Content)
		}
		if obs.Content != "[Code executed successfully with no output]" || time.Now().After(end) {
			return obs.Content
		}
	}
}
