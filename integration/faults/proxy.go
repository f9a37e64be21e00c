package faults

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// stallTime is long for a registry and short for a test. BuildKit itself waits for a
// connection for 30 s and for an answer as long as the build lasts.
const stallTime = time.Second

// Forward hands requests to a registry. They keep the Host under which they came, so
// that the registry's Location headers lead back here.
func Forward(registry string) *httputil.ReverseProxy {
	return &httputil.ReverseProxy{
		// Hundreds of builds push at once: their connections are kept.
		Transport: &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true},
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: registry})
			r.Out.Host = r.In.Host
		},
		ErrorLog: log.New(io.Discard, "", 0), // builds that are cancelled
	}
}

// Proxy is a handler in front of a registry, with a plan of what goes wrong.
type Proxy struct {
	// OnFault is called before a planned fault happens, in the request's goroutine.
	OnFault func(Fault)

	forward *httputil.ReverseProxy
	tokens  *tokens // or nil

	mu      sync.Mutex
	planned map[Fault]bool
	seen    map[Place]int
	hits    []Fault
	configs map[string]bool // digests that manifests call configs
}

// New is a proxy without faults. With tokens it asks for one at each request.
func New(registry string, withTokens bool) *Proxy {
	p := &Proxy{
		forward: Forward(registry), planned: map[Fault]bool{}, seen: map[Place]int{}, configs: map[string]bool{},
	}
	if withTokens {
		p.tokens = &tokens{valid: map[string]bool{}}
	}
	p.forward.ModifyResponse = p.learn
	return p
}

// Plan sets what goes wrong from now on; requests are counted anew.
func (p *Proxy) Plan(plan ...Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.planned, p.seen, p.hits = map[Fault]bool{}, map[Place]int{}, nil
	for _, f := range plan {
		p.planned[f] = true
	}
}

// Hits are the faults of the plan that have happened, in order.
func (p *Proxy) Hits() []Fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.hits)
}

// Seen says how many requests came, by place, since the plan was set.
func (p *Proxy) Seen() map[Place]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.seen)
}

// ServeHTTP lets a request through, or not.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	fault, planned := p.next(r)
	if planned && p.OnFault != nil {
		p.OnFault(fault)
	}
	if !planned || fault.Kind == Nothing {
		p.serve(w, r)
		return
	}
	p.fail(w, r, fault)
}

// next counts a request and finds what is planned for it.
func (p *Proxy) next(r *http.Request) (Fault, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.tokens.refuses(r) {
		return Fault{}, false // it comes again, with a token
	}
	at := place(r, p.configs)
	p.seen[at]++
	for f := range p.planned {
		if f.Place == at && f.N == p.seen[at] {
			delete(p.planned, f)
			p.hits = append(p.hits, f)
			return f, true
		}
	}
	return Fault{}, false
}

// serve answers as the registry does.
func (p *Proxy) serve(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == tokenPath:
		p.tokens.issue(w)
	case p.tokens.refuses(r):
		p.tokens.challenge(w, r)
	default:
		p.forward.ServeHTTP(w, r)
	}
}

// learn reads which blobs are configs.
func (p *Proxy) learn(resp *http.Response) error {
	if resp.Request.Method != http.MethodGet || !strings.Contains(resp.Request.URL.Path, "/manifests/") {
		return nil
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	var manifest struct {
		Config struct{ Digest string }
	}
	if err := json.Unmarshal(body, &manifest); err != nil {
		return fmt.Errorf("a manifest of the registry: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.configs[manifest.Config.Digest] = true
	return nil
}
