package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestPayload(t *testing.T) {
	p := payload{size: 3 * megabyte, layers: 3}
	var total int64
	for i := range p.layers {
		var first, second bytes.Buffer
		if err := errors.Join(p.writeLayer(&first, i), p.writeLayer(&second, i)); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Errorf("layer %d is another each time", i)
		}
		var other bytes.Buffer
		if err := (payload{size: p.size, layers: p.layers, other: true}).writeLayer(&other, i); err != nil || bytes.Equal(first.Bytes(), other.Bytes()) {
			t.Errorf("layer %d of another payload is the same, error %v", i, err)
		}
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		if _, err := z.Write(first.Bytes()); err != nil || z.Close() != nil {
			t.Fatal(err)
		}
		if ratio := float64(packed.Len()) / float64(first.Len()); ratio < 0.4 || ratio > 0.6 {
			t.Errorf("layer %d is packed to %.2f of its size, want about half", i, ratio)
		}
		total += files(t, &first)
	}
	if total != p.size {
		t.Errorf("files have %d bytes, want %d", total, p.size)
	}
}

// files are the bytes of all files in a layer, which holds nothing but /openhands.
func files(t *testing.T, layer io.Reader) (total int64) {
	t.Helper()
	for tr := tar.NewReader(layer); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return total
		}
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(h.Name, "openhands/") || h.Uid != 0 || h.Mode&0o022 != 0 {
			t.Errorf("%s has owner %d and mode %o", h.Name, h.Uid, h.Mode)
		}
		total += h.Size
	}
}
