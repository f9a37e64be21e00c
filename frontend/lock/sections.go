package lock

import (
	"path"
	"regexp"
	"slices"
	"strings"

	digest "github.com/opencontainers/go-digest"
	"gopkg.in/yaml.v3"
)

func (d *decoder) images(section pair) {
	for _, p := range d.mapping(section.value, section.key.Value) {
		if d.ref(p.key, Ref) {
			d.digest(p, func(dgst digest.Digest) { d.lock.Images[p.key.Value] = dgst })
		}
	}
}

// ref holds a key to the one form that references have in a lock.
func (d *decoder) ref(key *yaml.Node, form func(string) (string, bool)) bool {
	ref, ok := form(key.Value)
	if ok && ref == key.Value {
		return true
	}
	d.at(key, "%q is no image by name and tag as a lock has it: %s", key.Value, remedy)
	return false
}

func (d *decoder) digest(p pair, keep func(digest.Digest)) {
	text, ok := d.text(p)
	if !ok {
		return
	}
	if !isDigest(text) {
		d.at(p.value, "%q is no digest: write sha256: and 64 hexadecimal digits, or %s", text, remedy)
		return
	}
	keep(digest.Digest(text))
}

// isDigest tells a digest by SHA256, as digest.Validate does with expressions.
func isDigest(text string) bool {
	hex, ok := strings.CutPrefix(text, "sha256:")
	return ok && len(hex) == 64 && strings.Trim(hex, "0123456789abcdef") == ""
}

// downloadName is made of parts of addresses and of requirements.
var downloadName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+@=/-]*$`)

// longestName is not a part of downloadName: a count of 500 takes a millisecond to
// compile, at every start of the frontend.
const longestName = 501

func isDownloadName(text string) bool {
	return len(text) <= longestName && downloadName.MatchString(text)
}

func (d *decoder) downloads(section pair) {
	for _, p := range d.mapping(section.value, section.key.Value) {
		if !isDownloadName(p.key.Value) {
			d.at(p.key, "%q is no name of a download: %s", p.key.Value, remedy)
			continue
		}
		d.digest(p, func(dgst digest.Digest) { d.lock.Downloads[p.key.Value] = dgst })
	}
}

var snapshotForm = regexp.MustCompile(`^[0-9]{8}T[0-9]{6}Z$`)

func (d *decoder) packages(section pair) {
	for _, image := range d.mapping(section.value, section.key.Value) {
		if !d.ref(image.key, Named) {
			continue
		}
		entries := d.mapping(image.value, image.key.Value)
		if len(entries) != 1 {
			d.at(image.key, "%q must have a snapshot, or say why it is unpinned: %s", image.key.Value, remedy)
			continue
		}
		p := entries[0]
		text, ok := d.text(p)
		switch key := p.key.Value; {
		case !ok:
		case key == "snapshot" && snapshotForm.MatchString(text):
			d.lock.Packages[image.key.Value] = Packages{Snapshot: text}
		case key == "snapshot":
			d.at(p.value, "snapshot %q is no time in the form 20260131T000000Z: %s", text, remedy)
		case key == "unpinned":
			d.lock.Packages[image.key.Value] = Packages{Unpinned: text}
		default:
			d.at(p.key, "unknown key %q: it is snapshot or unpinned", key)
		}
	}
}

// platforms are those that the frontend builds for.
var platforms = []string{"linux/amd64", "linux/arm64"}

func (d *decoder) bases(section pair) {
	for _, base := range d.mapping(section.value, section.key.Value) {
		if !isDigest(base.key.Value) {
			d.at(base.key, "%q is no digest of a base: %s", base.key.Value, remedy)
			continue
		}
		for _, p := range d.mapping(base.value, base.key.Value) {
			if !slices.Contains(platforms, p.key.Value) {
				d.at(p.key, "%q is no platform: it is one of %s", p.key.Value, strings.Join(platforms, ", "))
				continue
			}
			d.base(digest.Digest(base.key.Value), p)
		}
	}
}

func (d *decoder) base(base digest.Digest, p pair) {
	if p.value.Value == kindNone {
		d.lock.MustRead(base, p.key.Value)
		return
	}
	d.digest(p, func(id digest.Digest) {
		if _, ok := d.lock.Facts[id]; !ok {
			d.at(p.value, "there are no facts %q: %s", id, remedy)
			return
		}
		d.lock.list(base, p.key.Value, id)
	})
}

func (d *decoder) facts(section pair) {
	for _, p := range d.mapping(section.value, section.key.Value) {
		before := len(d.problems)
		f := d.fact(p)
		if id := f.ID(); len(d.problems) == before && id.String() != p.key.Value {
			d.at(p.key, "facts were changed by hand: they have the digest %s; %s", id, remedy)
		}
		d.lock.Facts[digest.Digest(p.key.Value)] = f
	}
}

func (d *decoder) fact(section pair) Facts {
	f := Facts{}
	for _, p := range d.mapping(section.value, section.key.Value) {
		switch p.key.Value {
		case "distribution":
			f.Distribution, _ = d.text(p)
		case "files":
			f.Files = d.files(p)
		case "accounts":
			f.Accounts = d.accounts(p)
		default:
			d.at(p.key, "unknown key %q: facts have distribution, files, accounts", p.key.Value)
		}
	}
	return f
}

func (d *decoder) files(section pair) map[string]*File {
	pairs := d.mapping(section.value, section.key.Value)
	files := make(map[string]*File, len(pairs))
	for _, p := range pairs {
		name := p.key.Value
		if !path.IsAbs(name) || path.Clean(name) != name {
			d.at(p.key, "%q is no absolute path in its shortest form: %s", name, remedy)
			continue
		}
		text, ok := d.text(p)
		if !ok {
			continue
		}
		f, err := d.file(text)
		if err != nil {
			d.at(p.value, "%v", err)
			continue
		}
		files[name] = f
	}
	return files
}

func (d *decoder) file(text string) (*File, error) {
	f, ok := d.entries[text]
	if ok {
		return f, nil
	}
	f, err := parseFile(text)
	if err == nil {
		d.entries[text] = f
	}
	return f, err
}

func (d *decoder) accounts(section pair) map[string][]byte {
	accounts := map[string][]byte{}
	for _, p := range d.mapping(section.value, section.key.Value) {
		if !slices.Contains(accountFiles, p.key.Value) {
			d.at(p.key, "unknown key %q: accounts have %s", p.key.Value, strings.Join(accountFiles, ", "))
			continue
		}
		if text, ok := d.text(p); ok {
			accounts[p.key.Value] = []byte(text)
		}
	}
	return accounts
}
