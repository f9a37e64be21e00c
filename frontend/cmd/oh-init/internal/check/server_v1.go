package check

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// agentServer is OpenHands' agent-server, of the releases since 1.0.
type agentServer struct{}

const agentModule = "openhands.agent_server"

func (agentServer) name() string { return "agent-server" }

func (agentServer) found(i image) bool {
	return exists(i.path("agent-server/code/openhands/agent_server/__main__.py"))
}

func (agentServer) imports(i image) command {
	return command{args: []string{"-c", "import openhands.agent_server.api"}, dir: i.temp}
}

// python is the interpreter by the name that hosts call: a link beside root.
func (agentServer) python(i image) string {
	return filepath.Join(filepath.Dir(i.root), "agent-server/.venv/bin/python")
}

// command is the line of remote hosts, in the directory that they start it in.
func (s agentServer) command(i image, port, vscodePort int) command {
	return command{
		args: []string{s.python(i), "-m", agentModule, "--port", strconv.Itoa(port)},
		dir:  "/",
		env:  []string{"OH_VSCODE_PORT=" + strconv.Itoa(vscodePort)},
	}
}

func (agentServer) port(args []string) (int, bool) {
	for n, arg := range args {
		text, found := strings.CutPrefix(arg, "--port=")
		if arg == "--port" && n+1 < len(args) {
			text, found = args[n+1], true
		}
		if found {
			port, err := strconv.Atoi(text)
			return port, err == nil
		}
	}
	return 0, false
}

func (agentServer) ready(ctx context.Context, c client) error {
	r, err := c.get(ctx, "/ready")
	if err != nil {
		return err
	}
	if r.status != 200 {
		return fmt.Errorf("GET /ready: status %d: %s", r.status, oneLine(string(r.body)))
	}
	return nil
}

func (s agentServer) probes(se session) []probe {
	a := agents{se}
	return []probe{
		{"server-run", a.run},
		{"server-browser", a.browser},
		{"server-vscode", a.vscode},
	}
}

// agents asks a session of the agent-server.
type agents struct{ session }

func (a agents) failed(remedy, format string, args ...any) result {
	return broken(remedy, a.process.output.String(), format, args...)
}

func (a agents) run(ctx context.Context) result {
	ctx, cancel := context.WithTimeout(ctx, a.image.limit)
	defer cancel()
	const remedy = "the server starts /bin/sh in the container: look whether the image has one"
	body, err := json.Marshal(map[string]any{"command": "echo $((6*7)) && pwd", "timeout": 60})
	if err != nil {
		return a.failed("", "%v", err)
	}
	r, err := a.client.post(ctx, "/api/bash/execute_bash_command", body)
	if err != nil {
		return a.failed(remedy, "%v", err)
	}
	var got struct {
		ExitCode *int `json:"exit_code"`
		Stdout   string
		Stderr   string
		Detail   any
	}
	err = json.Unmarshal(r.body, &got)
	answer, dir, _ := strings.Cut(got.Stdout, "\n")
	switch {
	case r.status == 401:
		return a.failed("give oh-check the SESSION_API_KEY of the server", "the server refuses SESSION_API_KEY: %v", got.Detail)
	case r.status != 200 || err != nil || got.ExitCode == nil:
		return a.failed(remedy, "status %d: %s", r.status, oneLine(string(r.body)))
	case *got.ExitCode != 0:
		return a.failed(remedy, "exit code %d: %s", *got.ExitCode, oneLine(got.Stderr))
	case answer != "42":
		return a.failed(remedy, "the shell answers %q instead of 42", oneLine(got.Stdout))
	}
	return works("a command runs in %s", oneLine(dir))
}

// browser is the server's own test: it renders a page by the browser tool.
func (a agents) browser(ctx context.Context) result {
	if a.image.program("chromium") == "" && a.image.onPath("chromium") == "" {
		return missing("no chromium on PATH")
	}
	o := a.image.run(ctx, a.image.limit, command{
		args: []string{agentServer{}.python(a.image), "-m", agentModule, "--check-browser"},
		dir:  "/",
	})
	const passed = "Browser check passed"
	if o.problem() != "" || !strings.Contains(o.stdout, passed) {
		said := slices.Concat(lastLines(o.stdout, 1), []string{o.problem()})
		return broken("the browser tool starts the first chromium that it finds: look at the row chromium", o.output(),
			"--check-browser: %s", oneLine(strings.Join(said, " ")))
	}
	return works("opens a page with its browser tool")
}

func (a agents) vscode(ctx context.Context) result {
	if !exists(a.image.path(".openvscode-server/bin/openvscode-server")) {
		return missing("the image has no editor for the server")
	}
	const remedy = "the server starts the editor on OH_VSCODE_PORT unless OH_ENABLE_VSCODE is false"
	err := a.process.await(ctx, a.image.limit, func(ctx context.Context) error {
		token, err := a.vscodeToken(ctx)
		if err != nil {
			return err
		}
		return workbench(ctx, client{port: a.vscodePort}, token)
	})
	if err != nil {
		return a.failed(remedy, "%v", err)
	}
	return works("the server's editor serves the workbench")
}

// vscodeToken is in the address that the server gives to people.
func (a agents) vscodeToken(ctx context.Context) (string, error) {
	r, err := a.client.get(ctx, "/api/vscode/url")
	if err != nil {
		return "", err
	}
	var answer struct{ URL string }
	if r.status != 200 || json.Unmarshal(r.body, &answer) != nil {
		return "", fmt.Errorf("GET /api/vscode/url: status %d: %s", r.status, oneLine(string(r.body)))
	}
	address, err := url.Parse(answer.URL)
	if err != nil || address.Query().Get("tkn") == "" {
		return "", errors.New("the server has no address for its editor: it did not start it")
	}
	return address.Query().Get("tkn"), nil
}
