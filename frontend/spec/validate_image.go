package spec

import (
	// The digest package knows an algorithm only when it is linked in.
	_ "crypto/sha256"
	_ "crypto/sha512"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/containerd/platforms"
	"github.com/distribution/reference"
)

// scratch is the name of the empty image, as in a Dockerfile.
const scratch = "scratch"

// supportedPlatforms are those that the helper programs are built for.
var supportedPlatforms = []string{"linux/amd64", "linux/arm64"}

func (l *loader) checkBaseImage(image string) {
	if image == "" && !l.given("base_image") {
		l.problem("base_image", `base_image is required; add "base_image: debian:trixie-slim" or pass --build-arg BASE_IMAGE=...`)
		return
	}
	l.checkImage("base_image", image)
}

func (l *loader) checkDepsImage(image string) {
	if image == "" {
		return
	}
	l.checkImage("deps_image", image)
	if image == scratch {
		l.problem("deps_image", "deps_image must hold /openhands, and %q is empty; remove it to build the deps", scratch)
	}
	for _, key := range []string{"deps.builder", "deps.tools", "deps.python", "deps.browser", "deps.vscode", "deps.node", "deps.uv", "deps.acp"} {
		if l.given("deps_image") && l.given(key) {
			l.problem(key, "%s has no effect with deps_image: deps are not built when deps_image is given; remove one", key)
		}
	}
}

// checkImage checks the form of an image reference. The name of a build context
// has this form too.
func (l *loader) checkImage(key, image string) {
	if image == "" || image == scratch {
		return
	}
	_, err := reference.ParseNormalizedNamed(image)
	if err == nil {
		return
	}
	_, address, schemed := strings.Cut(image, "://")
	_, dgst, at := strings.Cut(image, "@")
	foreign := strings.IndexFunc(image, func(r rune) bool { return r > unicode.MaxASCII })
	rule, remedy := strings.TrimPrefix(err.Error(), "invalid reference format: "), "write name[:tag][@digest], e.g. debian:trixie-slim"
	switch {
	case at && !strings.HasPrefix(dgst, "sha"):
		// A password would be in the log, this message included.
		l.problem(key, "%s holds %q without a digest behind it; write name[:tag][@digest], and log in to a registry with docker login", key, "@")
		return
	case foreign >= 0:
		// It may look like another one.
		r, _ := utf8.DecodeRuneInString(image[foreign:])
		rule = fmt.Sprintf("it holds the character %U, which is not ASCII", r)
	case schemed:
		remedy = "write it without the scheme: " + address
	}
	l.problem(key, "%s %q is not an image reference (%s); %s", key, image, rule, remedy)
}

// checkPlatforms normalizes the platforms in place.
func (l *loader) checkPlatforms(list []string) {
	if list != nil && len(list) == 0 {
		l.problem("platforms", "platforms must not be empty; list platforms or remove the key")
	}
	for i, value := range list {
		if value == "" {
			continue
		}
		normalized, ok := normalizePlatform(value)
		if !ok {
			known := strings.Join(supportedPlatforms, " and ")
			l.problem(item("platforms", i), "platform %q is not supported%s; the supported ones are %s", value, l.fullPlatform(value), known)
			continue
		}
		list[i] = normalized
	}
	l.checkUnique("platforms", list)
}

// fullPlatform asks for the whole platform where a part is given. The platforms
// library would take the other part from the machine that it runs on.
func (l *loader) fullPlatform(value string) string {
	if full, ok := normalizePlatform("linux/" + value); ok {
		return `, did you mean "` + full + `"?`
	}
	return didYouMean(value, supportedPlatforms)
}

func normalizePlatform(value string) (string, bool) {
	if !strings.Contains(value, "/") {
		return "", false
	}
	platform, err := platforms.Parse(value)
	if err != nil {
		return "", false
	}
	normalized := platforms.FormatAll(platforms.Normalize(platform))
	for _, supported := range supportedPlatforms {
		if normalized == supported {
			return normalized, true
		}
	}
	return "", false
}
