package tags

import (
	"crypto/md5" //nolint:gosec // OpenHands' choice; it names images and protects nothing
	"encoding/hex"
	"math/big"
	"strings"
)

// V0 is what decides the tags of OpenHands V0
// (openhands/runtime/utils/runtime_build.py).
type V0 struct {
	// Version is OpenHands' own, see [V0Version].
	Version string
	// Base is the reference of the base image as it is asked for, not normalised.
	Base string
	// Browser says that the image has a browser.
	Browser bool
}

// Lock is the tag of all images with the same base and dependencies. The
// arguments are the contents of pyproject.toml and poetry.lock.
func (v V0) Lock(pyproject, poetryLock []byte) string {
	h := md5.New() //nolint:gosec // as above
	h.Write([]byte(v.Base))
	if !v.Browser {
		h.Write([]byte("False"))
	}
	h.Write(pyproject)
	h.Write(poetryLock)
	return v.prefix() + truncated(h.Sum(nil))
}

// Source is the tag of one image: its lock tag, and the hash of the server's code
// as [Tree.DirHash] gives it.
func (v V0) Source(lock, dirHash string) string {
	sum, _ := hex.DecodeString(dirHash)
	return lock + "_" + truncated(sum)
}

// Versioned is the tag of all images of a release on the same base.
func (v V0) Versioned() string {
	const longest = 96
	base := []rune(strings.ToLower(replaced(v.Base, "_s_", "_t_")))
	return v.prefix() + string(base[max(len(base)-longest, 0):])
}

func (v V0) prefix() string { return "oh_v" + v.Version + "_" }

// V0Version is the version that OpenHands takes itself for: that of the first line
// of pyproject.toml that begins with "version =". It is empty without one.
func V0Version(pyproject []byte) string {
	for line := range strings.Lines(string(pyproject)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "version =") {
			_, value, _ := strings.Cut(line, "=")
			return strings.Trim(strings.Trim(strings.TrimSpace(value), `"`), "'")
		}
	}
	return ""
}

// truncated writes a hash as a number in base 36, the least significant digit
// first, and keeps 16 digits.
func truncated(sum []byte) string {
	const digits = 16
	text := []byte(new(big.Int).SetBytes(sum).Text(36))
	var out strings.Builder
	for i := len(text) - 1; i >= 0 && out.Len() < digits; i-- {
		out.WriteByte(text[i])
	}
	return out.String()
}
