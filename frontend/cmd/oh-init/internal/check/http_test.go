package check

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func clientOf(t *testing.T, h http.HandlerFunc) client {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return client{port: s.Listener.Addr().(*net.TCPAddr).Port, header: []string{"X-Session-API-Key: secret"}}
}

func TestClient(t *testing.T) {
	long := strings.Repeat("0123456789abcdef", 10_000)
	c := clientOf(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/length":
			w.Header().Set("Content-Length", fmt.Sprint(len(long)))
			_, _ = io.WriteString(w, long)
		case "/chunked":
			for part := range strings.SplitAfterSeq(long, "f") {
				_, _ = io.WriteString(w, part)
				if len(part) > 0 && r.URL.RawQuery == "flush" {
					w.(http.Flusher).Flush()
				}
			}
		case "/empty":
			w.WriteHeader(http.StatusNoContent)
		case "/echo":
			b, _ := io.ReadAll(r.Body)
			w.WriteHeader(http.StatusTeapot)
			fmt.Fprintf(w, "%s %s %s %s", r.Method, r.Header.Get("Content-Type"), r.Header.Get("X-Session-API-Key"), b)
		}
	})
	for path, want := range map[string]string{"/length": long, "/chunked": long, "/chunked?flush": long, "/empty": ""} {
		r, err := c.get(t.Context(), path)
		if err != nil || string(r.body) != want {
			t.Errorf("%s: status %d with %d bytes, %v; want %d bytes", path, r.status, len(r.body), err, len(want))
		}
	}
	r, err := c.post(t.Context(), "/echo", []byte(`{"a":1}`))
	if err != nil || r.status != 418 || string(r.body) != `POST application/json secret {"a":1}` {
		t.Errorf("status %d, %q, %v", r.status, r.body, err)
	}
}

func TestClientFollowsRedirects(t *testing.T) {
	c := clientOf(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		case "/away":
			http.Redirect(w, r, "http://example.com/", http.StatusFound)
		case "/relative/a":
			w.Header().Set("Location", "./b?x=1")
			w.WriteHeader(http.StatusMovedPermanently)
		case "/absolute":
			http.Redirect(w, r, "http://"+r.Host+"/relative/b", http.StatusFound)
		case "/nowhere":
			w.WriteHeader(http.StatusFound)
		default:
			if r.URL.Path == "/" || r.URL.Query().Has("tkn") {
				fakeEditor("5f1f3c1e")(w, r)
				return
			}
			fmt.Fprint(w, r.URL.String())
		}
	})
	for path, want := range map[string]string{
		"/relative/a":    "/relative/b?x=1",
		"/absolute":      "/relative/b",
		"/?tkn=5f1f3c1e": `<!DOCTYPE html><body class="monaco-workbench">`,
	} {
		if r, err := c.get(t.Context(), path); err != nil || string(r.body) != want {
			t.Errorf("%s: %q, %v; want %q", path, r.body, err, want)
		}
	}
	for path, want := range map[string]string{
		"/loop": "more than 10 redirects", "/away": "another server", "/nowhere": "leads nowhere",
	} {
		if _, err := c.get(t.Context(), path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", path, err, want)
		}
	}
	if err := workbench(t.Context(), c, "wrong"); err == nil || !strings.Contains(err.Error(), "status 403") {
		t.Errorf("a wrong token: got %v", err)
	}
}

// rawServer answers one connection with bytes.
func rawServer(t *testing.T, answer string) client {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		buf := make([]byte, 4096)
		_, _ = conn.Read(buf)
		_, _ = io.WriteString(conn, answer)
		if answer == "" {
			_, _ = conn.Read(buf) // until the client goes
		}
	}()
	return client{port: l.Addr().(*net.TCPAddr).Port}
}

func TestClientReadsRawAnswers(t *testing.T) {
	for answer, want := range map[string]string{
		"HTTP/1.0 200 OK\r\n\r\nuntil the end":                                                                "until the end",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200\r\nContent-Length: 2\r\n\r\nokmore":                        "ok",
		"HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nT: 1\r\n\r\n": "abc0123456789",
	} {
		if r, err := rawServer(t, answer).get(t.Context(), "/"); err != nil || string(r.body) != want {
			t.Errorf("%q: %q, %v; want %q", answer, r.body, err, want)
		}
	}
	const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	for answer, want := range map[string]string{
		"SSH-2.0-OpenSSH_9\r\n":                                  "not HTTP",
		"HTTP/1.1 ok\r\n\r\n":                                    "no status",
		"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort":     "unexpected EOF",
		"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n":          "no length",
		"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n": "more than",
		"HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 70<<10):   "buffer full",
		chunked + "2\r\nabc\r\n":                                 "longer than it says",
		chunked + "xyz\r\n":                                      "no length of a chunk",
		chunked + "7fffffffffffffff\r\n":                         "more than",
		chunked + "5\r\nab":                                      "unexpected EOF",
	} {
		if r, err := rawServer(t, answer).get(t.Context(), "/"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: %d %q, %v; want %q", answer, r.status, r.body, err, want)
		}
	}
}

func TestClientDoesNotWait(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := rawServer(t, "").get(ctx, "/"); err == nil || err.Error() != "no answer in time" {
		t.Errorf("a silent server: got %v", err)
	}
	port, err := freePort(30000)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (client{port: port}).get(t.Context(), "/"); err == nil || !strings.Contains(err.Error(), "nobody listens") {
		t.Errorf("nobody there: got %v", err)
	}
}

func TestServePage(t *testing.T) {
	port, stop, err := servePage("<p>grüße")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if got := fetch(fmt.Sprintf("http://127.0.0.1:%d/any", port)); got != "<p>grüße" {
			t.Errorf("got %q", got)
		}
	}
	stop()
	if got := fetch(fmt.Sprintf("http://127.0.0.1:%d/", port)); !strings.Contains(got, "refused") {
		t.Errorf("after stop: %q", got)
	}
}
