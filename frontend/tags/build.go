package tags

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
)

// Inputs is all that decides an image, but for what package managers fetch on the
// day. Two builds of which anything here differs have different build tags.
type Inputs struct {
	// Frontend is the digest of the frontend's own image, which composes, and
	// which builds /openhands.
	Frontend string `json:"frontend"`
	Target   string `json:"target"`
	Platform string `json:"platform"`
	// Base is the digest of the base image.
	Base string `json:"base,omitempty"`
	// Deps is the digest of the deps image or, where /openhands is built, that of
	// the builder: frontend and spec say the rest.
	Deps string `json:"deps"`
	// Lock is a digest over what a lock file says of downloads and packages, where
	// the build takes any.
	Lock string `json:"lock,omitempty"`
	// Source is the digest over the checkout of server.source, see [Tree.Digest].
	Source string `json:"source,omitempty"`
	// Spec is the spec in one form, its args substituted and its defaults filled in.
	Spec string `json:"spec"`
	// RunArgs are args that commands of extra_deps.run see.
	RunArgs []string `json:"runArgs,omitempty"`
	// Labels are the request's own.
	Labels map[string]string `json:"labels,omitempty"`
	// Epoch is SOURCE_DATE_EPOCH in seconds.
	Epoch *int64 `json:"epoch,omitempty"`
}

// Build is the tag of a build: the same for two builds of the same inputs.
func Build(in Inputs) string {
	text, _ := json.Marshal(in) // strings and a number
	return buildTag(text)
}

// joinBuilds is the build tag of an index.
func joinBuilds(platforms map[string]string) string {
	text, _ := json.Marshal(platforms) // sorted by platform
	return buildTag(text)
}

// buildTag keeps 128 bits of a SHA-256.
func buildTag(text []byte) string {
	const digits = 32
	sum := sha256.Sum256(text)
	return "build-" + hex.EncodeToString(sum[:])[:digits]
}
