package deps

import (
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/solver/pb"
)

// TestCacheNamespace: every directory that the daemon keeps is the namespace's.
func TestCacheNamespace(t *testing.T) {
	var ids []string
	for _, space := range []string{"", "mine"} {
		for _, in := range inputs() {
			in.CacheNamespace = space
			def, _ := definition(t, in)
			for _, op := range ops(t, def) {
				for _, m := range op.GetExec().GetMounts() {
					if m.MountType != pb.MountType_CACHE {
						continue
					}
					ids = append(ids, m.CacheOpt.ID)
					if strings.HasPrefix(m.CacheOpt.ID, "mine/openhands-") != (space == "mine") {
						t.Errorf("in the namespace %q there is a cache %q", space, m.CacheOpt.ID)
					}
				}
			}
		}
	}
	slices.Sort(ids)
	if got, want := strings.Join(slices.Compact(ids), " "), "mine/openhands-apt-amd64 "+
		"mine/openhands-apt-arm64 mine/openhands-conda mine/openhands-npm mine/openhands-uv "+
		"openhands-apt-amd64 openhands-apt-arm64 openhands-conda openhands-npm openhands-uv"; got != want {
		t.Errorf("caches are %s, want %s", got, want)
	}
}
