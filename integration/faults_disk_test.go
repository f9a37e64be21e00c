package integration

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/openhands/llb-frontend/integration/engine"
	"github.com/openhands/llb-frontend/integration/faults"
	"github.com/openhands/llb-frontend/integration/small"
)

// smallDisk is enough for the frontend and some builds.
const smallDisk = 128 << 20

// A daemon whose disk is full says so, and goes on when there is room again: no
// matter whether somebody else has filled it, or its own cache.
func TestDiskFull(t *testing.T) {
	second, stop, err := eng.Small(t.Context(), "full", smallDisk)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	var checker faults.Checker
	if out, err := newFaultBuild(t, "full-first", false).command(t.Context(), second).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var disk unix.Statfs_t
	if err := unix.Statfs(second.StateDir(), &disk); err != nil {
		t.Fatal(err)
	}
	room := int(disk.Bavail) * int(disk.Bsize)
	// A third to fetch, and a third unpacked: a build fits, and two do not.
	large := func(name string) *faultBuild {
		b := newFaultBuild(t, name, false)
		b.push(t, "base", onTop(t, pulled(t, b.onRegistry("base"), runtime.GOARCH), map[string]string{"tmp/large": small.Noise(name, room/3)}))
		return b
	}
	a, b := large("full-a"), large("full-b")
	want := references(t, a, b)
	other := filepath.Join(second.StateDir(), "other")
	if err := os.WriteFile(other, []byte(small.Noise("other", room/2)), 0o644); err != nil {
		t.Fatal(err)
	}
	a.finds(t, second, &checker, "no space left on device")
	if err := os.Remove(other); err != nil {
		t.Fatal(err)
	}
	if err := a.repeat(t.Context(), second, &checker, want[0]); err != nil {
		t.Fatal(err)
	}
	// Now the cache of the first takes it. To prune, the daemon has to write a little: on
	// a disk without any room, something else has to go a.
	if err := os.WriteFile(other, make([]byte, 4<<20), 0o644); err != nil {
		t.Fatal(err)
	}
	b.finds(t, second, &checker, "no space left on device")
	if err := os.Remove(other); err != nil {
		t.Fatal(err)
	}
	if out, err := second.Buildx(t.Context(), "prune", "--all", "--force").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := b.repeat(t.Context(), second, &checker, want[1]); err != nil {
		t.Error(err)
	}
}

// finds builds, which has to fail with an error, and to leave the tag as it is.
func (b *faultBuild) finds(t *testing.T, e *engine.Engine, checker *faults.Checker, problem string) {
	t.Helper()
	older := b.whole(t, checker)
	out, err := b.command(t.Context(), e).CombinedOutput()
	if err == nil {
		t.Fatalf("the build succeeds\n%s", out)
	}
	contains(t, string(out), problem)
	if now := b.whole(t, checker); now != older {
		t.Errorf("a build that fails moves its tag to %s", now)
	}
}
