package secret

import (
	"slices"
	"testing"
)

func TestMentioned(t *testing.T) {
	for command, want := range map[string][]string{
		"pip install x":     nil,
		"cat /run/secrets/": nil,
		"cat /run/secrets/netrc /run/secrets/b /run/secrets/a":             {"a", "b"},
		"a=$(cat /run/secrets/my-token.txt); b=/run/secrets/my-token.txt.": {"my-token.txt"},
		`curl -H "token: $(cat "/run/secrets/a_b")"`:                       {"a_b"},
	} {
		if got := Mentioned(command); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", command, got, want)
		}
	}
}
