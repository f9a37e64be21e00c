package main

import (
	"maps"
	"testing"
)

func TestParseNetrc(t *testing.T) {
	for name, tt := range map[string]struct {
		text string
		want netrc
	}{
		"one line":       {"machine a.example login me password secret\n", netrc{"a.example": {"me", "secret"}}},
		"many lines":     {"machine A.example\n\tlogin me\n\taccount x\n\tpassword secret\n", netrc{"a.example": {"me", "secret"}}},
		"two and others": {"machine a login b password c default login d password e", netrc{"a": {"b", "c"}, "": {"d", "e"}}},
		"the first":      {"machine a login b password c\nmachine a login d password e\n", netrc{"a": {"b", "c"}}},
		"comment":        {"# machine x login y password z\nmachine a login b password c#d\n", netrc{"a": {"b", "c#d"}}},
		"quotes":         {`machine a login "b c" password "d\"e"`, netrc{"a": {"b c", `d"e`}}},
		"a quote inside": {`machine a login b password c"d`, netrc{"a": {"b", `c"d`}}},
		"macro":          {"macdef init\nmachine x login y password z\n\nmachine a login b password c\n", netrc{"a": {"b", "c"}}},
		"cut off":        {"machine a login", netrc{"a": {}}},
		"empty":          {"", netrc{}},
	} {
		if got := parseNetrc(tt.text); !maps.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
}

func TestLoginOfHost(t *testing.T) {
	n := parseNetrc("machine a.example login me password secret\nmachine empty login me\n")
	if l, ok := n.of("A.Example"); !ok || l != (login{"me", "secret"}) {
		t.Errorf("got %q, %t", l, ok)
	}
	for _, host := range []string{"b.a.example", "example", "empty"} {
		if l, ok := n.of(host); ok {
			t.Errorf("%s gets %q", host, l)
		}
	}
}
