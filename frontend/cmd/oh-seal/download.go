package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"
)

// attempts are made at a download before it is given up.
const attempts = 5

// statusError is an answer that is not the file.
type statusError struct {
	code int
	text string
}

func (e *statusError) Error() string { return "the server answers " + e.text }

// download fetches the file with a digest, or looks up what its digest is. A server that is overloaded or lost
// on the way is asked again.
func download(ctx context.Context, h handed, opt options, pause func(context.Context, time.Duration) error, say func(string, ...any)) error {
	address, err := url.Parse(opt.args[0])
	if err != nil {
		return err
	}
	client, err := h.http()
	if err != nil {
		return err
	}
	for n := 1; ; n++ {
		err := once(ctx, h, client, address, opt)
		if err == nil {
			return nil
		}
		if n == attempts || !passing(err) || ctx.Err() != nil {
			return explained(fmt.Errorf("download %s: %w", address.Redacted(), err), address.Hostname())
		}
		wait := time.Second << (n - 1)
		say("download %s: %s; again in %s", address.Redacted(), err, wait)
		if err := pause(ctx, wait); err != nil {
			return err
		}
	}
}

// passing tells whether an error may be gone at the next attempt.
func passing(err error) bool {
	if status := (*statusError)(nil); errors.As(err, &status) {
		return status.code >= 500 || status.code == http.StatusTooManyRequests || status.code == http.StatusRequestTimeout
	}
	var wrong *digestError
	return !errors.As(err, &wrong) && !errors.Is(err, errDowngrade) && remedy(err, "", 0) == ""
}

func explained(err error, host string) error {
	code := 0
	if status := (*statusError)(nil); errors.As(err, &status) {
		code = status.code
	}
	if text := remedy(err, host, code); text != "" {
		return fmt.Errorf("%w\n%s", err, text)
	}
	return err
}

func once(ctx context.Context, h handed, client *http.Client, address *url.URL, opt options) error {
	resp, err := get(ctx, h, client, address)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return &statusError{resp.StatusCode, resp.Status}
	}
	if opt.command == "digest" {
		return measure(resp.Body, opt)
	}
	return store(resp.Body, opt)
}

// get sends the password for the host, if the client has handed over one.
func get(ctx context.Context, h handed, client *http.Client, address *url.URL) (*http.Response, error) {
	logins, err := h.netrc()
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
	if err != nil {
		return nil, err
	}
	if l, ok := logins.of(address.Hostname()); ok {
		req.SetBasicAuth(l.user, l.password)
	}
	return client.Do(req)
}

type digestError struct{ got, want string }

func (e *digestError) Error() string {
	return fmt.Sprintf("the file has the digest sha256:%s, wanted is sha256:%s: it is another file, or its makers' digest was copied wrongly", e.got, e.want)
}

// store writes the file as BuildKit's own downloads are: for root alone, of the
// Unix epoch.
func store(body io.Reader, opt options) (err error) {
	f, err := os.CreateTemp(filepath.Dir(opt.out), ".download-")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	hash := sha256.New()
	_, err = io.Copy(io.MultiWriter(f, hash), body)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if got := hex.EncodeToString(hash.Sum(nil)); got != opt.sha256 {
		return &digestError{got, opt.sha256}
	}
	if err := os.Chtimes(f.Name(), time.Unix(0, 0), time.Unix(0, 0)); err != nil {
		return err
	}
	return os.Rename(f.Name(), opt.out)
}

// pause waits, unless the build is cancelled.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// hints asks each mirror for itself, and says what keeps this build from it. It
// stands at the end of a stage that has failed: tools say what happened, and
// not which secret would help.
func hints(ctx context.Context, h handed, addresses []string, say func(string, ...any)) error {
	client, err := h.http()
	if err != nil {
		return err
	}
	client.Timeout = 20 * time.Second
	said := map[string]bool{}
	for _, a := range addresses {
		address, err := url.Parse(a)
		if err != nil || said[address.Host] {
			continue
		}
		said[address.Host] = true
		resp, err := get(ctx, h, client, address)
		code := 0
		if err == nil {
			code = resp.StatusCode
			resp.Body.Close()
		}
		if text := remedy(err, address.Hostname(), code); text != "" {
			say("hint: %s", text)
		} else if err != nil {
			say("hint: %s", err)
		}
	}
	return nil
}
