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

// lockedServer tells whether the lock has the digest of the server's release. Those
// of the packages that a release requires are another matter: only the V0 server
// names them by their hashes.
func lockedServer(in Input) bool {
	_, locked := in.Lock.Download("pypi/openhands-ai==" + in.Spec.Server.Version)
	return in.Spec.Server.Name == spec.ServerActionExecution && locked
}

func staleLock(in Input) []spec.Problem { return in.Stale }
