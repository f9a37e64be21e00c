package integration

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha1"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// privateServer serves a git repository and a greeting by HTTPS. Its
// certificate is signed by a CA that nobody knows who does not have certs as
// /etc/ssl/certs.
type privateServer struct{ url, certs string }

func newPrivateServer(t *testing.T) *privateServer {
	t.Helper()
	ca, certificate := issue(t)
	mux := http.NewServeMux()
	mux.HandleFunc("/hello", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "hello") })
	mux.Handle("/repo.git/", gitBackend(t))
	server := httptest.NewUnstartedServer(mux)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // who does not know the CA hangs up
	server.StartTLS()
	t.Cleanup(server.Close)

	certs := t.TempDir()
	if err := os.Chmod(certs, 0o755); err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Raw})
	for _, file := range []string{"ca-certificates.crt", subjectHash(t, ca) + ".0"} {
		if err := os.WriteFile(filepath.Join(certs, file), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return &privateServer{url: server.URL, certs: certs}
}

// issue makes a CA and a certificate of it for 127.0.0.1.
func issue(t *testing.T) (ca *x509.Certificate, leaf tls.Certificate) {
	t.Helper()
	sign := func(template, parent *x509.Certificate, public, signer any) *x509.Certificate {
		template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
		der, err := x509.CreateCertificate(rand.Reader, template, parent, public, signer)
		if err != nil {
			t.Fatal(err)
		}
		c, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	key := func() *ecdsa.PrivateKey {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	caKey, leafKey := key(), key()
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "private ca"},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	ca = sign(root, root, caKey.Public(), caKey)
	cert := sign(&x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "server"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, ca, leafKey.Public(), caKey)
	return ca, tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: leafKey}
}

// subjectHash is the name by which OpenSSL finds a CA in a directory
// (X509_NAME_hash_ex): of SHA-1 over the subject's parts, with their text in
// lower case as UTF8String, the first four bytes.
func subjectHash(t *testing.T, ca *x509.Certificate) string {
	t.Helper()
	type attribute struct {
		Type  asn1.ObjectIdentifier
		Value string `asn1:"utf8"`
	}
	sum := sha1.New()
	for _, name := range ca.Subject.Names {
		der, err := asn1.MarshalWithParams([]attribute{{name.Type, strings.ToLower(name.Value.(string))}}, "set")
		if err != nil {
			t.Fatal(err)
		}
		sum.Write(der)
	}
	return fmt.Sprintf("%08x", binary.LittleEndian.Uint32(sum.Sum(nil)))
}

// gitBackend serves a repository of one commit with git's own server.
func gitBackend(t *testing.T) http.Handler {
	t.Helper()
	root := t.TempDir()
	git := func(args ...string) string {
		cmd := exec.Command("git", args...)
		cmd.Dir = root
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %q: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	git("init", "-q", "work")
	git("-C", "work", "-c", "user.name=n", "-c", "user.email=e", "commit", "-q", "--allow-empty", "-m", "first")
	git("clone", "-q", "--bare", "work", "repo.git")
	return &cgi.Handler{
		Path: filepath.Join(git("--exec-path"), "git-http-backend"), Stderr: io.Discard,
		Env: []string{"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1"},
	}
}
