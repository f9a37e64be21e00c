package frontend

import (
	"context"
	"fmt"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/openhands/llb-frontend/frontend/lock"
)

// lockContext is the build context that a lock can come from in place of the file
// beside the spec: what the target lock has pushed as an image, or a directory.
const lockContext = "openhands-lock"

// lockOfContext reads the lock of the build context; ok is false where there is none.
func (r *request) lockOfContext(ctx context.Context) (ok bool, err error) {
	st, err := r.loadLockContext(ctx)
	if st == nil || err != nil {
		return false, err
	}
	def, err := st.Marshal(ctx, llb.WithCaps(r.BuildOpts().LLBCaps))
	if err != nil {
		return false, err
	}
	ref, err := r.solve(ctx, *st, r.BuildPlatforms[0])
	if err != nil {
		return false, err
	}
	data, err := readIfThere(ctx, ref, lock.Name)
	if err != nil {
		return false, err
	}
	if data == nil {
		return false, fmt.Errorf("build context %q holds no %s: push one with --target %s, or name the directory that has it", lockContext, lock.Name, lockTarget)
	}
	r.locked = parseLock(lock.Name, data, st, def)
	r.locked.fromContext = true
	return true, nil
}

// loadLockContext finds the lock's image whatever platform it was pushed for: a lock
// is the same for all.
func (r *request) loadLockContext(ctx context.Context) (*llb.State, error) {
	wanted := []ocispecs.Platform{r.BuildPlatforms[0]}
	for _, arch := range architectures() {
		wanted = append(wanted, ocispecs.Platform{OS: "linux", Architecture: arch})
	}
	var first error
	for _, p := range wanted {
		named, err := r.NamedContext(lockContext, dockerui.ContextOpt{Platform: &p, ResolveMode: r.ImageResolveMode.String()})
		if named == nil || err != nil {
			return nil, err
		}
		st, _, err := named.Load(ctx)
		if err == nil {
			return st, nil
		}
		if first == nil {
			first = err
		}
		if !isNoMatch(err) {
			break
		}
	}
	return nil, first
}
