package spec

import (
	"errors"
	"fmt"
	"testing"
)

const (
	base   = "base_image: debian:trixie-slim\n"
	server = "server: action-execution-server\n"
	sum    = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
)

// messages returns the problems of a Load error as "line:col: message".
func messages(t *testing.T, err error) []string {
	t.Helper()
	if err == nil {
		return nil
	}
	var specErr *Error
	if !errors.As(err, &specErr) {
		t.Fatalf("error %v is no *Error", err)
	}
	var lines []string
	for _, p := range specErr.Problems {
		lines = append(lines, fmt.Sprintf("%d:%d: %s", p.Range.Start.Line, p.Range.Start.Column, p.Message))
	}
	return lines
}

func mustLoad(t *testing.T, yaml string, args map[string]string) *Document {
	t.Helper()
	d, err := Load("openhands.yaml", []byte(yaml), args)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func id(n uint32) *uint32 { return &n }
