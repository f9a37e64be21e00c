package integration

import (
	"fmt"
	"testing"
)

// The matrix again for arm64: made on this machine without emulation, run with.
// Bases run two at a time, as emulation is slow, and only those that tell of this
// architecture what others do not: oldest and newest glibc, musl, no libc.
func TestSealMatrixOnARM64(t *testing.T) {
	deps := lab(t, "arm64")
	emulate(t)
	server := newPrivateServer(t)
	for _, c := range columns() {
		t.Run(c.name, func(t *testing.T) {
			if c.amd64Only != "" {
				t.Skip(c.amd64Only)
			}
			t.Parallel()
			needBase(t, c.base)
			image := imageName(t)
			buildAs(t, image, fmt.Sprintf("base_image: %s\ndeps_image: %s\n", c.base, deps), "--platform=linux/arm64")
			runRows(t, c, image, "arm64", server)
		})
	}
}
