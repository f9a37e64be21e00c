package faults

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// fail does to a request what is planned.
func (p *Proxy) fail(w http.ResponseWriter, r *http.Request, f Fault) {
	switch f.Kind {
	case TooMany:
		w.Header().Set("Retry-After", "1")
		http.Error(w, "too many requests", http.StatusTooManyRequests)
	case ServerError:
		http.Error(w, "internal error", http.StatusInternalServerError)
	case Unavailable:
		http.Error(w, "unavailable", http.StatusServiceUnavailable)
	case Stall:
		time.Sleep(stallTime)
		p.serve(w, r)
	case Expired:
		p.tokens.expire(r)
		p.tokens.challenge(w, r)
	case Garbage:
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, "<html>not what you asked for</html>") // a client that has gone
	case Flipped:
		p.flip(w, r, f.Phase)
	default:
		p.cut(w, r, f)
	}
}

// flip changes a byte: of a body that is written, or of the answer's.
func (p *Proxy) flip(w http.ResponseWriter, r *http.Request, phase Phase) {
	if phase == Blob || phase == ManifestPut {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the client has gone
		}
		r.Body = io.NopCloser(bytes.NewReader(flipped(body)))
		p.serve(w, r)
		return
	}
	a := p.answer(r)
	const digest = "Docker-Content-Digest"
	if d := a.header.Get(digest); phase == ManifestHead && d != "" {
		last := "0" // another digest, of the right form
		if strings.HasSuffix(d, last) {
			last = "1"
		}
		a.header.Set(digest, d[:len(d)-1]+last)
	}
	if len(a.body.Bytes()) > 0 {
		a.body = *bytes.NewBuffer(flipped(a.body.Bytes()))
	}
	a.send(w)
}

// flipped is b with a bit changed in its middle.
func flipped(b []byte) []byte {
	if len(b) > 0 {
		b[len(b)/2] ^= 1
	}
	return b
}

// cut ends the connection before the answer has: with a reset, or as if it were over.
func (p *Proxy) cut(w http.ResponseWriter, r *http.Request, f Fault) {
	a := &answer{}
	if f.Kind == Lost || r.Method == http.MethodGet {
		a = p.answer(r)
	}
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return // the connection is over already
	}
	defer conn.Close()
	if r.Method == http.MethodGet {
		body := a.body.Bytes()
		fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s",
			a.header.Get("Content-Type"), len(body), body[:len(body)/2])
	}
	if tcp, ok := conn.(*net.TCPConn); ok && f.Kind != Truncated {
		_ = tcp.SetLinger(0) // closing then sends a reset
	}
}

// answer is what the registry says, kept to be spoiled.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (p *Proxy) answer(r *http.Request) *answer {
	a := &answer{header: http.Header{}, status: http.StatusOK}
	p.serve(a, r)
	return a
}

// Header, WriteHeader and Write make it an http.ResponseWriter.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader keeps the status.
func (a *answer) WriteHeader(status int) { a.status = status }

// Write keeps the body.
func (a *answer) Write(b []byte) (int, error) { return a.body.Write(b) }

func (a *answer) send(w http.ResponseWriter) {
	for key, values := range a.header {
		w.Header()[key] = values
	}
	if a.body.Len() > 0 {
		w.Header().Set("Content-Length", strconv.Itoa(a.body.Len()))
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body.Bytes()) // a client that has gone
}
