package frontend

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/gateway/client"
	fstypes "github.com/tonistiigi/fsutil/types"

	ohllb "github.com/openhands/llb-frontend/llb"
)

// countingRef has one file in each directory, and says what is asked of it.
type countingRef struct {
	client.Reference
	huge  bool
	asked []string
}

func (r *countingRef) ReadDir(_ context.Context, req client.ReadDirRequest) ([]*fstypes.Stat, error) {
	r.asked = append(r.asked, strings.TrimSpace(req.Path+" "+req.IncludePattern))
	if req.IncludePattern == "" && r.huge {
		return nil, errors.New("rpc error: code = ResourceExhausted desc = trying to send message larger than max (20000000 vs. 16777216)")
	}
	if req.IncludePattern != "" && req.IncludePattern != "there" {
		return nil, nil
	}
	return []*fstypes.Stat{{Path: "there", Mode: uint32(fs.ModeDir | 0o755)}}, nil
}

// Two directories are listed once, whatever is asked of them; one that is too large
// for that is found so once.
func TestDirectoriesAreListedOnce(t *testing.T) {
	for _, tt := range []struct {
		huge bool
		want []string
	}{
		{false, []string{"/", "/etc/", "/opt/ there"}},
		{true, []string{"/", "/ there", "/ missing", "/etc/", "/etc/ there", "/etc/ missing", "/opt/ there"}},
	} {
		ref := &countingRef{huge: tt.huge}
		rd := &reader{ref: ref, facts: &ohllb.Facts{Entries: map[string]ohllb.Entry{}}, missing: map[string]bool{}, listed: map[string][]*fstypes.Stat{}, huge: map[string]bool{}}
		for _, p := range []string{"/there", "/missing", "/there", "/etc/there", "/etc/missing", "/opt/there"} {
			if _, ok, err := rd.lstat(t.Context(), p); err != nil || ok == strings.HasSuffix(p, "missing") {
				t.Errorf("%s: %v, %v", p, ok, err)
			}
		}
		if !slices.Equal(ref.asked, tt.want) {
			t.Errorf("huge %v: asked for %q, want %q", tt.huge, ref.asked, tt.want)
		}
	}
}
