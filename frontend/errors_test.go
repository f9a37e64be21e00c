package frontend

import (
	"strings"
	"testing"

	"github.com/moby/buildkit/solver/errdefs"
)

// A spec that is refused for what it would write on a terminal is not shown with it.
func TestExcerptsArePrintable(t *testing.T) {
	_, err := run(t, &stub{spec: "base_image: debian:13\r\n# \x1b[2K\u202e\xff\r\nplatforms: \"x\\e[1m\"\n"})
	sources := errdefs.Sources(err)
	if len(sources) == 0 {
		t.Fatalf("no place in %v", err)
	}
	for _, s := range sources {
		if want := "base_image: debian:13\r\n# \ufffd[2K\ufffd\ufffd\r\nplatforms: \"x\\e[1m\"\n"; string(s.Info.Data) != want {
			t.Errorf("got %q, want %q", s.Info.Data, want)
		}
	}
	if strings.ContainsAny(err.Error(), "\x1b\u202e") {
		t.Errorf("the message is %q", err.Error())
	}
}
