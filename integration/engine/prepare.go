package engine

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
)

// caBundle is where Debian keeps the CA certificates of a machine.
const caBundle = "/etc/ssl/certs/ca-certificates.crt"

// reachable gives the spec file to build: the one given, or where it downloads
// what this machine cannot reach, a copy that takes it from the mirror.
func (e *Engine) reachable(ctx context.Context, spec string) (string, error) {
	original, err := os.ReadFile(spec)
	if err != nil {
		return "", err
	}
	if e.closed || !isSpec(original) {
		return spec, nil
	}
	mirrored, err := e.WithMirrors(ctx, original)
	if err != nil || bytes.Equal(mirrored, original) {
		return spec, err
	}
	sum := sha256.Sum256(mirrored)
	dir := e.path("specs", hex.EncodeToString(sum[:6]))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	file := filepath.Join(dir, filepath.Base(spec))
	e.logf("%s downloads from outside; built is %s, which takes that from the local mirror", spec, file)
	return file, os.WriteFile(file, mirrored, 0o644)
}

// isSpec tells a spec from a Dockerfile, of which tests build some too.
func isSpec(file []byte) bool {
	first, _, _ := bytes.Cut(file, []byte("\n"))
	return bytes.Contains(first, []byte("syntax=")) && bytes.Contains(first, []byte("/llb-frontend"))
}

// secretArgs hand the machine's CA certificates to the build: on a machine
// behind a proxy with a CA of its own, stages could fetch nothing else.
func (e *Engine) secretArgs() []string {
	if e.closed {
		return nil
	}
	bundle := caBundle
	if file := os.Getenv("SSL_CERT_FILE"); file != "" {
		bundle = file
	}
	if _, err := os.Stat(bundle); err != nil {
		return nil
	}
	return []string{"--secret", "id=ca,src=" + bundle}
}
