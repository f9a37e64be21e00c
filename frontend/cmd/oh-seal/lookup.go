package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"strings"
	"time"
)

// lookUp writes an answer for a lock file, as BuildKit's own downloads are: of
// the Unix epoch.
func lookUp(file, answer string) error {
	if err := os.WriteFile(file, []byte(answer), 0o644); err != nil {
		return err
	}
	return os.Chtimes(file, time.Unix(0, 0), time.Unix(0, 0))
}

// measure writes the digest of a download, of which nothing is kept.
func measure(body io.Reader, opt options) error {
	hash := sha256.New()
	if _, err := io.Copy(hash, body); err != nil {
		return err
	}
	return lookUp(opt.out, "sha256:"+hex.EncodeToString(hash.Sum(nil)))
}

// trySnapshot writes why packages of a time cannot be had here; nothing if they
// can.
func trySnapshot(ctx context.Context, opt options, say func(string, ...any)) error {
	work, err := os.MkdirTemp("", "oh-seal-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	b, err := findBuilder()
	if err == nil {
		_, _, err = b.resolve(ctx, opt, []string{"libc6"}, work)
	}
	if err == nil {
		say("packages of %s can be had", os.Getenv(aptSnapshot))
		return lookUp(opt.out, "")
	}
	say("%v", err)
	return lookUp(opt.out, whyNoSnapshot(err, os.Getenv(aptSnapshot)))
}

// whyNoSnapshot is short, and names no address: people share a lock file.
func whyNoSnapshot(err error, snapshot string) string {
	var today *todaysError
	switch {
	case errors.As(err, &today):
		return "its apt takes no packages of a time: 3.0 and newer do, and every apt with mirrors.apt_snapshot"
	case strings.Contains(err.Error(), snapshot), strings.Contains(err.Error(), "does not exist"):
		return "the snapshot service of its distribution cannot be reached from the builder: mirrors.apt_snapshot can name another"
	}
	return "its package manager cannot be run here"
}
