package main

import (
	"context"
	"net"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/openhands/llb-frontend/integration/faults"
)

// proxy stands between the daemon and the registry and counts what is read.
type proxy struct {
	addr   string
	server *http.Server

	mu   sync.Mutex
	read map[string]int64 // bytes of answers by digest, and of all else by ""
}

func newProxy(ctx context.Context, registry string) (*proxy, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{addr: l.Addr().String(), read: map[string]int64{}}
	forward := faults.Forward(registry)
	p.server = &http.Server{
		ReadHeaderTimeout: time.Minute,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			forward.ServeHTTP(&counter{ResponseWriter: w, count: func(n int) { p.count(r, n) }}, r)
		}),
	}
	go func() { _ = p.server.Serve(l) }() // until it is closed
	return p, nil
}

func (p *proxy) count(r *http.Request, n int) {
	key := ""
	if base := path.Base(r.URL.Path); strings.HasPrefix(base, "sha256:") {
		key = base
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.read[key] += int64(n)
}

// taken is what was read since the last call.
func (p *proxy) taken() map[string]int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	read := p.read
	p.read = map[string]int64{}
	return read
}

func (p *proxy) close() error { return p.server.Close() }

// counter counts the bytes of an answer's body.
type counter struct {
	http.ResponseWriter
	count func(int)
}

// Write counts first: who has read all of an answer may ask at once what it was.
func (c *counter) Write(b []byte) (int, error) {
	c.count(len(b))
	return c.ResponseWriter.Write(b)
}

// Unwrap lets the proxy flush.
func (c *counter) Unwrap() http.ResponseWriter { return c.ResponseWriter }
