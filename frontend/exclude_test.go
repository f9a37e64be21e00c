package frontend

import (
	"testing"

	"github.com/moby/buildkit/client/llb"
)

func TestAlsoExcludeKeepsWhatIsExcluded(t *testing.T) {
	for _, tt := range []struct {
		before []string
		want   string
	}{
		{nil, `["x"]`},
		{[]string{"*", "!a"}, `["*","!a","x"]`},
	} {
		var li llb.LocalInfo
		for _, o := range []llb.LocalOption{llb.ExcludePatterns(tt.before), alsoExclude{"x"}} {
			o.SetLocalOption(&li)
		}
		if li.ExcludePatterns != tt.want {
			t.Errorf("after %q: %s, want %s", tt.before, li.ExcludePatterns, tt.want)
		}
	}
}
