package tags

import (
	"maps"
	"regexp"
	"strings"
	"testing"

	"github.com/distribution/reference"
)

// whole is the grammar of a tag as the reference package of registries has it.
var whole = regexp.MustCompile("^" + reference.TagRegexp.String() + "$")

// FuzzTags holds tags to the grammar of registries: what is called valid is,
// those of a usual version and reference are, and they are the same each time.
// Another input gives another build tag.
func FuzzTags(f *testing.F) {
	f.Add("0.62.0", "nikolaik/python-nodejs:python3.12-nodejs22", []byte("[project]\n"), []byte("lock\n"))
	f.Add("1.58.2", "Registry.Example.com:5000/team/a-long-name-of-a-repository/"+strings.Repeat("i", 60)+":tag", []byte{}, []byte{})
	f.Add("1", "debian@sha256:0123", []byte("a"), []byte("b"))
	f.Add("", "é/\n", []byte("\x00"), []byte("\xff"))
	f.Fuzz(func(t *testing.T, version, base string, pyproject, poetryLock []byte) {
		v := V0{Version: version, Base: base, Browser: len(pyproject)%2 == 0}
		lock := v.Lock(pyproject, poetryLock)
		tree := &Tree{}
		for name, content := range map[string][]byte{"pyproject.toml": pyproject, "openhands/" + version: poetryLock} {
			if err := tree.Add(name, false, strings.NewReader(string(content))); err != nil {
				t.Fatal(err)
			}
		}
		usual := usualVersion.MatchString(version) && usualReference.MatchString(base)
		set := Set{}
		for _, tag := range []string{lock, v.Source(lock, tree.DirHash("openhands")), v.Versioned(), AgentVersioned(version, base)} {
			if Valid(tag) != whole.MatchString(tag) {
				t.Fatalf("%q is valid: %t, a registry says %t", tag, Valid(tag), !Valid(tag))
			}
			if usual && !Valid(tag) {
				t.Fatalf("version %q, base %q: %q is no tag", version, base, tag)
			}
			if Valid(tag) {
				set[KindVersioned] = tag
			}
		}
		if again := v.Lock(pyproject, poetryLock); again != lock {
			t.Fatalf("the lock tag is %s, then %s", lock, again)
		}
		in := Inputs{Base: base, Deps: version, Spec: string(pyproject)}
		other := in
		other.Deps += "x"
		set[KindBuild] = Build(in)
		if !whole.MatchString(Build(in)) || Build(in) != set[KindBuild] || Build(in) == Build(other) {
			t.Fatalf("build tags %q, %q", Build(in), Build(other))
		}
		if got := FromLabels(set.Labels()); !maps.Equal(got, set) {
			t.Fatalf("%v as labels is %v", set, got)
		}
	})
}

var (
	usualVersion   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,26}$`)
	usualReference = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/:-]*$`)
)
