package integration

import (
	"bytes"
	"fmt"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/openhands/llb-frontend/integration/engine"
)

// The programs of the matrix and what they say on every base. The rows are in
// testdata/lab/rows.{sh,js,py}.
func matrixRows() map[string]string {
	return map[string]string{
		"bash":          "5. é",
		"tmux":          "grüße, 你好",
		"git":           "first",
		"jq":            `{"a":[1,"é"]}`,
		"rg":            "bcd",
		"node":          "glibc true Januar",
		"chromium":      "PNG",
		"ssl":           "OpenSSL hello",
		"sqlite":        "LITE3",
		"venv":          "/workspace/venv /openhands/python 32",
		"locale":        "UTF-8 True ä",
		"zoneinfo":      "2:00:00 JST",
		"iconv":         "grüße",
		"getpwnam":      "0 openhands",
		"getaddrinfo":   "127.0.0.1",
		"ctypes":        "1.0 glibc",
		"curses":        "256",
		"numpy":         "[[1.0, 0.0], [0.0, 1.0]]",
		"scipy":         "-2.0 2.000",
		"pillow":        "(8, 8) True True",
		"cryptography":  "verified",
		"lxml":          "é",
		"grpcio":        "hi!",
		"psutil":        "python",
		"orjson":        `{"é":[1,2.5]}`,
		"pydantic_core": "[1, 2]",
		"tokenizers":    "[0, 1, 2]",
		"cffi":          "4",
		"pyyaml":        "[1, 'x']",
		"maps":          "all inside",
		"environ":       "none",
		"searched":      "inside only",
	}
}

// column is a base of the matrix.
type column struct {
	name, base string
	bareEtc    bool // no machine has put anything into the container's /etc
	// amd64Only says why the column is left out for arm64, where one takes minutes.
	amd64Only string
	// own is what is run of the base itself, before and after.
	own []string
	// rows are those that say something else than [matrixRows], with why.
	rows map[string]string
}

var (
	debianOwn = []string{"/bin/sh", "-c", `cat /etc/debian_version; id -u; env | grep ^LD_; sed -n 's/.* \//\//p' /proc/self/maps | sort -u; perl -e 'print "perl $]\n"'`}
	muslOwn   = []string{"/bin/sh", "-c", `cat /etc/alpine-release; env | grep ^LD_; LANG=C HOME=/ /usr/bin/base-program`}
	staticOwn = []string{"/bin/base-program", "an argument"}
)

func columns() []column {
	return []column{
		{name: "bullseye", base: "debian:bullseye-slim", own: debianOwn, amd64Only: "its security archive has no arm64 any more"},
		{name: "bookworm", base: "debian:bookworm-slim", own: debianOwn, amd64Only: "cuda-like is this and more"},
		{name: "trixie", base: "debian:trixie-slim", own: debianOwn, amd64Only: "its glibc is between those of cuda-like and sid"},
		{name: "sid", base: "debian:sid-slim", own: debianOwn},
		{name: "alpine-like", base: "alpine:3.22", own: muslOwn},
		{name: "distroless-like", base: "distroless:latest", own: staticOwn},
		{
			name: "cuda-like", base: "cuda-like:latest", own: debianOwn,
			rows: map[string]string{"environ": "LD_LIBRARY_PATH=/usr/local/nvidia/lib:/usr/local/cuda/lib64"},
		},
		{
			name: "preloads jemalloc", base: "jemalloc:latest", own: debianOwn,
			amd64Only: "cuda-like has another of the loader's variables",
			rows:      map[string]string{"environ": "LD_PRELOAD=/usr/local/lib/libjemalloc.so.2"},
		},
		{
			name: "preloads for musl", base: "musl-preload:latest", own: muslOwn,
			amd64Only: "the library is compiled by this machine's compiler",
			rows:      map[string]string{"environ": "LD_PRELOAD=/usr/lib/libpreload.so"},
		},
		{name: "lib64 is a symlink", base: "lib64:latest", own: muslOwn, amd64Only: "the loader of arm64 has no business in /lib64"},
		{name: "broken nsswitch", base: "nsswitch:latest", own: debianOwn, amd64Only: "the file is read by the same code on both"},
		{
			// Nobody knows a host or a CA here: the answers are no, and the rest works.
			name: "no etc", base: "distroless:latest", bareEtc: true, own: staticOwn,
			amd64Only: "what is not there is looked for by the same code on both",
			rows: map[string]string{
				"git":         "FAIL exit 128",
				"ssl":         "FAIL URLError: <urlopen error [SSL: CERTIFICATE_VERIFY_FAILED]",
				"getaddrinfo": "FAIL gaierror",
			},
		},
	}
}

func TestSealMatrix(t *testing.T) {
	deps := lab(t, "amd64")
	server := newPrivateServer(t)
	pictures := map[string][]byte{}
	for _, c := range columns() {
		t.Run(c.name, func(t *testing.T) {
			needBase(t, c.base)
			image := imageName(t)
			buildAs(t, image, fmt.Sprintf("base_image: %s\ndeps_image: %s\n", c.base, deps))
			t.Run("base before and after", func(t *testing.T) { baseUnchanged(t, c, image) })
			pictures[c.name] = runRows(t, c, image, "amd64", server)
		})
	}
	samePictures(t, pictures)
}

func needBase(t *testing.T, base string) {
	t.Helper()
	if err := eng.Images(t.Context(), base); err != nil {
		t.Fatal(err)
	}
}

// runRows runs all rows in one container, compares them one by one and returns
// Chromium's picture.
func runRows(t *testing.T, c column, image, arch string, server *privateServer) (picture []byte) {
	t.Helper()
	shots := t.ArtifactDir()
	if err := os.Chmod(shots, 0o777); err != nil {
		t.Fatal(err)
	}
	opt := engine.RunOptions{
		Image: image, Arch: arch, BareEtc: c.bareEtc,
		Args:   []string{"/openhands/tools/bash", "/rows/rows.sh", server.url},
		Mounts: []specs.Mount{bind(labDir(), "/rows", "ro"), bind(shots, "/shots", "rw")},
		// The loader's report of every file that it tries.
		Env: []string{"oh_DEBUG=libs", "oh_DEBUG_OUTPUT=/tmp/loader"},
	}
	if !c.bareEtc {
		opt.Mounts = append(opt.Mounts, bind(server.certs, "/etc/ssl/certs", "ro"))
	}
	out := run(t, opt)
	if err := os.WriteFile(filepath.Join(shots, "rows.txt"), []byte(out), 0o644); err != nil {
		t.Fatal(err)
	}
	got := parseRows(out)
	want := matrixRows()
	maps.Copy(want, c.rows)
	if arch != "amd64" {
		delete(want, "chromium")
	}
	for _, row := range slices.Sorted(maps.Keys(want)) {
		t.Run(row, func(t *testing.T) {
			switch text, ok := got[row]; {
			case !ok:
				t.Errorf("no such row in\n%s", out)
			case strings.HasPrefix(want[row], "FAIL") && strings.HasPrefix(text, want[row]):
			case text != want[row]:
				t.Errorf("got  %s\nwant %s", text, want[row])
			}
		})
	}
	if arch != "amd64" {
		return nil
	}
	picture, err := os.ReadFile(filepath.Join(shots, "shot.png"))
	if err != nil {
		t.Error(err)
	}
	return picture
}

// parseRows reads "NAME: text" lines; lines of other forms belong to the row
// above them.
func parseRows(out string) map[string]string {
	rows, last := map[string]string{}, ""
	for line := range strings.Lines(out) {
		line = strings.TrimSuffix(line, "\n")
		if name, text, ok := strings.Cut(line, ": "); ok && !strings.Contains(name, " ") && rows[name] == "" {
			rows[name], last = text, name
			continue
		}
		rows[last] += "\n" + line
	}
	return rows
}

func bind(from, to, mode string) specs.Mount {
	return specs.Mount{Destination: to, Type: "bind", Source: from, Options: []string{"rbind", mode}}
}

// baseUnchanged runs the base's own programs with the image's environment: in
// the base, in the image, and in the image from a session of our tmux.
func baseUnchanged(t *testing.T, c column, image string) {
	env := configOf(t, pulled(t, eng.Registry()+"/"+image, "amd64")).Config.Env
	before := run(t, engine.RunOptions{Image: "library/" + c.base, User: "0", Args: c.own, Env: env})
	after := run(t, engine.RunOptions{Image: image, User: "0", Args: c.own})
	script := `tmux -L base new-session -d "$(printf '%q ' "$@") > /workspace/out 2>&1; tmux -L base wait-for -S done" &&
		tmux -L base wait-for done && printf %s "$(</workspace/out)"`
	inTmux := run(t, engine.RunOptions{Image: image, User: "0", Args: append([]string{"/openhands/tools/bash", "-c", script, "bash"}, c.own...)})
	want := ownLines(before)
	if got := ownLines(after); got != want {
		t.Errorf("in the image, the base's programs say\n%s\nbefore\n%s", got, want)
	}
	if got := ownLines(inTmux); got != want {
		t.Errorf("in our tmux, the base's programs say\n%s\nbefore\n%s", got, want)
	}
}

// ownLines leaves out the variables that an image has of us, or a terminal.
func ownLines(out string) string {
	var kept []string
	for line := range strings.Lines(out) {
		line = strings.TrimSuffix(line, "\n")
		if key, _, ok := strings.Cut(line, "="); !ok || strings.HasPrefix(key, "LD_") || strings.ContainsAny(key, " /:") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "\n")
}

// samePictures looks at Chromium's picture of testdata/lab/page.html: its box,
// its text, and that it is the same on every base.
func samePictures(t *testing.T, pictures map[string][]byte) {
	names := slices.Sorted(maps.Keys(pictures))
	for _, name := range names {
		b := pictures[name]
		img, err := png.Decode(bytes.NewReader(b))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if size := img.Bounds().Size(); size.X != 400 || size.Y != 200 {
			t.Errorf("%s: the picture has %v pixels", name, size)
			continue
		}
		if r, g, b, _ := img.At(100, 30).RGBA(); r>>8 != 0 || g>>8 != 0xaa || b>>8 != 0 {
			t.Errorf("%s: the box has the colour %x %x %x", name, r>>8, g>>8, b>>8)
		}
		dark := 0
		for x := range 400 {
			for y := 80; y < 200; y++ {
				if r, _, _, _ := img.At(x, y).RGBA(); r>>8 < 0x60 {
					dark++
				}
			}
		}
		if dark < 300 {
			t.Errorf("%s: %d dark pixels are no text", name, dark)
		}
		if !bytes.Equal(b, pictures[names[0]]) {
			t.Errorf("%s: the picture is not that of %s", name, names[0])
		}
	}
}
