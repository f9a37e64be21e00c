package integration

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/openhands/llb-frontend/integration/engine"
	"github.com/openhands/llb-frontend/integration/mirror"
)

// quickly compresses gigabytes of layers in a third of the time; --push keeps its
// meaning beside it. A daemon keeps what it has compressed, so it is for one on which
// no test compares digests.
const quickly = "--output=type=image,compression-level=1"

// mirrorHost is the mirror of the example.
const mirrorHost = "mirror.example.com"

// closedNetwork is a daemon that reaches one mirror, and what the mirror wants.
type closedNetwork struct {
	*engine.Closed
	mirror *mirror.Private
	// ca, netrc and wrong are files: of the mirror's CA, of its password and of
	// another one.
	ca, netrc, wrong string
	needles          map[string][]byte
}

func newClosedNetwork(t *testing.T) *closedNetwork {
	t.Helper()
	ctx := t.Context()
	closed, err := eng.Closed(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := closed.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	files, err := eng.Mirror(ctx)
	if err != nil {
		t.Fatal(err)
	}
	upstream, err := url.Parse(files.URL)
	if err != nil {
		t.Fatal(err)
	}
	m := &mirror.Private{
		URL: "https://" + mirrorHost, User: "user-" + random(t), Password: "password-" + random(t),
		Files: http.NotFoundHandler(), Upstreams: upstreams(t),
	}
	for _, part := range []string{"node", "github", "playwright", "conda"} {
		m.Upstreams["/"+part+"/"] = &url.URL{Scheme: upstream.Scheme, Host: upstream.Host, Path: "/" + part + "/"}
	}
	n := &closedNetwork{Closed: closed, mirror: m}
	dir := t.TempDir()
	n.ca, n.netrc, n.wrong = filepath.Join(dir, "ca.pem"), filepath.Join(dir, "netrc"), filepath.Join(dir, "wrong")
	name, comment := "authority-"+random(t), "comment-"+random(t)
	authority, certificate := certificates(t, name)
	write := func(file, content string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(n.ca, comment+"\n"+authority)
	write(n.netrc, "machine "+mirrorHost+" login "+m.User+" password "+m.Password+"\n")
	write(n.wrong, "machine "+mirrorHost+" login "+m.User+" password wrong\n")
	n.needles = needles(m.User, m.Password, name, comment, authority)
	n.serve(t, "127.0.0.1:443", m, &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12})
	return n
}

// serve answers on an address of the closed network.
func (n *closedNetwork) serve(t *testing.T, addr string, h http.Handler, config *tls.Config) {
	t.Helper()
	l, err := n.Listen(t.Context(), addr)
	if err != nil {
		t.Fatal(err)
	}
	if config != nil {
		l = tls.NewListener(l, config)
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute, ErrorLog: log.New(io.Discard, "", 0)} // clients that do not trust it
	go func() { _ = server.Serve(l) }()                                                                      // until it is closed
	t.Cleanup(func() { server.Close() })
}

// args are those of a build that has the mirror's name, and secrets.
func (n *closedNetwork) args(secrets map[string]string, more ...string) []string {
	args := []string{"--platform=linux/amd64", "--add-host=" + mirrorHost + "=127.0.0.1"}
	for id, file := range secrets {
		args = append(args, "--secret", "id="+id+",src="+file)
	}
	return append(args, more...)
}

func (n *closedNetwork) secrets() map[string]string {
	return map[string]string{"ca": n.ca, "netrc": n.netrc}
}

// spec is a spec with the digests of what the mirror has.
func (n *closedNetwork) spec(t *testing.T, text string) string {
	t.Helper()
	pinned, err := eng.WithDigests(t.Context(), []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), engine.SpecFile)
	if err := os.WriteFile(file, pinned, 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func random(t *testing.T) string {
	t.Helper()
	b := make([]byte, 12)
	if _, err := rand.Read(b); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(b)
}

// certificates are a CA of a name, in PEM, and what it says of the mirror.
func certificates(t *testing.T, name string) (authority string, certificate tls.Certificate) {
	t.Helper()
	sign := func(c, parent *x509.Certificate, key, signer *ecdsa.PrivateKey) []byte {
		t.Helper()
		der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	newKey := func() *ecdsa.PrivateKey {
		t.Helper()
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	from, to := time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: from, NotAfter: to,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: mirrorHost}, DNSNames: []string{mirrorHost},
		NotBefore: from, NotAfter: to, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	caKey, key := newKey(), newKey()
	authority = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: sign(ca, ca, caKey, caKey)}))
	return authority, tls.Certificate{Certificate: [][]byte{sign(leaf, ca, key, caKey)}, PrivateKey: key}
}

// upstreams are the archives and indexes that this machine is configured for,
// by the paths that they get on the mirror.
func upstreams(t *testing.T) map[string]*url.URL {
	t.Helper()
	found := map[string]*url.URL{}
	add := func(path, address string) {
		t.Helper()
		u, err := url.Parse(strings.TrimSuffix(strings.TrimSpace(address), "/") + "/")
		if err != nil || u.Host == "" {
			t.Fatalf("%s: the machine's %q is no address: %v", path, address, err)
		}
		found[path] = u
	}
	sources := t.TempDir()
	extract(t, pulled(t, eng.Registry()+"/library/debian:trixie-slim", "amd64"), "etc/apt/", sources)
	archives := regexp.MustCompile(`https?://[^\s]+`)
	err := filepath.WalkDir(sources, func(file string, d os.DirEntry, err error) error {
		if err != nil || !strings.Contains(d.Name(), "sources") && !strings.HasSuffix(d.Name(), ".list") || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(file)
		for _, a := range archives.FindAllString(string(b), -1) {
			u, err := url.Parse(a)
			if err != nil {
				return err
			}
			add(strings.TrimSuffix(u.Path, "/")+"/", a)
		}
		return err
	})
	if err != nil || len(found) == 0 {
		t.Fatalf("the builder names no archive: %v", err)
	}
	index := os.Getenv("PIP_INDEX_URL")
	if index == "" {
		index = firstOutput(t.Context(),
			[]string{"python3", "-m", "pip", "config", "get", "global.index-url"},
			[]string{"python3", "-c", "from pip._internal.models.index import PyPI; print(PyPI.simple_url)"})
	}
	add("/pypi/simple/", index)
	add("/npm/", firstOutput(t.Context(), []string{"npm", "config", "get", "registry"}))
	return found
}

// firstOutput is what the first command says that succeeds.
func firstOutput(ctx context.Context, commands ...[]string) string {
	for _, c := range commands {
		if out, err := exec.CommandContext(ctx, c[0], c[1:]...).Output(); err == nil {
			return string(out)
		}
	}
	return ""
}

// search looks for what was planted.
func (n *closedNetwork) search() *search {
	return &search{needles: n.needles, seen: map[string]bool{}}
}
