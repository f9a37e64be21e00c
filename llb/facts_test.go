package llb

import (
	"io/fs"
	"strings"
	"testing"
)

func TestPlace(t *testing.T) {
	dir := Entry{Mode: fs.ModeDir | 0o755}
	link := func(to string) Entry { return Entry{Mode: fs.ModeSymlink | 0o777, Linkname: to} }
	f := &Facts{Entries: map[string]Entry{
		"/dev": dir, "/openhands": dir, "/openhands/x": dir, "/srv": dir, "/proc": dir, "/deva": dir,
		"/null": link("/dev/null"), "/up": link("../../proc/self"), "/sys": link("srv"), "/home": link("openhands/x"),
		"/a": link("/deva/b"), "/self": link("self"),
	}}
	for p, want := range map[string]string{
		"/null": `"/null" leads to "/dev/null" in the base image, which containers mount over`,
		"/up/x": `"/up/x" leads to "/proc/self/x"`, "/home/dev": `"/home/dev" leads into /openhands in the base image`,
		"/self": "more than 40 symlinks", "/sys/x": "", "/a": "", "/srv/new": "",
		// The spec may name such a directory itself.
		"/dev/shm": "", "/openhands/x/work": "",
	} {
		_, _, err := f.place(p)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: got %v, want %q", p, err, want)
		}
	}
	f.Entries["/openhands"] = link("/etc")
	if _, _, err := f.place("/openhands/work"); err == nil {
		t.Error("a symlink that is replaced is followed")
	}
}
