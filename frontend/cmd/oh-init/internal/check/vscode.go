package check

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"time"
)

// vscode starts the editor alone, and leaves nothing in anybody's home.
func (i image) vscode(ctx context.Context) result {
	p := i.path(".openvscode-server/bin/openvscode-server")
	if !exists(p) {
		return missing("no %s", p)
	}
	port, err := freePort(31500)
	if err != nil {
		return broken("", "", "%v", err)
	}
	token := fmt.Sprintf("oh-check-%d", time.Now().UnixNano())
	proc, err := i.start(ctx, command{
		args: []string{
			p, "--host", "127.0.0.1", "--port", strconv.Itoa(port), "--connection-token", token,
			"--server-data-dir", filepath.Join(i.temp, "vscode"), "--disable-workspace-trust",
		},
		dir: i.temp,
	})
	if err != nil {
		text := outcome{err: err}.unable()
		return broken(remedyFor(text), "", "%s", text)
	}
	defer proc.stop()
	err = proc.await(ctx, i.limit, func(ctx context.Context) error {
		return workbench(ctx, client{port: port}, token)
	})
	if err != nil {
		text := loaderMessage(proc.output.String())
		if text == "" {
			text = err.Error()
		}
		return broken(remedyFor(text), proc.output.String(), "%s", text)
	}
	return works("serves the workbench")
}

// workbench asks for the page that a browser would open.
func workbench(ctx context.Context, c client, token string) error {
	r, err := c.get(ctx, "/?tkn="+token)
	switch {
	case err != nil:
		return err
	case r.status != 200:
		return fmt.Errorf("its page answers with status %d", r.status)
	case !bytes.Contains(r.body, []byte("workbench")):
		return fmt.Errorf("its page is not the workbench: %s", oneLine(string(r.body)))
	}
	return nil
}
