package engine

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"time"
)

// Closed is an engine whose daemon and its containers have a network of their
// own, a loopback device. Nothing is there but what is listened on, and the
// registry of the engine that it was made of.
type Closed struct {
	*Engine
	namespace *namespace
	registry  *http.Server
}

// Closed starts one with an empty cache, beside this engine.
func (e *Engine) Closed(ctx context.Context) (*Closed, error) {
	return e.closedIn(ctx, e.path("closed"), nil)
}

// closedIn starts one whose state is in dir. Its requests to the registry go
// through watch, if there is one.
func (e *Engine) closedIn(ctx context.Context, dir string, watch func(http.Handler) http.Handler) (*Closed, error) {
	inner := &Engine{dir: dir, repo: e.repo, log: e.log, registryAddr: e.Registry(), closed: true}
	if err := inner.Purge(ctx); err != nil { // of a test that was killed
		return nil, err
	}
	if err := os.MkdirAll(inner.path(), 0o755); err != nil {
		return nil, err
	}
	if err := os.Symlink(e.Bin(""), inner.Bin("")); err != nil {
		return nil, err
	}
	n, err := newNamespace()
	if err != nil {
		return nil, err
	}
	c := &Closed{Engine: inner, namespace: n}
	if err := c.begin(ctx, watch); err != nil {
		return nil, errors.Join(err, c.Stop(ctx))
	}
	return c, inner.createBuilder(ctx)
}

func (c *Closed) begin(ctx context.Context, watch func(http.Handler) http.Handler) error {
	addr := c.Registry()
	l, err := c.Listen(ctx, addr)
	if err != nil {
		return err
	}
	registry := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: addr})
	registry.ErrorLog = log.New(io.Discard, "", 0) // builds that are cancelled
	c.registry = &http.Server{
		Handler:           registry,
		ReadHeaderTimeout: time.Minute,
	}
	if watch != nil {
		c.registry.Handler = watch(registry)
	}
	go func() { _ = c.registry.Serve(l) }() // until it is closed
	return c.StartDaemon(ctx)
}

// StartDaemon starts the daemon with the state that it left, if it does not run.
func (c *Closed) StartDaemon(ctx context.Context) error {
	return c.namespace.do(func() error { return c.startBuildkitd(ctx) })
}

// Listen listens on an address of the daemon's network.
func (c *Closed) Listen(ctx context.Context, addr string) (net.Listener, error) {
	return c.namespace.listen(ctx, addr)
}

// Quit ends the daemon; its state stays, to look at.
func (c *Closed) Quit(ctx context.Context) error { return c.Down(ctx) }

// Stop ends everything, and removes the daemon's state.
func (c *Closed) Stop(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	var err error
	if c.registry != nil {
		err = c.registry.Close()
	}
	c.namespace.close()
	return errors.Join(err, c.Purge(ctx))
}
