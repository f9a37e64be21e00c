package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
)

const (
	// serverAddress is where an image's server listens by itself.
	serverAddress = "http://127.0.0.1:8000"
	// demoKey is what it wants of its clients.
	demoKey = "of-the-demo"

	demoPage = `<!doctype html><title>demo</title>
<body style="font: 28px sans-serif; margin: 40px; background: #f4f0e8">
<h1>Grüße aus /openhands</h1><p>Chromium of another distribution, on musl: 你好 🙂</p>
<p id=x></p><script>document.getElementById("x").textContent = "JavaScript says " + 6 * 7</script>`
)

// demoServer starts the server of an example's image as `docker run` would, has
// it execute a command and take a picture of a page.
func (e *Engine) demoServer(ctx context.Context, w io.Writer, example string) error {
	image, err := e.demoBuild(ctx, w, example)
	if err != nil {
		return err
	}
	heading(w, "a container of "+image+" answers "+serverAddress)
	if err := portFree(ctx); err != nil {
		return err
	}
	shots := e.path("demo")
	if err := makeShots(shots); err != nil {
		return err
	}
	ctx, stop := context.WithTimeout(ctx, 5*time.Minute)
	defer stop()
	ended := make(chan error, 1)
	go func() {
		res, err := e.Run(ctx, RunOptions{Image: image, Env: []string{"SESSION_API_KEY=" + demoKey}, Mounts: []specs.Mount{{
			Destination: "/shots", Source: shots, Type: "bind", Options: []string{"bind", "rw"},
		}}})
		if res != nil && ctx.Err() == nil {
			err = fmt.Errorf("the server ended with exit code %d\n%s", res.ExitCode, tail([]byte(res.Stdout+res.Stderr), 40))
		}
		ended <- err
	}()
	err = e.demoRequests(ctx, w, ended)
	stop()
	<-ended
	return err
}

// portFree says so when somebody else would answer in the server's stead.
func portFree(ctx context.Context) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", ":8000")
	if err != nil {
		return fmt.Errorf("port 8000 is taken, stop what listens there: %w", err)
	}
	return l.Close()
}

func makeShots(dir string) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := os.Chmod(dir, 0o777); err != nil { // the container's user writes there
		return err
	}
	return os.WriteFile(filepath.Join(dir, "page.html"), []byte(demoPage), 0o644)
}

func (e *Engine) demoRequests(ctx context.Context, w io.Writer, ended <-chan error) error {
	started := time.Now()
	for {
		body, err := get(ctx, serverAddress+"/alive")
		if err == nil && bytes.Contains(body, []byte(`"ok"`)) {
			fmt.Fprintf(w, "GET /alive after %.0f s: %s\n\n", time.Since(started).Seconds(), body)
			break
		}
		select {
		case err := <-ended:
			return err
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(500 * time.Millisecond):
		}
	}
	for _, command := range []string{
		"id; grep PRETTY_NAME /etc/os-release; tmux -V; echo $((6*7))",
		"chromium --headless --screenshot=/shots/page.png --window-size=900,420 file:///shots/page.html 2>&1 | tail -n 1",
	} {
		fmt.Fprintf(w, "POST /execute_action: %s\n", command)
		out, err := execute(ctx, command)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%s\n\n", out)
	}
	shot := e.path("demo", "page.png")
	info, err := os.Stat(shot)
	if err != nil {
		return fmt.Errorf("no screenshot: %w", err)
	}
	fmt.Fprintf(w, "screenshot: %s (%d bytes)\n", shot, info.Size())
	return nil
}

// execute has the server run a command, and returns what it says.
func execute(ctx context.Context, command string) (string, error) {
	request, err := json.Marshal(map[string]any{"action": map[string]any{"action": "run", "args": map[string]any{"command": command}}})
	if err != nil {
		return "", err
	}
	body, err := post(ctx, serverAddress+"/execute_action", request)
	if err != nil {
		return "", err
	}
	var observation struct {
		Content string `json:"content"`
		Extras  struct {
			Metadata struct {
				ExitCode int `json:"exit_code"`
			} `json:"metadata"`
		} `json:"extras"`
	}
	if err := json.Unmarshal(body, &observation); err != nil {
		return "", fmt.Errorf("%w in the answer %s", err, body)
	}
	if code := observation.Extras.Metadata.ExitCode; code != 0 {
		return "", fmt.Errorf("%q ended with exit code %d:\n%s", command, code, observation.Content)
	}
	return observation.Content, nil
}

func get(ctx context.Context, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	return do(req)
}

func post(ctx context.Context, url string, request []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(request))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	return do(req)
}

func do(req *http.Request) ([]byte, error) {
	req.Header.Set("X-Session-API-Key", demoKey)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s\n%s", req.URL, resp.Status, body)
	}
	return body, err
}
