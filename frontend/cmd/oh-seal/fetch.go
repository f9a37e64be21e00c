package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// builder is the distribution that oh-seal runs in.
type builder struct {
	aptGet, dpkgDeb string
	release         string // such as "debian trixie", for messages
}

func findBuilder() (builder, error) {
	var paths [2]string
	for i, name := range []string{"apt-get", "dpkg-deb"} {
		path, err := exec.LookPath(name)
		if err != nil {
			return builder{}, fmt.Errorf("builder image has no %s: "+
				"deps.builder must be a Debian or Ubuntu image such as debian:trixie-slim", name)
		}
		paths[i] = path
	}
	b := builder{aptGet: paths[0], dpkgDeb: paths[1]}
	data, err := os.ReadFile("/etc/os-release")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return b, err
	}
	b.release = releaseName(string(data))
	return b, nil
}

// releaseName reads ID and VERSION_CODENAME of an os-release(5) file.
func releaseName(osRelease string) string {
	values := map[string]string{}
	for line := range strings.Lines(osRelease) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		values[key] = strings.Trim(value, `"'`)
	}
	name := strings.TrimSpace(values["ID"] + " " + values["VERSION_CODENAME"])
	if name == "" {
		return "unknown"
	}
	return name
}

// deb is one package file that apt wants.
type deb struct {
	name   string // of the package
	uri    string
	file   string // base name, later the path once it is there
	size   int64
	sha256 string
}

// fetch downloads packages with everything that they depend on, down to libc6,
// for the target architecture. The builder's own package state stays untouched.
func (b builder) fetch(ctx context.Context, opt options, packages []string, work string, say func(string, ...any)) ([]deb, error) {
	say("read the lists of packages of %s", b.release)
	apt, debs, err := b.resolve(ctx, opt, packages, work)
	if err != nil {
		return nil, err
	}
	say("download %s (%s, less what is in the cache)", count(len(debs), "package"), megabytes(debs))
	if err := takeCached(debs, opt.aptCache, apt.archives); err != nil {
		return nil, err
	}
	if _, err := apt.run(ctx, append([]string{"install", "--download-only", "--"}, packages...)...); err != nil {
		return nil, fmt.Errorf("download packages of %s for %s: %w", b.release, opt.arch.Name, aptRemedy(err, os.Getenv(aptMirror)))
	}
	for i := range debs {
		name := debs[i].file
		debs[i].file = filepath.Join(apt.archives, name)
		if err := verify(debs[i]); err != nil {
			return nil, err
		}
		if err := keepCached(debs[i].file, opt.aptCache); err != nil {
			return nil, err
		}
	}
	return debs, nil
}

// resolve lists what packages and all that they depend on are, as the archive
// has them now, or had them at the time of the stage's snapshot.
func (b builder) resolve(ctx context.Context, opt options, packages []string, work string) (apt, []deb, error) {
	a, err := b.newApt(opt.arch.Name, work)
	if err != nil {
		return a, nil, err
	}
	mirror, snapshot := os.Getenv(aptMirror), os.Getenv(aptSnapshot)
	more, err := builds().aptOptions("/etc/apt/", mirror, work)
	if err != nil {
		return a, nil, err
	}
	a.add(more...)
	updates, err := a.useSnapshot(ctx, mirror, snapshot, systemBundle)
	if err != nil {
		return a, nil, err
	}
	for range updates {
		if _, err := a.run(ctx, "update"); err != nil {
			return a, nil, fmt.Errorf("apt-get update for %s in %s: %w", opt.arch.Name, b.release, aptRemedy(err, mirror))
		}
	}
	list, err := a.run(ctx, append([]string{"install", "--print-uris", "--"}, packages...)...)
	if err != nil {
		return a, nil, explainNames(err, b.release)
	}
	debs, err := parseURIs(list)
	if err != nil {
		return a, nil, err
	}
	return a, debs, ofSnapshot(debs, snapshot)
}

// apt runs apt-get with a state and a cache of its own: an empty status file
// makes it resolve the whole closure, whatever the builder has installed.
type apt struct {
	path     string
	options  []string
	archives string
}

func (b builder) newApt(arch, work string) (apt, error) {
	state, archives := filepath.Join(work, "state"), filepath.Join(work, "archives")
	for _, dir := range []string{filepath.Join(state, "lists/partial"), filepath.Join(archives, "partial")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return apt{}, err
		}
	}
	status := filepath.Join(state, "status")
	if err := os.WriteFile(status, nil, 0o644); err != nil {
		return apt{}, err
	}
	a := apt{path: b.aptGet, archives: archives}
	a.add(
		"APT::Architecture="+arch,
		"APT::Architectures="+arch,
		"APT::Install-Recommends=false",
		"APT::Sandbox::User=root",
		"APT::Get::Assume-Yes=true",
		"APT::Update::Error-Mode=any",
		"Acquire::ForceHash=SHA256",
		"Acquire::Languages=none",
		"Acquire::Retries=3",
		"Dir::State="+state,
		"Dir::State::status="+status,
		"Dir::State::extended_states="+filepath.Join(state, "extended_states"),
		"Dir::Cache="+filepath.Join(work, "cache"),
		"Dir::Cache::archives="+archives,
		"Dir::Cache::pkgcache=",
		"Dir::Cache::srcpkgcache=",
		"Dir::Log="+filepath.Join(work, "log"),
	)
	return a, os.MkdirAll(filepath.Join(work, "cache"), 0o755)
}

// add appends settings, NAME=VALUE each.
func (a *apt) add(settings ...string) {
	for _, s := range settings {
		a.options = append(a.options, "-o", s)
	}
}

func (a apt) run(ctx context.Context, args ...string) (string, error) {
	return capture(ctx, a.path, append(slices.Clone(a.options), args...)...)
}

// capture runs a program of the builder and returns its standard output; an
// error holds what it wrote to standard error.
func capture(ctx context.Context, path string, args ...string) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive")
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%w: %s", err, strings.TrimSpace(stderr.String()))
	}
	return stdout.String(), nil
}

var (
	packageName = regexp.MustCompile(`^[a-z0-9][a-z0-9+.-]*[a-z0-9+](=[A-Za-z0-9.+~:-]+)?$`)
	unknownName = regexp.MustCompile(`E: (?:Unable to locate package (\S+)|Package '([^']+)' has no installation candidate|Version '[^']*' for '([^']+)' was not found)`)
	uriLine     = regexp.MustCompile(`^'([^']*)' (\S+) ([0-9]+) SHA256:([0-9a-f]{64})$`)
)

// checkPackage holds names to Debian Policy 5.6.1. A final hyphen, which
// apt-get reads as "remove", is excluded.
func checkPackage(name string) error {
	if !packageName.MatchString(name) {
		return fmt.Errorf("%q is no package name: want lower-case letters, digits and + . - "+
			"(or NAME=VERSION); correct deps.tools", name)
	}
	return nil
}

// explainNames turns apt-get's complaint about names into one per package.
func explainNames(err error, release string) error {
	var errs []error
	for _, m := range unknownName.FindAllStringSubmatch(err.Error(), -1) {
		errs = append(errs, fmt.Errorf("package %q does not exist in the builder's distribution (%s); correct deps.tools",
			m[1]+m[2]+m[3], release))
	}
	if len(errs) == 0 {
		return fmt.Errorf("resolve packages in %s: %w", release, err)
	}
	return errors.Join(errs...)
}

// parseURIs reads the output of apt-get --print-uris.
func parseURIs(list string) ([]deb, error) {
	var debs []deb
	for line := range strings.Lines(list) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "'") {
			continue // progress
		}
		m := uriLine.FindStringSubmatch(line)
		if m == nil || m[2] != filepath.Base(m[2]) {
			return nil, fmt.Errorf("apt-get --print-uris wrote %q: want a URI, a file name, a size and a SHA256", line)
		}
		size, err := strconv.ParseInt(m[3], 10, 64)
		if err != nil {
			return nil, err
		}
		name, _, _ := strings.Cut(m[2], "_")
		debs = append(debs, deb{name: name, uri: m[1], file: m[2], size: size, sha256: m[4]})
	}
	slices.SortFunc(debs, func(a, b deb) int { return strings.Compare(a.file, b.file) })
	return debs, nil
}

func verify(d deb) error {
	f, err := os.Open(d.file)
	if err != nil {
		return err
	}
	defer f.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return err
	}
	if got := hex.EncodeToString(hash.Sum(nil)); got != d.sha256 {
		return fmt.Errorf("%s has SHA256 %s, want %s", filepath.Base(d.file), got, d.sha256)
	}
	return nil
}
