package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

const (
	// demoAgentExample is the other server: it is checked inside BuildKit.
	demoAgentExample = "agent-server"
	// demoAgentBase is what its server is shown on.
	demoAgentBase = "alpine:3.22"
)

// demoAgent puts an example's deps on another base, which takes no stage of it,
// starts the server there and has it execute a command.
func (e *Engine) demoAgent(ctx context.Context, w io.Writer) error {
	example, err := os.ReadFile(filepath.Join(e.repo, "examples", demoAgentExample, SpecFile))
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "demo")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	spec := filepath.Join(dir, SpecFile)
	if err := os.WriteFile(spec, bytes.ReplaceAll(example, []byte("debian:trixie-slim"), []byte(demoAgentBase)), 0o600); err != nil {
		return err
	}
	heading(w, "buildx build -f examples/"+demoAgentExample+"/"+SpecFile+", with base_image: "+demoAgentBase)
	image := ExampleImage(demoAgentExample + "-alpine")
	if err := e.demoBuildAs(ctx, w, spec, image); err != nil {
		return err
	}
	heading(w, "a container of "+image+" answers "+serverAddress)
	if err := portFree(ctx); err != nil {
		return err
	}
	c, err := e.Start(ctx, RunOptions{Image: image, Env: []string{"SESSION_API_KEY=" + demoKey}})
	if err != nil {
		return err
	}
	return errors.Join(e.demoAgentRequests(ctx, w, c), c.Stop())
}

func (e *Engine) demoAgentRequests(ctx context.Context, w io.Writer, c *Container) error {
	ctx, stop := context.WithTimeout(ctx, 3*time.Minute)
	defer stop()
	started := time.Now()
	for {
		body, err := get(ctx, serverAddress+"/ready")
		if err == nil {
			fmt.Fprintf(w, "GET /ready after %.0f s: %s\n", time.Since(started).Seconds(), body)
			break
		}
		select {
		case <-c.Ended():
			return fmt.Errorf("the server has ended\n%s", tail([]byte(c.Output()), 40))
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(500 * time.Millisecond):
		}
	}
	body, err := get(ctx, serverAddress+"/server_info")
	if err != nil {
		return err
	}
	var info struct{ Version string }
	if err := json.Unmarshal(body, &info); err != nil {
		return err
	}
	fmt.Fprintf(w, "GET /server_info: version %s\n\n", info.Version)
	const command = "id; grep PRETTY_NAME /etc/os-release; tmux -V; echo $((6*7))"
	fmt.Fprintf(w, "POST /api/bash/execute_bash_command: %s\n", command)
	request, err := json.Marshal(map[string]any{"command": command, "timeout": 60})
	if err != nil {
		return err
	}
	if body, err = post(ctx, serverAddress+"/api/bash/execute_bash_command", request); err != nil {
		return err
	}
	var answer struct {
		ExitCode       *int `json:"exit_code"`
		Stdout, Stderr string
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return fmt.Errorf("%w in the answer %s", err, body)
	}
	if answer.ExitCode == nil || *answer.ExitCode != 0 {
		return fmt.Errorf("%q fails: %s", command, body)
	}
	fmt.Fprint(w, answer.Stdout)
	return nil
}
