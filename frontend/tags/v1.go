package tags

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// AgentVersioned is the tag that the agent-server's own builder gives to a release
// on a base (openhands/agent_server/docker/build.py, versioned_tag). Its other
// tags begin with a commit.
func AgentVersioned(version, base string) string {
	return "v" + version + "_" + agentSlug(base)
}

// agentSlug shortens a long reference to the last part of its repository, its tag
// and a digest.
func agentSlug(base string) string {
	const longest, digits = 64, 12
	slug := replaced(base, "_s_", "_tag_")
	if len(slug) <= longest {
		return slug
	}
	sum := sha256.Sum256([]byte(slug))
	repo, tag, tagged := strings.Cut(slug, "_tag_")
	if i := strings.LastIndex(repo, "_s_"); i >= 0 {
		repo = repo[i+len("_s_"):]
	}
	if tagged && tag != "" {
		repo += "_tag_" + tag
	}
	return repo[:min(len(repo), longest-1-digits)] + "-" + hex.EncodeToString(sum[:])[:digits]
}
