package check

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestReport(t *testing.T) {
	var b strings.Builder
	r := newReport(&b, []string{"tmux", "jq", "server-browser", "a-program-called-so"})
	r.add(result{name: "tmux", state: ok, detail: "tmux 3.5a, UTF-8 session", took: 312 * time.Millisecond})
	r.add(result{name: "jq", state: absent, detail: "no jq"})
	r.add(result{name: "rg", state: absent, detail: "no rg"})
	r.add(result{
		name: "chromium", state: fail, took: 62 * time.Second,
		detail: "error while loading shared libraries: libnss3.so: cannot open shared object file\x1b[0m\nmore",
		output: "first\r\n\n\tindented\n" + strings.Repeat("x\n", 18) + "last", remedy: "rebuild",
	})
	r.add(result{name: "server-run", state: skipped, detail: "the server does not run"})
	r.add(result{name: "server-browser", state: skipped, detail: "the server does not run"})
	if n := r.finish(); n != 4 {
		t.Errorf("%d failures, want 4", n)
	}
	want := `check                result  seconds  detail
tmux                 ok          0.3  tmux 3.5a, UTF-8 session
jq                   FAIL        0.0  not in this image: no jq
rg                   absent      0.0  no rg
chromium             FAIL       62.0  error while loading shared libraries: libnss3.so: cannot open shared object file[0m
server-run           -           0.0  the server does not run
server-browser       FAIL        0.0  the server does not run
a-program-called-so  FAIL        0.0  not in this image: nothing in it has this check

jq: not in this image: no jq
  to do: add the component that brings it, or take jq out of --expect

chromium: error while loading shared libraries: libnss3.so: cannot open shared object file[0m
  |  indented
` + strings.Repeat("  | x\n", 18) + `  | last
  to do: rebuild

server-browser: the server does not run

a-program-called-so: not in this image: nothing in it has this check
  to do: add the component that brings it, or take a-program-called-so out of --expect

4 of 7 checks failed
`
	if got := b.String(); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestReportOfSuccess(t *testing.T) {
	var b strings.Builder
	r := newReport(&b, nil)
	r.add(result{name: "rg", state: absent, detail: "no rg"})
	if n := r.finish(); n != 0 {
		t.Errorf("%d failures, want none", n)
	}
	want := "check           result  seconds  detail\nrg              absent      0.0  no rg\n\n1 checks, no failure\n"
	if got := b.String(); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestOneLine(t *testing.T) {
	if got := oneLine("\n \t\n\x1b[1mbold\x00 end \nmore"); got != "[1mbold end" {
		t.Errorf("got %q", got)
	}
	if got := oneLine(strings.Repeat("ü", 300)); got != strings.Repeat("ü", 200)+"..." {
		t.Errorf("got %d bytes", len(got))
	}
}

func TestParseOptions(t *testing.T) {
	opt, err := parseOptions([]string{"--expect", "tmux,jq", "--expect=jq,gh", "--timeout=7", "--", "serve", "--expect"})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(opt.expect, []string{"tmux", "jq", "gh"}) || opt.timeout != 7*time.Second ||
		!slices.Equal(opt.command, []string{"serve", "--expect"}) {
		t.Errorf("got %+v", opt)
	}
	if opt, err = parseOptions(nil); err != nil || opt.timeout != 2*time.Minute || opt.command != nil {
		t.Errorf("got %+v, %v", opt, err)
	}
}

func TestParseOptionsRefuses(t *testing.T) {
	for line, want := range map[string]string{
		"--version":          "--version is no option",
		"tmux":               "tmux is no option",
		"--expect":           "--expect needs a value",
		"--expect a,,b":      "an entry that is no name",
		"--expect /bin/sh":   "an entry that is no name",
		"--timeout 0":        "no number of seconds",
		"--timeout soon":     "no number of seconds",
		"--timeout 99999999": "no number of seconds",
		"--":                 "begins the server's command",
	} {
		if _, err := parseOptions(strings.Fields(line)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", line, err, want)
		}
	}
}
