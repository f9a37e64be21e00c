package check

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
)

// client speaks HTTP/1.1 with a server on loopback, one connection for each
// request. The library's client would double the size of the program.
type client struct {
	port   int
	header []string // lines of every request
}

type response struct {
	status int
	header map[string][]string // names in lower case
	body   []byte
}

// mostBody is more than a screenshot in base64 takes.
const mostBody = 64 << 20

// get follows redirects, and shows the cookies that they set.
func (c client) get(ctx context.Context, path string) (response, error) {
	cookies := map[string]string{}
	for range 10 {
		r, err := c.do(ctx, "GET", path, nil, cookies)
		if err != nil || r.status < 300 || r.status > 399 {
			return r, err
		}
		for _, line := range r.header["set-cookie"] {
			pair, _, _ := strings.Cut(line, ";")
			if name, value, found := strings.Cut(pair, "="); found {
				cookies[strings.TrimSpace(name)] = value
			}
		}
		to := r.header["location"]
		if len(to) == 0 {
			return r, fmt.Errorf("status %d leads nowhere: it has no Location", r.status)
		}
		if path, err = c.target(path, to[0]); err != nil {
			return r, err
		}
	}
	return response{}, errors.New("more than 10 redirects")
}

// target resolves a redirect. Where it leads off, the server is not the one
// that was asked.
func (c client) target(from, to string) (string, error) {
	if rest, found := strings.CutPrefix(to, "http://"); found {
		host, path, _ := strings.Cut(rest, "/")
		if _, port, _ := strings.Cut(host, ":"); port != strconv.Itoa(c.port) {
			return "", fmt.Errorf("redirect to another server: %s", oneLine(to))
		}
		return "/" + path, nil
	}
	switch {
	case strings.Contains(to, "://"), strings.HasPrefix(to, "//"):
		return "", fmt.Errorf("redirect to another server: %s", oneLine(to))
	case strings.HasPrefix(to, "/"):
		return to, nil
	}
	from, _, _ = strings.Cut(from, "?")
	if to == "." { // VS Code's
		to = ""
	}
	return from[:strings.LastIndexByte(from, '/')+1] + strings.TrimPrefix(to, "./"), nil
}

func (c client) post(ctx context.Context, path string, body []byte) (response, error) {
	return c.do(ctx, "POST", path, body, nil)
}

func (c client) do(ctx context.Context, method, path string, body []byte, cookies map[string]string) (response, error) {
	// A Dialer would bring the resolver of names along, 220 kB. It could be
	// interrupted, but on loopback there is nothing to wait for.
	conn, err := net.DialTCP("tcp4", nil, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: c.port})
	if err != nil {
		return response{}, errors.New("nobody listens on its port: " + cause(err))
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()

	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\n", method, path, c.port)
	for _, line := range c.header {
		b.WriteString(line + "\r\n")
	}
	for name, value := range cookies {
		fmt.Fprintf(&b, "Cookie: %s=%s\r\n", name, value)
	}
	if method == "POST" {
		fmt.Fprintf(&b, "Content-Type: application/json\r\nContent-Length: %d\r\n", len(body))
	}
	b.WriteString("\r\n")
	b.Write(body)
	_, err = conn.Write(b.Bytes())
	var r response
	if err == nil {
		r, err = readResponse(bufio.NewReaderSize(conn, 64<<10))
	}
	switch {
	case ctx.Err() != nil:
		return response{}, errors.New("no answer in time")
	case err != nil:
		return response{}, fmt.Errorf("no whole answer: %w", err)
	}
	return r, nil
}

func readResponse(r *bufio.Reader) (response, error) {
	line, err := readLine(r)
	if err != nil {
		return response{}, err
	}
	f := strings.SplitN(line, " ", 3)
	if len(f) < 2 || !strings.HasPrefix(f[0], "HTTP/1.") {
		return response{}, fmt.Errorf("this is not HTTP: %q", oneLine(line))
	}
	status, err := strconv.Atoi(f[1])
	if err != nil || status < 100 || status > 599 {
		return response{}, fmt.Errorf("this is no status: %q", oneLine(line))
	}
	res := response{status: status, header: map[string][]string{}}
	for {
		if line, err = readLine(r); err != nil {
			return response{}, err
		}
		if line == "" {
			break
		}
		name, value, _ := strings.Cut(line, ":")
		name = strings.ToLower(name)
		res.header[name] = append(res.header[name], strings.TrimSpace(value))
	}
	if status < 200 { // an interim answer: the real one follows
		return readResponse(r)
	}
	if status != 204 && status != 304 {
		res.body, err = readBody(r, res.header)
	}
	return res, err
}

func readBody(r *bufio.Reader, header map[string][]string) ([]byte, error) {
	if te := header["transfer-encoding"]; len(te) > 0 && strings.EqualFold(te[len(te)-1], "chunked") {
		return readChunks(r)
	}
	length := header["content-length"]
	if len(length) == 0 { // until the end
		b, err := io.ReadAll(io.LimitReader(r, mostBody+1))
		if err == nil && len(b) > mostBody {
			err = errTooLong
		}
		return b, err
	}
	n, err := strconv.ParseUint(length[0], 10, 63)
	switch {
	case err != nil:
		return nil, fmt.Errorf("this is no length: %q", oneLine(length[0]))
	case n > mostBody:
		return nil, errTooLong
	}
	b := make([]byte, n)
	_, err = io.ReadFull(r, b)
	return b, err
}

var errTooLong = fmt.Errorf("it has more than %d MB", mostBody>>20)

func readChunks(r *bufio.Reader) (body []byte, err error) {
	for {
		line, err := readLine(r)
		if err != nil {
			return nil, err
		}
		size, _, _ := strings.Cut(line, ";") // extensions mean nothing to us
		n, err := strconv.ParseUint(strings.TrimSpace(size), 16, 63)
		switch {
		case err != nil:
			return nil, fmt.Errorf("this is no length of a chunk: %q", oneLine(line))
		case n == 0:
			return body, nil // trailers mean nothing either
		case n > mostBody || len(body)+int(n) > mostBody:
			return nil, errTooLong
		}
		at := len(body)
		body = append(body, make([]byte, n)...)
		if _, err := io.ReadFull(r, body[at:]); err != nil {
			return nil, err
		}
		if line, err = readLine(r); err != nil || line != "" {
			return nil, fmt.Errorf("a chunk is longer than it says: %w", errors.Join(err, errors.New(oneLine(line))))
		}
	}
}

// readLine is limited by the size of the reader's buffer.
func readLine(r *bufio.Reader) (string, error) {
	line, err := r.ReadSlice('\n')
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return strings.TrimRight(string(line), "\r\n"), err
}
