package faults

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
)

const tokenPath = "/token"

// tokens is the token server of the distribution specification's authentication. A
// nil one lets everybody in.
type tokens struct {
	mu    sync.Mutex
	valid map[string]bool
}

// issue gives a token to everybody.
func (t *tokens) issue(w http.ResponseWriter) {
	token := rand.Text()
	t.mu.Lock()
	t.valid[token] = true
	t.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"token": token, "expires_in": 300}) // a client that has gone
}

// refuses says whether a request has no token that is valid now.
func (t *tokens) refuses(r *http.Request) bool {
	if t == nil || r.URL.Path == tokenPath {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.valid[bearer(r)]
}

// expire ends the token of a request.
func (t *tokens) expire(r *http.Request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.valid, bearer(r))
}

func bearer(r *http.Request) string {
	return strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
}

// challenge tells a client where tokens are.
func (t *tokens) challenge(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/v2/")
	for _, part := range []string{"/blobs/", "/manifests/"} {
		name, _, _ = strings.Cut(name, part)
	}
	scope := "pull"
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		scope += ",push"
	}
	challenge := fmt.Sprintf(`Bearer realm="http://%s%s",service="registry",scope="repository:%s:%s"`, r.Host, tokenPath, name, scope)
	if bearer(r) != "" {
		challenge += `,error="invalid_token"`
	}
	w.Header().Set("WWW-Authenticate", challenge)
	http.Error(w, "unauthorized", http.StatusUnauthorized)
}
