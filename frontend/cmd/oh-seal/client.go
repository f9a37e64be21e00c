package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/openhands/llb-frontend/llb/secret"
)

// handed is what the build's client has handed over: secrets, each a file named
// by its id.
type handed struct {
	secrets string // directory of the secrets
	private string // a tmpfs, for what is made of them
	bundles []string
}

// builds is where a stage has all of it. A builder need not have certificates;
// the lib component has.
func builds() handed {
	return handed{secret.Dir, secret.Private, []string{
		systemBundle, "/run/openhands/lib/openhands/c/cert.pem",
	}}
}

// read gives a secret, empty if there is none.
func (h handed) read(id string) ([]byte, error) {
	b, err := os.ReadFile(h.path(id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return b, err
}

func (h handed) path(id string) string { return filepath.Join(h.secrets, id) }

// bundle writes the certificates that are trusted, the machine's and the
// client's, and returns the file; "" where the client has handed none.
func (h handed) bundle() (string, error) {
	ca, err := h.read(secret.CA)
	if err != nil || len(ca) == 0 {
		return "", err
	}
	all := append(bytes.TrimRight(h.system(), "\n"), '\n')
	name := filepath.Join(h.private, "ca.pem")
	// Everybody may read it: apt's methods have a user of their own.
	return name, os.WriteFile(name, append(all, ca...), 0o644)
}

func (h handed) system() []byte {
	for _, name := range h.bundles {
		if b, err := os.ReadFile(name); err == nil && len(b) > 0 {
			return b
		}
	}
	return nil
}

func (h handed) netrc() (netrc, error) {
	b, err := h.read(secret.Netrc)
	return parseNetrc(string(b)), err
}

// errDowngrade keeps passwords off connections that everybody can read.
var errDowngrade = errors.New("leads from https")

// http is a client that trusts the client's certificates and goes through the
// proxies of the environment.
func (h handed) http() (*http.Client, error) {
	ca, err := h.read(secret.CA)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(h.system())
	if len(ca) > 0 && !pool.AppendCertsFromPEM(ca) {
		return nil, fmt.Errorf("the secret %q holds no certificate in PEM", secret.CA)
	}
	proxyForAll()
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: 30 * time.Second}).DialContext,
			TLSClientConfig:       &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout:   30 * time.Second,
			ResponseHeaderTimeout: 2 * time.Minute,
		},
		CheckRedirect: func(next *http.Request, via []*http.Request) error {
			if len(via) >= 10 {
				return errors.New("ten redirects")
			}
			if via[0].URL.Scheme == "https" && next.URL.Scheme != "https" {
				return fmt.Errorf("%s %w to %s://%s", via[0].URL, errDowngrade, next.URL.Scheme, next.URL.Host)
			}
			return nil
		},
	}, nil
}

// proxyForAll is what ALL_PROXY means to curl: a proxy where no other is named.
func proxyForAll() {
	all := firstEnv("all_proxy", "ALL_PROXY")
	for _, name := range []string{"http_proxy", "https_proxy"} {
		if all != "" && firstEnv(name, strings.ToUpper(name)) == "" {
			_ = os.Setenv(name, all) // fails for names that are none
		}
	}
}

func firstEnv(names ...string) string {
	for _, name := range names {
		if v := os.Getenv(name); v != "" {
			return v
		}
	}
	return ""
}

// remedy says which secret would help against what went wrong, "" if none.
func remedy(err error, host string, status int) string {
	var unknown x509.UnknownAuthorityError
	switch {
	case errors.As(err, &unknown):
		return fmt.Sprintf("%s has a certificate of an authority that is not trusted here: hand over its CA with --secret id=%s,src=ca.pem", host, secret.CA)
	case status == http.StatusUnauthorized, status == http.StatusProxyAuthRequired, status == http.StatusForbidden:
		return fmt.Sprintf("%s wants a user name and a password, or refuses those that it got: check the entry \"machine %s\" of --secret id=%s,src=...", host, host, secret.Netrc)
	}
	return ""
}
