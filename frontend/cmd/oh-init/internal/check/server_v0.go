package check

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// actionServer is OpenHands' action execution server, of the releases before
// 1.0 and of those after it that still have it.
type actionServer struct{}

const actionModule = "openhands.runtime.action_execution_server"

func (actionServer) name() string { return "action-execution-server" }

func (actionServer) found(i image) bool {
	return exists(i.path("code/openhands/runtime/action_execution_server.py"))
}

func (actionServer) imports(i image) command {
	return command{
		args: []string{"-c", "import " + actionModule},
		dir:  i.path("code"),
		env:  []string{"PYTHONPATH=" + i.path("code")},
	}
}

// command is the line of openhands/runtime/utils/command.py. A plugin whose
// files are not in the image would keep the server from ever being ready.
func (actionServer) command(i image, port, vscodePort int) command {
	work := i.getenv("WORKSPACE_MOUNT_PATH_IN_SANDBOX")
	if work == "" {
		work = "/workspace"
	}
	c := command{
		args: []string{
			i.path("micromamba/bin/micromamba"), "run", "-n", "openhands", "poetry", "run",
			"python", "-u", "-m", actionModule, strconv.Itoa(port),
			"--working-dir", work, "--plugins", "agent_skills", "jupyter",
		},
		dir: i.path("code"),
	}
	if exists(i.path(".openvscode-server/bin/openvscode-server")) {
		c.args = append(c.args, "vscode")
		c.env = append(c.env, "VSCODE_PORT="+strconv.Itoa(vscodePort))
	}
	c.args = append(c.args, "--username", i.user(), "--user-id", strconv.Itoa(i.uid))
	if len(i.browsers()) == 0 {
		c.args = append(c.args, "--no-enable-browser")
	}
	return c
}

func (actionServer) port(args []string) (int, bool) {
	for n, arg := range args[:max(0, len(args)-1)] {
		if arg == actionModule || strings.HasSuffix(arg, "/action_execution_server.py") {
			port, err := strconv.Atoi(args[n+1])
			return port, err == nil
		}
	}
	return 0, false
}

func (actionServer) ready(ctx context.Context, c client) error {
	r, err := c.get(ctx, "/alive")
	if err != nil {
		return err
	}
	var alive struct{ Status string }
	if r.status != 200 || json.Unmarshal(r.body, &alive) != nil {
		return fmt.Errorf("GET /alive: status %d: %s", r.status, oneLine(string(r.body)))
	}
	if alive.Status != "ok" {
		return fmt.Errorf("GET /alive: it says %q", oneLine(alive.Status))
	}
	return nil
}

func (actionServer) probes(s session) []probe {
	a := actions{s}
	return []probe{
		{"server-run", a.run},
		{"server-ipython", a.ipython},
		{"server-browser", a.browser},
		{"server-vscode", a.vscode},
	}
}

// actions asks a session for actions.
type actions struct{ session }

// observation is the part of an answer that says whether an action worked.
type observation struct {
	Observation string
	Content     string
	Extras      struct {
		Metadata struct {
			ExitCode int    `json:"exit_code"`
			Dir      string `json:"working_dir"`
		}
	}
}

// execute posts an action. An answer that is no observation is an error.
func (a actions) execute(ctx context.Context, limit time.Duration, action string, args map[string]string) (observation, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	body, err := json.Marshal(map[string]any{"action": map[string]any{"action": action, "args": args}})
	if err != nil {
		return observation{}, err
	}
	r, err := a.client.post(ctx, "/execute_action", body)
	if err != nil {
		return observation{}, err
	}
	var got struct {
		observation
		Detail string
	}
	err = json.Unmarshal(r.body, &got)
	switch {
	case r.status == 403:
		return observation{}, fmt.Errorf("the server refuses SESSION_API_KEY: %s", oneLine(got.Detail))
	case r.status != 200 && got.Detail != "":
		return observation{}, fmt.Errorf("status %d: %s", r.status, oneLine(got.Detail))
	case r.status != 200:
		return observation{}, fmt.Errorf("status %d: %s", r.status, oneLine(string(r.body)))
	case err != nil || got.Observation == "":
		return observation{}, fmt.Errorf("the answer is no observation: %s", oneLine(string(r.body)))
	}
	return got.observation, nil
}

// answered executes an action that must say something. On a busy machine the
// server can lose the output of a command; what it loses, it is asked again.
func (a actions) answered(ctx context.Context, action string, args map[string]string) (observation, error) {
	const tries = 3
	for try := 1; ; try++ {
		obs, err := a.execute(ctx, a.image.limit, action, args)
		if err != nil || strings.TrimSpace(obs.Content) != "" || try == tries {
			return obs, err
		}
	}
}

// failed shows what the server said while it failed.
func (a actions) failed(remedy, format string, args ...any) result {
	return broken(remedy, a.process.output.String(), format, args...)
}

func (a actions) run(ctx context.Context) result {
	obs, err := a.answered(ctx, "run", map[string]string{"command": "echo $((6*7)) && pwd"})
	const remedy = "the server drives tmux and bash: look at the rows of these"
	meta := obs.Extras.Metadata
	switch {
	case err != nil:
		return a.failed(remedy, "%v", err)
	case obs.Observation != "run" || meta.ExitCode != 0:
		return a.failed(remedy, "exit code %d, %s: %s", meta.ExitCode, obs.Observation, oneLine(obs.Content))
	case oneLine(obs.Content) != "42":
		return a.failed(remedy, "the shell answers %q instead of 42", oneLine(obs.Content))
	}
	return works("a command runs in %s", meta.Dir)
}

func (a actions) ipython(ctx context.Context) result {
	obs, err := a.answered(ctx, "run_ipython", map[string]string{"code": "print(6*7)"})
	const remedy = "the server starts python -m jupyter kernelgateway: start it by hand in the image"
	switch {
	case err != nil && strings.Contains(err.Error(), "JupyterRequirement not found"):
		return missing("the server runs without the jupyter plugin")
	case err != nil:
		return a.failed(remedy, "%v", err)
	case oneLine(obs.Content) != "42":
		return a.failed(remedy, "the kernel answers %q instead of 42", oneLine(obs.Content))
	}
	return works("a cell runs")
}

// browser has the server look at a page of ours. A browser that starts for the
// first time takes its time; the server then says that it has none.
func (a actions) browser(ctx context.Context) result {
	if slices.Contains(a.command.args, "--no-enable-browser") {
		return missing("the server runs without a browser")
	}
	const text = "oh-check sees page 42"
	port, stop, err := servePage("<!doctype html><title>oh-check</title><p>" + text + "</p>")
	if err != nil {
		return broken("", "", "%v", err)
	}
	defer stop()
	url := fmt.Sprintf("http://127.0.0.1:%d/", port)
	const remedy = "the server starts the browser of PLAYWRIGHT_BROWSERS_PATH: look at the rows chromium, playwright and libraries"
	for end := time.Now().Add(a.image.limit); ; {
		obs, err := a.execute(ctx, time.Until(end)+time.Second, "browse", map[string]string{"url": url})
		switch {
		case err == nil && strings.Contains(obs.Content, text):
			return works("browses a page")
		case err == nil && obs.Observation == "browse":
			return a.failed(remedy, "the page is not what it sees: %s", browserError(obs.Content))
		case err == nil:
			err = errors.New(obs.Observation + ": " + oneLine(obs.Content))
		}
		if time.Now().After(end) || ctx.Err() != nil || a.process.over() {
			return a.failed(remedy, "%v", err)
		}
		time.Sleep(time.Second)
	}
}

// browserError takes the reason out of the text that agents get.
func browserError(content string) string {
	const before = "The following error occurred when trying to visit the URL:\n"
	if _, reason, found := strings.Cut(content, before); found {
		return oneLine(reason)
	}
	return oneLine(content)
}

func (a actions) vscode(ctx context.Context) result {
	var answer struct{ Token string }
	const remedy = "the plugin needs a user called root or openhands, VSCODE_PORT, and SU_TO_USER=false unless the server is root"
	err := a.process.await(ctx, a.image.limit, func(ctx context.Context) error {
		r, err := a.client.get(ctx, "/vscode/connection_token")
		if err != nil {
			return err
		}
		if r.status != 200 || json.Unmarshal(r.body, &answer) != nil {
			return fmt.Errorf("GET /vscode/connection_token: status %d: %s", r.status, oneLine(string(r.body)))
		}
		if answer.Token == "" {
			return nil // it does not change its mind
		}
		return workbench(ctx, client{port: a.vscodePort}, answer.Token)
	})
	switch {
	case err != nil:
		return a.failed(remedy, "%v", err)
	case answer.Token == "" && !slices.Contains(a.command.args, "vscode"):
		return missing("the server runs without the vscode plugin")
	case answer.Token == "":
		return a.failed(remedy, "the server has no token: it did not start the editor")
	}
	return works("the server's editor serves the workbench")
}
