package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
)

// systemBundle has a builder's certificates, where it has any.
const systemBundle = "/etc/ssl/certs/ca-certificates.crt"

// useSnapshot makes apt take packages of a time: from the distribution's service,
// which apt knows since 3.0, or from a mirror whose address has it. It returns
// how many updates that takes: by the first, apt learns whose archives some of
// its sources are, such as those of security updates. bundle is the file of
// certificates that apt takes by itself.
func (a *apt) useSnapshot(ctx context.Context, mirror, snapshot, bundle string) (updates int, err error) {
	if snapshot == "" {
		return 1, nil
	}
	a.add("Acquire::Check-Valid-Until=false") // it is of long ago
	if mirror != "" {
		return 1, nil
	}
	a.add("APT::Snapshot=" + snapshot)
	if slices.ContainsFunc(a.options, func(o string) bool { return strings.HasPrefix(o, "Acquire::https::CAInfo=") }) {
		return 2, nil // the client's certificates
	}
	if _, err := os.Stat(bundle); !errors.Is(err, fs.ErrNotExist) {
		return 2, err
	}
	config, err := a.config(ctx)
	a.add(plainServices(config)...)
	return 2, err
}

// config is apt's configuration, a setting a line.
func (a *apt) config(ctx context.Context) (string, error) {
	return capture(ctx, strings.TrimSuffix(a.path, "get")+"config", "dump")
}

var serviceLine = regexp.MustCompile(`(?m)^(Acquire::Snapshots::URI::\S+) "https://(.*)";$`)

// plainServices are apt's snapshot services without TLS, for a builder without
// certificates: what they serve is signed, as in the archive.
func plainServices(config string) []string {
	var settings []string
	for _, m := range serviceLine.FindAllStringSubmatch(config, -1) {
		settings = append(settings, m[1]+"=http://"+m[2])
	}
	return settings
}

// ofSnapshot sees that packages come from where the time says: an older apt
// does not know what it is told, and takes today's.
func ofSnapshot(debs []deb, snapshot string) error {
	for _, d := range debs {
		if !strings.Contains(d.uri, snapshot) {
			return &todaysError{d.uri, snapshot}
		}
	}
	return nil
}

// todaysError says that an apt takes today's packages, whatever it is told.
type todaysError struct{ uri, snapshot string }

func (e *todaysError) Error() string {
	return fmt.Sprintf("apt takes %s, which is not of the snapshot %s of the lock file: the builder's apt knows no snapshots (3.0 and newer do); "+
		"name a mirror that has some (mirrors.apt_snapshot), or write the lock again (--target lock)", e.uri, e.snapshot)
}
