package engine

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/openhands/llb-frontend/integration/mirror"
)

// mirrored is a key below deps whose download the mirror has.
type mirrored struct {
	key     string
	short   string // the key that a value in its short form stands for
	version func(*mirror.Versions) *string
	archive func(versions mirror.Versions, arch string) string
}

func mirroredKeys() []mirrored {
	return []mirrored{
		{mirror.Node, "version", func(v *mirror.Versions) *string { return &v.Node }, mirror.Versions.NodeArchive},
		{mirror.VSCode, "version", func(v *mirror.Versions) *string { return &v.VSCode }, mirror.Versions.VSCodeArchive},
		{mirror.Python, "provider", func(v *mirror.Versions) *string { return &v.Python }, mirror.Versions.PythonArchive},
	}
}

// usedBy reports whether a spec with this value downloads the component.
func (c mirrored) usedBy(value *yaml.Node, hasServer bool) bool {
	word := wordOf(value, c.short)
	if c.key == mirror.Python {
		return word == "uv"
	}
	return word != "none" && (value != nil || hasServer)
}

// versionIn is the version that a value names, or empty.
func (c mirrored) versionIn(value *yaml.Node) string {
	if c.short != "version" && child(value, "version") == nil {
		return ""
	}
	return wordOf(value, "version")
}

// WithMirrors returns a spec that downloads from the mirror alone: with the
// addresses under mirrors, and with the versions and digests of what the spec
// uses, since the mirror's archives are not the original ones. The parts that
// the spec needs are made. The syntax line and comments stay. A spec that needs
// nothing of the mirror stays as it is, to the byte.
//
// Build args are not looked into: a server given as ${NAME} counts as one.
func (e *Engine) WithMirrors(ctx context.Context, spec []byte) ([]byte, error) {
	return e.mirroredSpec(ctx, spec, addAddresses)
}

// WithDigests is WithMirrors for a spec that names a mirror of its own, which
// serves the files of this one: its addresses stay.
func (e *Engine) WithDigests(ctx context.Context, spec []byte) ([]byte, error) {
	return e.mirroredSpec(ctx, spec, func(*yaml.Node, *Mirror) {})
}

func (e *Engine) mirroredSpec(ctx context.Context, spec []byte, addresses func(root *yaml.Node, m *Mirror)) ([]byte, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(spec, &doc); err != nil || len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return spec, nil // for the frontend to say what is wrong
	}
	root := doc.Content[0]
	versions := mirror.DefaultVersions()
	used, parts := usedOf(root, &versions)
	if len(parts) == 0 {
		return spec, nil
	}
	m, err := e.MirrorOf(ctx, versions, parts...)
	if err != nil {
		return nil, err
	}
	addresses(root, m)
	addDigests(root, m, used)
	return encode(&doc)
}

func encode(doc *yaml.Node) ([]byte, error) {
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := errors.Join(enc.Encode(doc), enc.Close()); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// usedOf says which components a spec downloads, and which parts of the mirror
// that takes. Versions that the spec names replace the given ones.
func usedOf(root *yaml.Node, versions *mirror.Versions) (used []mirrored, parts []string) {
	if child(root, "deps_image") != nil {
		return nil, nil
	}
	deps := child(root, "deps")
	server := wordOf(child(root, "server"), "name")
	hasServer := server != "" && server != "none"
	for _, c := range mirroredKeys() {
		node := child(deps, c.key)
		if !c.usedBy(node, hasServer) {
			continue
		}
		if version := c.versionIn(node); version != "" {
			*c.version(versions) = version
		}
		used, parts = append(used, c), append(parts, c.key)
	}
	if hasACP(deps) && !slices.Contains(parts, mirror.Node) {
		parts = append(parts, mirror.Node)
	}
	if wordOf(child(deps, "python"), "provider") == "micromamba" {
		parts = append(parts, mirror.Conda)
	}
	browser := child(deps, "browser")
	if provider := wordOf(browser, "provider"); provider == "playwright" || browser == nil && server == "action-execution-server" {
		if version := child(browser, "version"); version != nil {
			versions.Playwright = version.Value
		}
		parts = append(parts, mirror.Playwright)
	}
	return used, parts
}

// addAddresses writes the mirror's addresses into a spec. Addresses of examples,
// which are nobody's, go away with it.
func addAddresses(root *yaml.Node, m *Mirror) {
	addresses := m.Addresses()
	mirrors := mapping(root, "mirrors", "")
	for i := 0; i+1 < len(mirrors.Content); {
		u, err := url.Parse(mirrors.Content[i+1].Value)
		if err == nil && (u.Hostname() == "example.com" || strings.HasSuffix(u.Hostname(), ".example.com")) {
			mirrors.Content = slices.Delete(mirrors.Content, i, i+2)
			continue
		}
		i += 2
	}
	for _, key := range slices.Sorted(maps.Keys(addresses)) {
		set(mirrors, key, addresses[key])
	}
}

// addDigests writes the versions and digests of the mirror's archives into a
// spec.
func addDigests(root *yaml.Node, m *Mirror, used []mirrored) {
	for _, c := range used {
		pin(mapping(mapping(root, "deps", ""), c.key, c.short), m, c)
	}
	if hasACP(child(root, "deps")) {
		acp := mapping(mapping(root, "deps", ""), "acp", "agents")
		pin(mapping(acp, "node", "version"), m, mirroredKeys()[0])
	}
}

// pin writes the version and the digests of an archive that the mirror has.
func pin(node *yaml.Node, m *Mirror, c mirrored) {
	if child(node, "version") == nil {
		set(node, "version", *c.version(&m.Versions))
	}
	digests := mapping(node, "digests", "")
	for _, arch := range []string{"amd64", "arm64"} {
		set(digests, arch, m.Content[c.archive(m.Versions, arch)])
	}
}

// hasACP reports whether a spec wants agents, which run on a node of their own: of
// the version that the mirror has.
func hasACP(deps *yaml.Node) bool {
	acp := child(deps, "acp")
	return acp != nil && acp.Kind != yaml.SequenceNode && wordOf(acp, "agents") != "none"
}

// child is the value of a key, or nil when it is not given.
func child(n *yaml.Node, key string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key && n.Content[i+1].Tag != "!!null" {
			return n.Content[i+1]
		}
	}
	return nil
}

// wordOf is the text of a value in its short form, or of a key in its long one.
func wordOf(n *yaml.Node, key string) string {
	if n != nil && n.Kind == yaml.MappingNode {
		n = child(n, key)
	}
	if n == nil {
		return ""
	}
	return n.Value
}

// mapping makes sure that a key's value is a mapping. One in its short form
// becomes the mapping's key of that name.
func mapping(n *yaml.Node, key, short string) *yaml.Node {
	value := child(n, key)
	if value != nil && value.Kind == yaml.MappingNode {
		return value
	}
	m := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	if value != nil && short != "" {
		text := *value
		m.Content = []*yaml.Node{{Kind: yaml.ScalarNode, Tag: "!!str", Value: short}, &text}
	}
	setNode(n, key, m)
	return m
}

func set(n *yaml.Node, key, value string) {
	setNode(n, key, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value, Style: yaml.DoubleQuotedStyle})
}

func setNode(n *yaml.Node, key string, value *yaml.Node) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			n.Content[i+1] = value
			return
		}
	}
	n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: key}, value)
}
