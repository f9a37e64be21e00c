package main

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// write makes files with the names and contents given.
func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for file, text := range files {
		path := filepath.Join(dir, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRegistryStore(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{
		"docker/registry/v2/blobs/sha256/aa/aa01/data":                                "\x1f\x8b layer of both",
		"docker/registry/v2/blobs/sha256/bb/bb02/data":                                "\x1f\x8b layer",
		"docker/registry/v2/blobs/sha256/cc/cc03/data":                                "{}",
		"docker/registry/v2/repositories/a/out/_layers/sha256/aa01/link":              "sha256:aa01",
		"docker/registry/v2/repositories/a/out/_layers/sha256/bb02/link":              "sha256:bb02",
		"docker/registry/v2/repositories/a/base/_layers/sha256/aa01/link":             "sha256:aa01",
		"docker/registry/v2/repositories/a/out/_manifests/revisions/sha256/cc03/link": "sha256:cc03",
	})
	s := registryStore(dir)
	blobs, err := s.blobs()
	if err != nil || len(blobs) != 3 || blobs["sha256:bb02"] != 8 {
		t.Errorf("blobs are %v, error %v", blobs, err)
	}
	for digest, want := range map[string]bool{"sha256:aa01": true, "sha256:cc03": false} {
		if got, err := s.isLayer(digest); err != nil || got != want {
			t.Errorf("%s is a layer: %v, error %v", digest, got, err)
		}
	}
	if err := s.remove("a/out"); err != nil {
		t.Fatal(err)
	}
	blobs, err = s.blobs()
	if err != nil || len(blobs) != 1 || blobs["sha256:aa01"] == 0 {
		t.Errorf("without a/out blobs are %v, error %v: want the layer of a/base alone", blobs, err)
	}
	if err := s.remove("a/out"); err != nil {
		t.Errorf("what is gone cannot be removed again: %v", err)
	}
}

// What is linked from an older snapshot is no new bytes.
func TestDaemonStore(t *testing.T) {
	dir := t.TempDir()
	const worker = "runc-overlayfs/"
	write(t, dir, map[string]string{
		worker + "content/blobs/sha256/old":        "old",
		worker + "snapshots/snapshots/1/fs/a":      "0123456789",
		worker + "containerdmeta.db":               strings.Repeat("x", 4096),
		worker + "snapshots/snapshots/1/fs/x/more": "more",
	})
	s := daemonStore(dir)
	before, err := s.look()
	if err != nil || before.databases < 4096 {
		t.Fatalf("databases have %d bytes, error %v", before.databases, err)
	}
	time.Sleep(20 * time.Millisecond) // the clock of file systems is coarse
	began := time.Now()
	time.Sleep(20 * time.Millisecond)
	write(t, dir, map[string]string{
		worker + "content/blobs/sha256/new":   "12345",
		worker + "content/blobs/sha256/trace": "{\n  \"Name\": \"a span\"}",
		worker + "snapshots/snapshots/2/fs/b": "1234567",
	})
	for _, link := range []string{"a", "c"} {
		from := map[string]string{"a": "1/fs/a", "c": "2/fs/b"}[link]
		if err := os.Link(filepath.Join(dir, worker, "snapshots/snapshots", from), filepath.Join(dir, worker, "snapshots/snapshots/2/fs", link)); err != nil {
			t.Fatal(err)
		}
	}
	after, err := s.look()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := after.grown(before, began); err != nil || got != (growth{Content: 5, Traces: 21, Snapshots: 7}) {
		t.Errorf("the store has grown by %+v, error %v; want 5, 21 and 7 bytes", got, err)
	}
}

// The proxy counts by digest what clients read, and changes nothing.
func TestProxyCounts(t *testing.T) {
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	p, err := newProxy(t.Context(), strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	img, err := random.Image(100_000, 2)
	if err != nil {
		t.Fatal(err)
	}
	ref, err := name.ParseReference(p.addr + "/a/b:1")
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, img); err != nil {
		t.Fatal(err)
	}
	p.taken()
	pulled, err := remote.Image(ref)
	if err != nil {
		t.Fatal(err)
	}
	layers, err := pulled.Layers()
	if err != nil {
		t.Fatal(err)
	}
	rc, err := layers[0].Compressed()
	if err != nil {
		t.Fatal(err)
	}
	want, err := io.Copy(io.Discard, rc)
	if err != nil || rc.Close() != nil {
		t.Fatal(err)
	}
	digest, err := layers[0].Digest()
	if err != nil {
		t.Fatal(err)
	}
	read := p.taken()
	if read[digest.String()] != want || read[""] == 0 || len(read) != 2 {
		t.Errorf("counted are %v, want %d of %s and the manifest", read, want, digest)
	}
	if again := p.taken(); len(again) != 0 {
		t.Errorf("counted again: %v", again)
	}
	resp, err := http.Head("http://" + p.addr + "/v2/a/b/manifests/1")
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(resp, err)
	}
	defer resp.Body.Close()
	if read := p.taken(); read[""] != 0 {
		t.Errorf("HEAD has no body, counted is %v", read)
	}
}
