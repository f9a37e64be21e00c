package frontend

import (
	"encoding/json"

	"github.com/moby/buildkit/client/llb"
)

// alsoExclude leaves files out beside those of .dockerignore, which
// llb.ExcludePatterns would replace.
type alsoExclude []string

// SetLocalOption implements llb.LocalOption.
func (more alsoExclude) SetLocalOption(li *llb.LocalInfo) {
	var patterns []string
	if li.ExcludePatterns != "" {
		// The text is what llb.ExcludePatterns made of a list.
		_ = json.Unmarshal([]byte(li.ExcludePatterns), &patterns)
	}
	llb.ExcludePatterns(append(patterns, more...)).SetLocalOption(li)
}
