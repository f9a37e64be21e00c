package mirror

import (
	"bytes"
	"crypto/subtle"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"sync"
)

// Private is a mirror as a closed network has one: it wants a password of
// everybody, and serves files of its own beside what it takes from elsewhere.
type Private struct {
	URL            string // by which clients know it
	User, Password string
	Files          http.Handler
	// Upstreams are the places that it takes from, by the path that they have
	// here, "/pypi/".
	Upstreams map[string]*url.URL

	mu      sync.Mutex
	hosts   map[string]bool // that pages of upstreams have led to
	refused int
	served  map[string]int // by the first part of the path
}

// elsewhere is the path below which files of other hosts are, those that an
// index leads to.
const elsewhere = "/elsewhere/"

func (p *Private) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	user, password, _ := r.BasicAuth()
	if user != p.User || subtle.ConstantTimeCompare([]byte(password), []byte(p.Password)) != 1 {
		p.mu.Lock()
		p.refused++
		p.mu.Unlock()
		w.Header().Set("WWW-Authenticate", `Basic realm="mirror"`)
		http.Error(w, "who are you?", http.StatusUnauthorized)
		return
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	p.mu.Lock()
	if p.served == nil {
		p.served = map[string]int{}
	}
	p.served[first]++
	p.mu.Unlock()
	if rest, ok := strings.CutPrefix(r.URL.Path, elsewhere); ok {
		host, _, _ := strings.Cut(rest, "/")
		p.mu.Lock()
		known := p.hosts[host]
		p.mu.Unlock()
		if !known {
			http.NotFound(w, r)
			return
		}
		p.forward(elsewhere+host+"/", &url.URL{Scheme: "https", Host: host, Path: "/"}).ServeHTTP(w, r)
		return
	}
	for prefix, upstream := range p.Upstreams {
		if strings.HasPrefix(r.URL.Path, prefix) {
			p.forward(prefix, upstream).ServeHTTP(w, r)
			return
		}
	}
	p.Files.ServeHTTP(w, r)
}

// Served is how often something of a path ("pypi") was given, and Refused how
// often nothing was for want of a password.
func (p *Private) Served(first string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.served[first]
}

// Refused is how many requests came without the password.
func (p *Private) Refused() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.refused
}

// forward takes from an upstream what is asked for below prefix.
func (p *Private) forward(prefix string, upstream *url.URL) http.Handler {
	return &httputil.ReverseProxy{
		ErrorLog: log.New(io.Discard, "", 0), // clients that go away; they are told of the rest
		Rewrite: func(r *httputil.ProxyRequest) {
			rest := strings.TrimPrefix(r.In.URL.EscapedPath(), prefix)
			target := *upstream
			// Both are paths of parsed addresses.
			target.Path, _ = url.PathUnescape(upstream.Path + rest)
			target.RawPath = upstream.EscapedPath() + rest
			target.RawQuery = r.In.URL.RawQuery
			r.Out.URL, r.Out.Host = &target, upstream.Host
			r.Out.Header.Del("Authorization")
			r.Out.Header.Del("Accept-Encoding") // pages must be readable
		},
		ModifyResponse: func(resp *http.Response) error {
			kind := resp.Header.Get("Content-Type")
			if !strings.Contains(kind, "json") && !strings.Contains(kind, "html") {
				return nil
			}
			page, err := io.ReadAll(resp.Body)
			if err := resp.Body.Close(); err != nil {
				return err
			}
			page = p.rewrite(page, prefix, upstream)
			resp.Body = io.NopCloser(bytes.NewReader(page))
			resp.ContentLength = int64(len(page))
			resp.Header.Set("Content-Length", fmt.Sprint(len(page)))
			return err
		},
	}
}

var link = regexp.MustCompile(`https?://([A-Za-z0-9.-]+(?::[0-9]+)?)/`)

// rewrite lets the links of a page lead to this mirror.
func (p *Private) rewrite(page []byte, prefix string, upstream *url.URL) []byte {
	page = bytes.ReplaceAll(page, []byte(upstream.String()), []byte(p.URL+prefix))
	return link.ReplaceAllFunc(page, func(found []byte) []byte {
		host := string(link.FindSubmatch(found)[1])
		if strings.HasPrefix(string(found), p.URL+"/") {
			return found
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.hosts == nil {
			p.hosts = map[string]bool{}
		}
		p.hosts[host] = true
		return []byte(p.URL + elsewhere + host + "/")
	})
}
