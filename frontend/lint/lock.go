package lint

import (
	"github.com/openhands/llb-frontend/frontend/lock"
	"github.com/openhands/llb-frontend/frontend/spec"
)

// noLock demands a lock; what one lacks is the business of StaleLock.
func noLock(in Input) []spec.Problem {
	if in.Locks {
		return nil
	}
	start := spec.Position{Line: 1, Column: 1}
	return []spec.Problem{{
		Range: spec.Range{Start: start, End: start},
		Message: "there is no " + lock.Name + " beside the spec, so images and packages are those of the day: write one with " +
			in.LockCommand + ", and keep it with the spec",
	}}
}

func staleLock(in Input) []spec.Problem { return in.Stale }
