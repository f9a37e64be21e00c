package main

import (
	"slices"
	"testing"
)

func TestTargetsOf(t *testing.T) {
	const out = "FuzzA\nFuzzB\nok  \texample.com/x/y\t0.1s\n?   \texample.com/x/z\t[no test files]\nok  \texample.com/x/w\t0.1s\nFuzzC\nok  \texample.com/x/v\t0.1s\n"
	got, err := targetsOf([]byte(out))
	want := []target{{"example.com/x/y", "FuzzA"}, {"example.com/x/y", "FuzzB"}, {"example.com/x/v", "FuzzC"}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
	for _, bad := range []string{"", "FuzzA\nFAIL\texample.com/x/y\n"} {
		if got, err := targetsOf([]byte(bad)); err == nil {
			t.Errorf("%q gives %v", bad, got)
		}
	}
}

func TestProgress(t *testing.T) {
	m := progress.FindStringSubmatch("fuzz: elapsed: 3s, execs: 325017 (108336/sec), new interesting: 11 (total: 202)")
	if len(m) != 3 || m[1] != "325017" || m[2] != "11" {
		t.Errorf("got %q", m)
	}
}
