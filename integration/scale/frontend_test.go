package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// The first call is the first frame of headers, behind frames of other kinds.
func TestAwaitCall(t *testing.T) {
	const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	settings := "\x00\x00\x06\x04\x00\x00\x00\x00\x00" + "\x00\x02\x00\x00\x00\x00"
	acknowledged := "\x00\x00\x00\x04\x01\x00\x00\x00\x00"
	headers := "\x00\x00\x05\x01\x04\x00\x00\x00\x01" + "later"
	var sent bytes.Buffer
	out := strings.NewReader(preface + settings + acknowledged + headers)
	if err := awaitCall(&sent, out); err != nil {
		t.Fatal(err)
	}
	if out.Len() != len("later") || sent.Len() != 9 {
		t.Errorf("%d bytes are unread and %d were sent, want those behind the frame's header, and empty settings", out.Len(), sent.Len())
	}
	for _, text := range []string{"", "panic: something", preface + settings} {
		if err := awaitCall(&sent, strings.NewReader(text)); err == nil {
			t.Errorf("%q is no error", text)
		}
	}
}

func TestFiguresOfOneProcess(t *testing.T) {
	if took, err := processTime(os.Getpid()); err != nil || took <= 0 {
		t.Errorf("this process has used %s, error %v", took, err)
	}
	if err := specToLLB(t.Context()); err != nil {
		t.Error(err)
	}
}
