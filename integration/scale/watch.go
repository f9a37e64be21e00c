package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// watchInterval is how often the memory of frontends is looked at. The kernel
	// keeps a process's peak, so only what comes in its last moments is missed.
	watchInterval = 10 * time.Millisecond
	// historyDelay is behind every build: then its trace is written (BuildKit's
	// solver/llbsolver/history.go, 3 s).
	historyDelay = 3200 * time.Millisecond
	settleStep   = 200 * time.Millisecond
	settleLimit  = 10 * time.Minute
)

// watchFrontends looks at the peak memory of frontend processes until stop, which
// returns the highest, in bytes, with the pages of the program itself.
func (w *world) watchFrontends() (stop func() int64) {
	done := make(chan struct{})
	var peak int64
	var watch sync.WaitGroup
	watch.Go(func() {
		for {
			for _, pid := range w.Containers() {
				peak = max(peak, frontendPeak(pid))
			}
			select {
			case <-done:
				return
			case <-time.After(watchInterval):
			}
		}
	})
	return func() int64 {
		close(done)
		watch.Wait()
		return peak
	}
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

// settle waits until the daemon has nothing to do, and returns how long it has
// worked: behind a build it writes its history, which is part of what a build costs.
func (w *world) settle(ctx context.Context) (worked time.Duration, err error) {
	began := time.Now()
	for quiet := 0; !w.hasty && time.Since(began) < historyDelay || quiet < 2; quiet++ {
		before, err := w.CPUTime()
		if err != nil {
			return 0, err
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(settleStep):
		}
		after, err := w.CPUTime()
		if err != nil {
			return 0, err
		}
		if after.Sub(before).Daemon > settleStep/20 || len(w.Containers()) > 0 {
			quiet, worked = -1, time.Since(began)
		}
		if time.Since(began) > settleLimit {
			return 0, fmt.Errorf("the daemon still works %s after its last build", settleLimit)
		}
	}
	return worked, nil
}
