package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/openhands/llb-frontend/llb/secret"
)

const archive = "an archive"

// handedOver is a client that has handed over secrets.
func handedOver(t *testing.T, secrets map[string]string) handed {
	t.Helper()
	h := handed{secrets: t.TempDir(), private: t.TempDir()}
	for id, content := range secrets {
		if err := os.WriteFile(h.path(id), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

// privateServer gives the archive for a password, after as many failures.
func privateServer(t *testing.T, failures int) (server *httptest.Server, ca string) {
	t.Helper()
	server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		switch {
		case user != "me" || password != "secret":
			w.WriteHeader(http.StatusUnauthorized)
		case r.URL.Path == "/down":
			http.Redirect(w, r, "http://"+r.Host+"/", http.StatusFound)
		case failures > 0:
			failures--
			if failures%2 == 0 {
				w.Header().Set("Content-Length", fmt.Sprint(len(archive)))
				fmt.Fprint(w, archive[:3]) // and is lost
				return
			}
			w.WriteHeader(http.StatusBadGateway)
		default:
			fmt.Fprint(w, archive)
		}
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // clients that do not trust it
	t.Cleanup(server.Close)
	return server, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
}

func TestDownload(t *testing.T) {
	sum := sha256.Sum256([]byte(archive))
	const netrcFile = "machine 127.0.0.1 login me password secret\n"
	for _, tt := range []struct {
		name      string
		failures  int
		path, ca  string
		netrc     string
		digest    string
		want      string
		wantPause int
	}{
		{name: "at once", netrc: netrcFile},
		{name: "again and again", netrc: netrcFile, failures: attempts - 1, wantPause: attempts - 1},
		{name: "never", netrc: netrcFile, failures: 99, want: "download https://127.0.0.1", wantPause: attempts - 1},
		{name: "no password", want: `401 Unauthorized` + "\n" + `127.0.0.1 wants a user name and a password, or refuses those that it got: check the entry "machine 127.0.0.1" of --secret id=netrc`},
		{name: "wrong password", netrc: "machine 127.0.0.1 login me password wrong\n", want: "--secret id=netrc"},
		{name: "no CA", netrc: netrcFile, ca: "none", want: "hand over its CA with --secret id=ca"},
		{name: "no PEM", netrc: netrcFile, ca: "nonsense", want: `the secret "ca" holds no certificate in PEM`},
		{name: "another file", netrc: netrcFile, digest: strings.Repeat("0", 64), want: "the file has the digest sha256:" + hex.EncodeToString(sum[:])},
		{name: "to plain http", netrc: netrcFile, path: "/down", want: "leads from https to http://"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server, ca := privateServer(t, tt.failures)
			secrets := map[string]string{secret.Netrc: tt.netrc, secret.CA: ca}
			switch tt.ca {
			case "none":
				delete(secrets, secret.CA)
			case "nonsense":
				secrets[secret.CA] = tt.ca
			}
			out := filepath.Join(t.TempDir(), "file")
			opt := options{out: out, sha256: hex.EncodeToString(sum[:]), args: []string{server.URL + tt.path}}
			if tt.digest != "" {
				opt.sha256 = tt.digest
			}
			pauses := 0
			err := download(t.Context(), handedOver(t, secrets), opt, func(context.Context, time.Duration) error {
				pauses++
				return nil
			}, t.Logf)
			if pauses != tt.wantPause {
				t.Errorf("waited %d times, want %d", pauses, tt.wantPause)
			}
			if tt.want != "" {
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("got %v, want %s", err, tt.want)
				}
				if files, _ := os.ReadDir(filepath.Dir(out)); len(files) > 0 {
					t.Errorf("left behind: %v", files)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(out)
			info, _ := os.Stat(out)
			if err != nil || string(b) != archive || info.Mode() != 0o600 || info.ModTime().Unix() != 0 {
				t.Errorf("%q, %v of %v, %v", b, info.Mode(), info.ModTime(), err)
			}
		})
	}
}

func TestHints(t *testing.T) {
	server, ca := privateServer(t, 0)
	for _, tt := range []struct {
		name    string
		secrets map[string]string
		want    string
	}{
		{"all is well", map[string]string{secret.CA: ca, secret.Netrc: "machine 127.0.0.1 login me password secret"}, ""},
		{"no password", map[string]string{secret.CA: ca}, "hint: 127.0.0.1 wants a user name"},
		{"no CA", nil, "hint: 127.0.0.1 has a certificate of an authority that is not trusted here"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var said []string
			say := func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) }
			// Once for a host, whatever is asked of it.
			if err := hints(t.Context(), handedOver(t, tt.secrets), []string{server.URL + "/a", server.URL + "/b"}, say); err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(said, "\n"); tt.want == "" && got != "" || !strings.Contains(got, tt.want) || len(said) > 1 {
				t.Errorf("said %q, want %q", said, tt.want)
			}
		})
	}
}
