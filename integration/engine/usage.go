package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// samples is how often a meter looks at memory.
const samples = 200 * time.Millisecond

// Usage is what the build daemon and its containers took.
type Usage struct {
	Wall, CPU time.Duration
	Memory    int64 // the most at one time, in bytes; files in the page cache do not count
}

// Measure says what the daemon and its containers take while f runs. Nothing else
// may use the daemon meanwhile. The client's own process does not count.
func (e *Engine) Measure(ctx context.Context, f func(context.Context) error) (Usage, error) {
	pid := e.pid("buildkitd")
	if pid == 0 {
		return Usage{}, fmt.Errorf("the build daemon is not ours, so nobody knows what it uses: unset %s", EnvBuildkitHost)
	}
	before, err := e.cpu(pid)
	if err != nil {
		return Usage{}, err
	}
	var usage Usage
	var watch sync.WaitGroup
	done := make(chan struct{})
	watch.Go(func() {
		for {
			usage.Memory = max(usage.Memory, e.memory(pid))
			select {
			case <-done:
				return
			case <-time.After(samples):
			}
		}
	})
	began := time.Now()
	err = f(ctx)
	usage.Wall = time.Since(began)
	close(done)
	watch.Wait()
	if err != nil {
		return usage, err
	}
	after, err := e.cpu(pid)
	usage.CPU = after - before
	return usage, err
}

// cpu is the time of the daemon's own process and of all containers until now.
func (e *Engine) cpu(pid int) (time.Duration, error) {
	total, _, err := processTimes(pid)
	if err != nil {
		return 0, err
	}
	for _, dir := range cgroupDirs(e.cgroup()) {
		if n, ok := value(filepath.Join(dir, "cpuacct.usage"), ""); ok { // cgroup v1
			return total + time.Duration(n), nil
		}
		if n, ok := value(filepath.Join(dir, "cpu.stat"), "usage_usec"); ok { // v2
			return total + time.Duration(n)*time.Microsecond, nil
		}
	}
	return total, nil // no container has run yet
}

// processTimes is what a process has used, and what those of its children that
// have ended did.
func processTimes(pid int) (own, ended time.Duration, err error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, err
	}
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(fields) < 15 {
		return 0, 0, fmt.Errorf("/proc/%d/stat has %d fields, want more than 14 behind the name", pid, len(fields))
	}
	var times [4]time.Duration // utime, stime, cutime and cstime of proc(5)
	for i, field := range fields[11:15] {
		ticks, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, 0, err
		}
		times[i] = time.Duration(ticks) * time.Second / 100 // USER_HZ is 100 on every Linux
	}
	return times[0] + times[1], times[2] + times[3], nil
}

// memory is what the daemon and its containers have of their own, in bytes.
func (e *Engine) memory(pid int) int64 {
	kilobytes, _ := value(fmt.Sprintf("/proc/%d/status", pid), "RssAnon:")
	total := kilobytes * 1024
	for _, dir := range cgroupDirs(e.cgroup()) {
		for _, key := range []string{"total_rss", "anon"} { // cgroup v1, v2
			if n, ok := value(filepath.Join(dir, "memory.stat"), key); ok {
				return total + n
			}
		}
	}
	return total
}

// value is the number behind a key in a file of lines, or the file's only one.
func value(file, key string) (int64, bool) {
	b, err := os.ReadFile(file)
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(b)) {
		fields := strings.Fields(line)
		if key == "" {
			fields = append([]string{""}, fields...)
		}
		if len(fields) > 1 && fields[0] == key {
			n, err := strconv.ParseInt(fields[1], 10, 64)
			return n, err == nil
		}
	}
	return 0, false
}

// CPUTime is processor time of a build daemon and of what it starts.
type CPUTime struct {
	Daemon     time.Duration // its own process
	Containers time.Duration // frontends and RUN steps
	// Ended is that of its children and theirs, runc and the containers that runc
	// waited for: known when they have ended.
	Ended time.Duration
}

// Runtime is what runc takes to start and end containers, of a span of time in
// which all that were started have ended.
func (t CPUTime) Runtime() time.Duration { return max(0, t.Ended-t.Containers) }

// Sub is the time between two looks.
func (t CPUTime) Sub(before CPUTime) CPUTime {
	return CPUTime{t.Daemon - before.Daemon, t.Containers - before.Containers, t.Ended - before.Ended}
}

// CPUTime is what the daemon and all that it has started took until now.
func (e *Engine) CPUTime() (CPUTime, error) {
	pid := e.pid("buildkitd")
	if pid == 0 {
		return CPUTime{}, errors.New("the build daemon does not run, or is not ours")
	}
	own, ended, err := processTimes(pid)
	if err != nil {
		return CPUTime{}, err
	}
	all, err := e.cpu(pid)
	return CPUTime{Daemon: own, Containers: max(0, all-own), Ended: ended}, err
}

// Containers are the processes of all containers that run now.
func (e *Engine) Containers() []int {
	var pids []int
	for _, top := range cgroupDirs(e.cgroup()) {
		_ = filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.Name() != "cgroup.procs" {
				return nil //nolint:nilerr // it has just ended
			}
			b, _ := os.ReadFile(path)
			for _, field := range strings.Fields(string(b)) {
				if pid, err := strconv.Atoi(field); err == nil {
					pids = append(pids, pid)
				}
			}
			return nil
		})
		if len(pids) > 0 { // each controller of cgroup v1 lists the same
			break
		}
	}
	return pids
}
