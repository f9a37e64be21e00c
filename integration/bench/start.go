package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"

	"github.com/openhands/llb-frontend/integration/engine"
)

// startLimit is how long a server may take.
const startLimit = 5 * time.Minute

// startUps starts both images in turn, so that a noisy machine disturbs them
// alike.
func (b *bench) startUps(ctx context.Context, subjects []*subject, n int) error {
	for _, s := range subjects { // unpacks the layers
		if _, err := b.start(ctx, s.image); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	for range n {
		for _, cold := range []bool{true, false} {
			for _, s := range subjects {
				if cold {
					if err := dropCaches(); err != nil {
						return err
					}
				}
				took, err := b.start(ctx, s.image)
				if err != nil {
					return fmt.Errorf("%s: %w", s.name, err)
				}
				fmt.Fprintf(os.Stderr, "bench: %s, cold %v: healthy after %.1f s\n", s.name, cold, took.Seconds())
				if cold {
					s.startCold = append(s.startCold, took.Seconds())
				} else {
					s.startWarm = append(s.startWarm, took.Seconds())
				}
			}
		}
	}
	return nil
}

// dropCaches empties the machine's page cache.
func dropCaches() error {
	syscall.Sync()
	return os.WriteFile("/proc/sys/vm/drop_caches", []byte("3"), 0)
}

// start is the time from run to the first healthy answer, of the command that
// hosts of OpenHands use. The browser is off: the peer's does not start. So are
// accounts: in both images the server stays the user that it is.
func (b *bench) start(ctx context.Context, image string) (time.Duration, error) {
	port, err := freePort(ctx)
	if err != nil {
		return 0, err
	}
	editor, err := freePort(ctx)
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	began := time.Now()
	c, err := b.Start(ctx, engine.RunOptions{
		Image: image, Entrypoint: []string{}, WorkingDir: "/openhands/code/",
		Env: []string{"PYTHONUNBUFFERED=1", "SU_TO_USER=false", fmt.Sprintf("VSCODE_PORT=%d", editor)},
		Args: []string{
			"/openhands/micromamba/bin/micromamba", "run", "-n", "openhands", "poetry", "run",
			"python", "-u", "-m", "openhands.runtime.action_execution_server", fmt.Sprint(port),
			"--working-dir", "/workspace", "--plugins", "agent_skills", "jupyter", "vscode",
			"--username", "openhands", "--user-id", "1000", "--no-enable-browser",
		},
	})
	if err != nil {
		return 0, err
	}
	for err = errors.New("not asked"); err != nil; err = alive(ctx, port) {
		select {
		case <-c.Ended():
			_, err := c.Wait()
			return 0, errors.Join(fmt.Errorf("the server has ended:\n%s", c.Output()), err)
		case <-ctx.Done():
			return 0, fmt.Errorf("never healthy, at last %w:\n%s", err, c.Output())
		case <-time.After(20 * time.Millisecond):
		}
	}
	took := time.Since(began)
	return took, c.Stop()
}

// alive is nil when the server says that it is ready.
func alive(ctx context.Context, port int) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/alive", port), nil)
	if err != nil {
		return err
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var answer struct{ Status string }
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return err
	}
	if answer.Status != "ok" {
		return fmt.Errorf("the server is %q", answer.Status)
	}
	return nil
}

// freePort is a port of the machine, which containers share, that nobody uses.
func freePort(ctx context.Context) (int, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
