package faults

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Each kind of fault is what it is called, and hits the request that it is planned for.
func TestFaults(t *testing.T) {
	const body = `{"config":{"digest":"sha256:c"}}`
	registry := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Docker-Content-Digest", "sha256:00")
		_, _ = io.WriteString(w, body)
	}))
	defer registry.Close()
	for kind, want := range map[Kind]string{
		TooMany: "429", ServerError: "500", Unavailable: "503", Stall: "200 " + body, Reset: "reset", Truncated: "unexpected EOF",
		Flipped: "200 " + string(flipped([]byte(body))), Garbage: "200 <html>", Expired: "401", Nothing: "200 " + body,
	} {
		p := New(strings.TrimPrefix(registry.URL, "http://"), true)
		server := httptest.NewServer(p)
		token := ask(t, server.URL+tokenPath+"?scope=repository:a/base:pull", "")
		token = strings.Split(token, `"`)[5]
		p.Plan(Fault{kind, Place{ManifestGet, "base"}, 2})
		for i, want := range []string{"200 " + body, want} {
			if got := ask(t, server.URL+"/v2/a/base/manifests/1", token); !strings.Contains(got, want) {
				t.Errorf("%s, request %d: got %q, want %q", kind, i+1, got, want)
			}
		}
		if len(p.Hits()) != 1 || p.Seen()[Place{ManifestGet, "base"}] != 2 {
			t.Errorf("%s: hits %q of requests %v", kind, p.Hits(), p.Seen())
		}
		server.Close()
	}
}

// ask is what a client sees: a status and a body, or an error.
func ask(t *testing.T, address, token string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return err.Error()
	}
	return resp.Status[:3] + " " + string(b)
}
