package engine

import (
	"bytes"
	"context"
	"fmt"
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
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(fields) < 13 {
		return 0, fmt.Errorf("/proc/%d/stat has %d fields, want more than 12 behind the name", pid, len(fields))
	}
	var ticks int64
	for _, field := range fields[11:13] { // utime and stime of proc(5)
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	total := time.Duration(ticks) * time.Second / 100 // USER_HZ is 100 on every Linux
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
