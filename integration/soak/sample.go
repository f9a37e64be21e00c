package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// settled is how long the daemon rests before it is looked at: BuildKit closes idle
// connections to a registry after 120 s, and its other work behind a build takes less.
// After its cache has been emptied it rests again, while it collects garbage and Go
// gives memory back.
const (
	settled = 130 * time.Second
	emptied = 2 * time.Minute
)

// sample is what there is while nothing is built.
type sample struct {
	frontends  int    // processes
	peak       int64  // the most memory that a frontend had since the last sample, in bytes
	containers int    // processes in containers, of any kind
	goroutines int    // of the daemon
	heap       uint64 // of the daemon, in bytes, after a collection
	resident   int64  // of the daemon, in bytes: anonymous memory
	files      int    // open in the daemon
	own        int    // goroutines of this program, which is the local engine
	ownHeap    uint64
	temporary  int // files in the directory for temporary ones of all programs
	mounts     int // below the engine's directory
	records    int // of the daemon's cache that cannot be pruned
}

// sample waits until the daemon rests, empties its cache, which it has in memory too,
// and looks at it. The history of builds stays: BuildKit collects all its garbage for
// each record of it that goes, which takes hours where there are thousands.
func (s *site) sample(ctx context.Context) (sample, error) {
	var x sample
	if err := rest(ctx, settled); err != nil {
		return x, err
	}
	if out, err := s.Buildctl(ctx, "prune", "--all").CombinedOutput(); err != nil {
		return x, fmt.Errorf("prune: %w\n%s", err, out)
	}
	if err := rest(ctx, emptied); err != nil {
		return x, err
	}
	left, err := s.Buildctl(ctx, "du", `--format={{range .}}{{println .ID}}{{end}}`).Output()
	if err != nil {
		return x, err
	}
	x.records = strings.Count(string(left), "\n")
	x.frontends, x.containers = s.Frontends(), len(s.Containers())
	if err := s.daemon(ctx, &x); err != nil {
		return x, err
	}
	if x.temporary, err = count(s.temporary()); err != nil {
		return x, err
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return x, err
	}
	x.mounts = strings.Count(string(mounts), " "+s.Dir()+"/")
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	x.own, x.ownHeap = runtime.NumGoroutine(), m.HeapAlloc
	return x, nil
}

func rest(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// daemon looks at the build daemon, through its debug address and the kernel.
func (s *site) daemon(ctx context.Context, x *sample) error {
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", s.debugSocket())
		},
	}}
	get := func(path string) ([]byte, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://daemon"+path, nil)
		if err != nil {
			return nil, err
		}
		resp, err := client.Do(req)
		if err != nil {
			return nil, err
		}
		defer resp.Body.Close()
		return io.ReadAll(resp.Body)
	}
	if _, err := get("/debug/gc"); err != nil {
		return err
	}
	vars, err := get("/debug/vars")
	if err != nil {
		return err
	}
	var v struct {
		Memstats struct{ HeapAlloc uint64 }
	}
	if err := json.Unmarshal(vars, &v); err != nil {
		return fmt.Errorf("the daemon's variables: %w", err)
	}
	x.heap = v.Memstats.HeapAlloc
	profile, err := get("/debug/pprof/goroutine?debug=1")
	if err != nil {
		return err
	}
	if _, err := fmt.Sscanf(string(profile), "goroutine profile: total %d", &x.goroutines); err != nil {
		return fmt.Errorf("the daemon's goroutines: %w", err)
	}
	proc := fmt.Sprintf("/proc/%d", s.DaemonPID())
	status, err := os.ReadFile(filepath.Join(proc, "status"))
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(status)) {
		if _, err := fmt.Sscanf(line, "RssAnon: %d kB", &x.resident); err == nil {
			x.resident <<= 10
		}
	}
	open, err := os.ReadDir(filepath.Join(proc, "fd"))
	x.files = len(open)
	return err
}

// count is the number of files below a directory.
func count(dir string) (n int, err error) {
	return n, filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			n++
		}
		return err
	})
}
