package engine

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// WatchFrontends looks at the peak memory of frontend processes until stop, which
// returns the highest, in bytes, with the pages of the program itself. The kernel
// keeps a process's peak, so only what comes in its last interval is missed.
func (e *Engine) WatchFrontends(interval time.Duration) (stop func() int64) {
	done := make(chan struct{})
	var peak int64
	var watch sync.WaitGroup
	watch.Go(func() {
		for {
			for _, pid := range e.Containers() {
				peak = max(peak, frontendPeak(pid))
			}
			select {
			case <-done:
				return
			case <-time.After(interval):
			}
		}
	})
	return func() int64 {
		close(done)
		watch.Wait()
		return peak
	}
}

// Frontends is the number of frontend processes that run now.
func (e *Engine) Frontends() (n int) {
	for _, pid := range e.Containers() {
		if frontendPeak(pid) > 0 {
			n++
		}
	}
	return n
}

// frontendPeak is the peak of resident memory of a process that is our frontend.
func frontendPeak(pid int) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil || !bytes.HasPrefix(status, []byte("Name:\topenhands-front")) { // the kernel keeps 15 characters
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "VmHWM:" {
			kilobytes, _ := strconv.ParseInt(fields[1], 10, 64) // 0 is what nobody has
			return kilobytes * 1024
		}
	}
	return 0
}
