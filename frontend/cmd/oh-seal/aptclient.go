package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/openhands/llb-frontend/llb/secret"
)

// Variables of a stage's command.
const (
	// aptMirror names the archive to use in place of others; where it has aptPath,
	// that stands for an archive's path, which otherwise follows.
	aptMirror = "APT_MIRROR"
	aptPath   = "@PATH@"
	// aptSnapshot is the time that packages are to be from.
	aptSnapshot = "APT_SNAPSHOT"
)

// aptOptions tell apt-get of the client's secrets, and of sources that name the
// mirror. What they need is written to the private directory, or below work
// where it is no secret.
func (h handed) aptOptions(etc, mirror, work string) ([]string, error) {
	var options []string
	bundle, err := h.bundle()
	if err != nil {
		return nil, err
	}
	if bundle != "" {
		options = append(options, "Acquire::https::CAInfo="+bundle)
	}
	parts, err := h.aptLogins(filepath.Join(etc, "auth.conf.d"))
	if err != nil {
		return nil, err
	}
	if parts != "" {
		options = append(options, "Dir::Etc::netrcparts="+parts)
	}
	if mirror == "" {
		return options, nil
	}
	sources := filepath.Join(work, "sources")
	if err := mirrorSources(etc, mirror, sources); err != nil {
		return nil, err
	}
	return append(options,
		"Dir::Etc::sourcelist="+filepath.Join(sources, "sources.list"),
		"Dir::Etc::sourceparts="+filepath.Join(sources, "sources.list.d"),
	), nil
}

// aptLogins makes a directory of links to the passwords of the client and of
// the builder; "" where the client has handed none.
func (h handed) aptLogins(own string) (string, error) {
	dir := filepath.Join(h.private, "auth.conf.d")
	links := map[string]string{}
	for _, id := range []string{secret.Apt, secret.Netrc} {
		content, err := h.read(id)
		if err != nil {
			return "", err
		}
		if len(content) > 0 {
			links[id+".conf"] = h.path(id)
		}
	}
	if len(links) == 0 {
		return "", nil
	}
	theirs, err := filepath.Glob(filepath.Join(own, "*.conf"))
	if err != nil {
		return "", err
	}
	for _, name := range theirs {
		links["builder-"+filepath.Base(name)] = name
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	for name, target := range links {
		err := os.Symlink(target, filepath.Join(dir, name))
		if err != nil && !errors.Is(err, fs.ErrExist) { // of an earlier command of the stage
			return "", err
		}
	}
	return dir, nil
}

var (
	archiveHost = regexp.MustCompile(`https?://[^/\s]*`)
	archivePath = regexp.MustCompile(`https?://[^/\s]*/+(\S*[^/\s])`)
)

// mirrorSources copies apt's sources with another scheme and host in every
// address: archives keep their paths.
func mirrorSources(etc, mirror, to string) error {
	if err := os.MkdirAll(filepath.Join(to, "sources.list.d"), 0o755); err != nil {
		return err
	}
	found := false
	for _, pattern := range []string{"sources.list", "sources.list.d/*.list", "sources.list.d/*.sources"} {
		names, err := filepath.Glob(filepath.Join(etc, pattern))
		if err != nil {
			return err
		}
		for _, name := range names {
			content, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			target := filepath.Join(to, strings.TrimPrefix(name, etc))
			text := mirrored(string(content), strings.TrimSuffix(mirror, "/"))
			if err := os.WriteFile(target, []byte(text), 0o644); err != nil {
				return err
			}
			found = true
		}
	}
	if !found {
		return fmt.Errorf("mirrors.apt replaces the sources of the builder, and it has none in %s: use another deps.builder", etc)
	}
	return nil
}

func mirrored(sources, mirror string) string {
	var out strings.Builder
	before, after, placed := strings.Cut(mirror, aptPath)
	for line := range strings.Lines(sources) {
		switch {
		case strings.HasPrefix(strings.TrimSpace(line), "#"):
		case placed:
			line = archivePath.ReplaceAllStringFunc(line, func(address string) string {
				return before + archivePath.FindStringSubmatch(address)[1] + after
			})
		default:
			line = archiveHost.ReplaceAllLiteralString(line, mirror)
		}
		out.WriteString(line)
	}
	return out.String()
}

// aptRemedy says which secret would help against a failure of apt-get.
func aptRemedy(err error, mirror string) error {
	text := err.Error()
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(text, w) {
				return true
			}
		}
		return false
	}
	where := mirror
	if where == "" {
		where = "the archive of the builder's sources"
	}
	switch {
	case has("No system certificates available"):
		return fmt.Errorf("%w\n%s is asked by https, and the builder has no CA certificates: hand over those to trust with --secret id=%s,src=ca.pem", err, where, secret.CA)
	case has("Certificate verification failed", "certificate verify failed", "SSL connection failed", "certificate issuer is unknown"):
		return fmt.Errorf("%w\n%s has a certificate that is not trusted here: hand over its CA with --secret id=%s,src=ca.pem", err, where, secret.CA)
	case has("401  Unauthorized", "401 Unauthorized", "403  Forbidden", "403 Forbidden"):
		return fmt.Errorf("%w\n%s wants a user name and a password, or refuses those that it got: check --secret id=%s,src=... or id=%s", err, where, secret.Netrc, secret.Apt)
	}
	return err
}
