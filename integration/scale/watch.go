package main

import (
	"context"
	"fmt"
	"time"
)

const (
	// watchInterval is how often the memory of frontends is looked at where a call
	// builds one image: each lives for a tenth of a second. In a bake call there are
	// always some, and looking that often would cost more than they do.
	watchInterval     = 10 * time.Millisecond
	bakeWatchInterval = 250 * time.Millisecond
	// historyDelay is behind every build: then its trace is written (BuildKit's
	// solver/llbsolver/history.go, 3 s).
	historyDelay = 3200 * time.Millisecond
	settleStep   = 200 * time.Millisecond
	settleLimit  = 10 * time.Minute
)

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
