package integration

import (
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/openhands/llb-frontend/integration/engine"
)

// proxy is a way out of the closed network, and counts who takes it.
type proxy struct{ plain, tunnels atomic.Int64 }

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodConnect {
		p.plain.Add(1)
		(&httputil.ReverseProxy{Rewrite: func(*httputil.ProxyRequest) {}}).ServeHTTP(w, r)
		return
	}
	p.tunnels.Add(1)
	out, err := net.Dial("tcp", r.Host)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer out.Close()
	in, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer in.Close()
	if _, err := io.WriteString(in, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		return
	}
	go func() { // until one of the two ends it
		defer out.Close()
		_, _ = io.Copy(out, in)
	}()
	_, _ = io.Copy(in, out)
}

// proxied is a build without mirrors: a proxy is the only way out. It is in no
// cache key and no image.
func (n *closedNetwork) proxied(t *testing.T) {
	const address = "127.0.0.1:3128"
	p := &proxy{}
	n.serve(t, address, p, nil)
	spec := filepath.Join(t.TempDir(), engine.SpecFile)
	if err := os.WriteFile(spec, []byte("# syntax="+engine.FrontendImage+"\nbase_image: alpine:3.22\ndeps: {tools: [bash], uv: true}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	secrets := map[string]string{}
	for _, bundle := range []string{os.Getenv("SSL_CERT_FILE"), "/etc/ssl/certs/ca-certificates.crt"} {
		if _, err := os.Stat(bundle); err == nil {
			secrets["ca"] = bundle // this machine may be behind an authority of its own
			break
		}
	}
	image := imageName(t)
	build := func(address string) string {
		t.Helper()
		res, err := n.Build(t.Context(), engine.BuildOptions{Spec: spec, Image: image, Args: n.args(secrets,
			"--provenance=false", "--build-arg=HTTP_PROXY=http://"+address, "--build-arg=HTTPS_PROXY=http://"+address)})
		if err != nil {
			t.Fatal(err)
		}
		return res.Log
	}
	build(address)
	if p.plain.Load() == 0 || p.tunnels.Load() == 0 {
		t.Errorf("through the proxy went %d requests and %d tunnels", p.plain.Load(), p.tunnels.Load())
	}
	config, err := pulled(t, eng.Registry()+"/"+image, "amd64").RawConfigFile()
	if err != nil || strings.Contains(string(config), "3128") || strings.Contains(strings.ToLower(string(config)), "proxy") {
		t.Errorf("the config names the proxy: %s, %v", config, err)
	}
	// Nothing is there, and nothing is asked of it.
	log := build("127.0.0.1:9")
	for _, step := range []string{"[lib] install", "[uv] install uv"} {
		if !cached(t, log, step) {
			t.Errorf("another proxy runs %s again:\n%s", step, log)
		}
	}
}
