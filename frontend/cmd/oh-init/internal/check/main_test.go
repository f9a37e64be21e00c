package check

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestMainProgram runs oh-check where no image is.
func TestMainProgram(t *testing.T) {
	if exists(root) {
		t.Skip(root + " is there: this test is about machines without it")
	}
	img := newImage(t)
	img.limit = 10 * time.Minute // a busy machine takes longer than people would wait
	img.elf(t, "oh-check")
	img.env = []string{"PATH=", "TMPDIR=" + img.temp}
	for _, c := range []struct {
		args, want string
		code       int
	}{
		{"", "server          absent", 0},
		{"--expect server,gh", "server          FAIL        0.0  not in this image: no server below /openhands", 1},
		{"--expect server,gh", "gh              FAIL        0.0  not in this image", 1},
		{"--help", "usage: oh-check", 0},
		{"--version", "oh-check: --version is no option", 2},
	} {
		o := img.run(t.Context(), img.step(), command{args: append([]string{img.path("oh-check")}, strings.Fields(c.args)...)})
		code := 0
		if exit := (*exec.ExitError)(nil); errors.As(o.err, &exit) {
			code = exit.ExitCode()
		}
		if code != c.code || !strings.Contains(o.output(), c.want) {
			t.Errorf("oh-check %s: exit code %d, want %d and %q in\n%s", c.args, code, c.code, c.want, o.output())
		}
	}
	if left, err := os.ReadDir(img.temp); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	img.env = []string{"PATH=", "TMPDIR=" + img.path("none")}
	o := img.run(t.Context(), img.step(), command{args: []string{img.path("oh-check")}})
	if !strings.Contains(o.stderr, "mount a tmpfs at /tmp, or set TMPDIR") {
		t.Errorf("without a place for files: %s", o.output())
	}
}
