package check

import (
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// orphan is a program whose loader does not exist.
func orphan() string {
	b := make([]byte, 64+56)
	copy(b, "\x7fELF\x02\x01\x01")
	le := binary.LittleEndian
	le.PutUint16(b[16:], 3) // ET_DYN
	le.PutUint16(b[18:], machine())
	le.PutUint32(b[20:], 1)
	le.PutUint64(b[32:], 64) // program headers
	le.PutUint16(b[52:], 64)
	le.PutUint16(b[54:], 56)
	le.PutUint16(b[56:], 1)
	interp := "/no/such/loader\x00"
	le.PutUint32(b[64:], 3) // PT_INTERP
	le.PutUint64(b[72:], uint64(len(b)))
	le.PutUint64(b[96:], uint64(len(interp)))
	return string(b) + interp
}

// machine is the one that runs the test.
func machine() uint16 {
	self, err := os.Executable()
	if err != nil {
		return 0
	}
	f, err := os.Open(self)
	if err != nil {
		return 0
	}
	defer f.Close()
	b := make([]byte, 20)
	_, _ = f.Read(b)
	return binary.LittleEndian.Uint16(b[18:])
}

func TestTools(t *testing.T) {
	t.Parallel()
	img := newImage(t)
	want(t, img.tools(t.Context()), absent, "no program")
	img.elf(t, "bin/good")
	img.elf(t, "tools/fussy")
	img.elf(t, "tools/hang")
	img.elf(t, "tools/killall5")
	img.script(t, "tools/script", "exit 127")
	img.self = img.path("tools/oh-init")
	img.file(t, "tools/oh-init", "\x7fELF")
	want(t, img.tools(t.Context()), ok, "3 programs start")

	img.elf(t, "tools/crash")
	img.elf(t, "tools/nolib")
	img.file(t, "tools/orphan", orphan())
	img.file(t, "tools/alien", "\x7fELFrubbish")
	got := img.tools(t.Context())
	want(t, got, fail, "4 of 7 programs cannot start: alien crash nolib orphan")
	for _, line := range []string{
		"alien: cannot start: exec format error",
		"crash: killed by a signal: killed",
		"nolib: error while loading shared libraries: libnss3.so: cannot open shared object file",
		"orphan: cannot start: its loader is not there",
	} {
		if !strings.Contains(got.output, line) {
			t.Errorf("no %q in %q", line, got.output)
		}
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	img := newImage(t)
	img.script(t, "tools/git", `[ "$1" = --version ] && echo git version 2.47.3`)
	img.script(t, "tools/jq", "echo jq: error while loading shared libraries: libjq.so.1: cannot open shared object file >&2; exit 127")
	img.script(t, "tools/rg", "echo 'rg: /lib/libc.so.6: version `GLIBC_2.38'\"'\"' not found (required by rg)' >&2; exit 1")
	img.script(t, "tools/npm", "echo npm: no node >&2; exit 1")
	img.script(t, "bin/uv", "sleep 30")
	img.file(t, "tools/uvx", "#!/no/such/interpreter\n")
	for name, w := range map[string]struct {
		state  state
		detail string
	}{
		"git":  {ok, "git version 2.47.3"},
		"jq":   {fail, "error while loading shared libraries: libjq.so.1: cannot open shared object file"},
		"rg":   {fail, "version `GLIBC_2.38' not found"},
		"npm":  {fail, "npm: no node"},
		"uv":   {fail, "does not end"},
		"uvx":  {fail, "its interpreter is not there: #!/no/such/interpreter"},
		"node": {absent, "no node in"},
	} {
		got := img.version(t.Context(), name)
		want(t, got, w.state, w.detail)
		if strings.Contains(w.detail, "shared lib") && !strings.Contains(got.remedy, "rebuild the component") {
			t.Errorf("%s: the remedy is %q", name, got.remedy)
		}
	}
}

func TestNamed(t *testing.T) {
	img := newImage(t)
	img.script(t, "tools/gh", "")
	img.script(t, "tools/python", "")
	got := img.named([]string{"git", "gh", "python", "nothere", "server"})
	if want := []string{"uvx", "gh"}; !slices.Equal(got[len(got)-2:], want) {
		t.Errorf("got %v", got)
	}
}

func TestLoader(t *testing.T) {
	t.Parallel()
	img := newImage(t)
	want(t, img.loader(t.Context()), absent, "no "+img.path("ld-linux-oh.so"))
	img.script(t, "ld-linux-oh.so", "echo 'ld.so (Debian GLIBC 2.41-12) stable release version 2.41.'")
	want(t, img.loader(t.Context()), ok, "no program to start")
	img.elf(t, "tools/bash")
	want(t, img.loader(t.Context()), ok, "ld.so (Debian GLIBC 2.41-12) stable release version 2.41; starts bash")
	img.script(t, "ld-linux-oh.so", "exit 1")
	want(t, img.loader(t.Context()), ok, "loader; starts bash")
	img.file(t, "bin/bash", orphan())
	want(t, img.loader(t.Context()), fail, img.path("bin/bash")+": cannot start")
}

func TestLibraries(t *testing.T) {
	t.Parallel()
	img := newImage(t)
	img.env = append(img.env, "PLAYWRIGHT_BROWSERS_PATH="+img.path("browser"))
	want(t, img.libraries(t.Context()), absent, "no "+img.path("ld-linux-oh.so"))
	img.script(t, "ld-linux-oh.so", `[ "$oh_TRACE_LOADED_OBJECTS" = 1 ] || exit 9
case "$1" in
*/chrome) printf '\tlinux-vdso.so.1 (0x1)\n\tlibnss3.so => not found\n\tlibc.so.6 => /openhands/lib/x86_64/libc.so.6 (0x2)\n\tlibgbm.so.1 => not found\n\tlibnss3.so => not found\n' ;;
*/python) echo "python: error while loading shared libraries: libz.so.1: cannot read file data" >&2; exit 127 ;;
esac`)
	want(t, img.libraries(t.Context()), absent, "no program")
	img.elf(t, ".openvscode-server/node")
	want(t, img.libraries(t.Context()), ok, "found for node")
	img.elf(t, "browser/chromium-1187/chrome-linux/chrome")
	got := img.libraries(t.Context())
	want(t, got, fail, "not found: libnss3.so for chrome, libgbm.so.1 for chrome")
	img.elf(t, "poetry/some-py3.12/bin/python")
	python := img.libraries(t.Context())
	want(t, python, fail, "some for python")
	if line := "bin/python: error while loading shared libraries: libz.so.1: cannot read file data"; !strings.Contains(python.output, line) {
		t.Errorf("no %q in %q", line, python.output)
	}
	if n := strings.Count(got.output, "libnss3.so"); n != 1 {
		t.Errorf("libnss3.so is named %d times", n)
	}
}

const fakeTmux = `[ "$1" = -V ] && { echo tmux 3.5a; exit 0; }
[ "$1 $2 $3 $4" = "-L oh-check -f /dev/null" ] || exit 9
case "$5" in
new-session) [ "$*" = "${*%/bin/bash}" ] && exit 8; : >"$TMUX_TMPDIR/session" ;;
send-keys) printf '$ %s\n' "$8" >"$TMUX_TMPDIR/session"; eval "$8" | $CONVERT >>"$TMUX_TMPDIR/session" ;;
capture-pane) cat "$TMUX_TMPDIR/session" ;;
kill-server) rm "$TMUX_TMPDIR/session"; : >"$TMUX_TMPDIR/killed" ;;
esac`

func TestTmux(t *testing.T) {
	t.Parallel()
	img := newImage(t)
	img.env = []string{"PATH=" + img.path("none")}
	want(t, img.tmux(t.Context()), absent, "no tmux on PATH")
	img.script(t, "bin/tmux", fakeTmux)
	want(t, img.tmux(t.Context()), fail, img.path("bin/tmux")+" is not on PATH")

	img.env = []string{"CONVERT=cat", "PATH=" + img.path("bin") + ":/usr/bin:/bin"}
	want(t, img.tmux(t.Context()), ok, "tmux 3.5a, UTF-8 session")
	if !exists(filepath.Join(img.temp, "killed")) {
		t.Error("the session was not ended")
	}

	// Without a server bash may be elsewhere, as on a base that was not read.
	bare := img
	bare.shell = img.path("none/bash")
	bare.script(t, "elsewhere/bin/bash", "exit 1")
	bare.env = []string{"CONVERT=cat", "PATH=" + img.path("bin") + ":" + img.path("elsewhere/bin") + ":/usr/bin:/bin"}
	want(t, bare.tmux(t.Context()), ok, "tmux 3.5a, UTF-8 session")
	img.env = append(img.env, `CONVERT=tr \303\274\237 _`)
	want(t, img.tmux(t.Context()), fail, "does not speak UTF-8")
	img.env = append(img.env, "CONVERT=true")
	want(t, img.tmux(t.Context()), fail, "does not answer")
	img.script(t, "bin/tmux", `echo "tmux: invalid LC_ALL, LC_CTYPE or LANG" >&2; exit 1`)
	if got := img.tmux(t.Context()); got.state != fail || !strings.Contains(got.remedy, "LANG=C.UTF-8") {
		t.Errorf("the remedy is %q", got.remedy)
	}
	img.script(t, "bin/tmux", `[ "$1" = -V ] && exit 0; echo "no server running on $TMUX_TMPDIR" >&2; exit 1`)
	want(t, img.tmux(t.Context()), fail, "new-session: no server running")
}

func TestPython(t *testing.T) {
	t.Parallel()
	img := newImage(t)
	want(t, img.python(t.Context()), absent, "no interpreter")
	img.script(t, "python/bin/python3", `case "$2" in
*sqlite3*) echo "Python 3.12.9, OpenSSL 3.5.1" ;;
"import openhands.runtime.action_execution_server") [ "$PWD" = "$PYTHONPATH" ] || exit 9
  [ -z "$FAKE" ] || { printf 'Traceback (most recent call last):\n  File "x"\n%s\n' "$FAKE" >&2; exit 1; } ;;
*) exit 9 ;;
esac`)
	want(t, img.python(t.Context()), ok, "Python 3.12.9, OpenSSL 3.5.1")
	img.file(t, "code/openhands/runtime/action_execution_server.py", "")
	want(t, img.python(t.Context()), ok, "imports the server")
	img.env = append(img.env, "FAKE=ModuleNotFoundError: No module named 'docx'")
	want(t, img.python(t.Context()), fail, "ModuleNotFoundError: No module named 'docx'")
	img.env = append(img.env, "OH_INTERPRETER_PATH="+img.path("none"))
	got := img.python(t.Context())
	want(t, got, fail, "is not there")
	if !strings.Contains(got.remedy, "OH_INTERPRETER_PATH") {
		t.Errorf("the remedy is %q", got.remedy)
	}
}

func TestChromium(t *testing.T) {
	t.Parallel()
	img := newImage(t)
	img.env = []string{"PATH=" + img.path("tools")}
	want(t, img.chromium(t.Context()), absent, "no chromium")
	img.script(t, "tools/chromium", `for page; do :; done; echo "${page#data:text/html,}"`)
	want(t, img.chromium(t.Context()), fail, "runs no JavaScript")
	img.script(t, "tools/chromium", `echo '<html><body><p id="x">42 false</p></body></html>'`)
	want(t, img.chromium(t.Context()), fail, "no fonts")
	img.script(t, "tools/chromium", `echo '<html><body><p id="x">42 true</p></body></html>'`)
	want(t, img.chromium(t.Context()), ok, "runs JavaScript and has fonts")
	img.elf(t, "browser/chrome")
	img.script(t, "tools/chromium", "exec "+img.path("browser/chrome"))
	want(t, img.chromium(t.Context()), fail, "error while loading shared libraries: libnss3.so")
}

func TestPlaywright(t *testing.T) {
	img := newImage(t)
	run := func() result { return img.playwright(context.Background()) }
	want(t, run(), absent, "not set")
	img.env = append(img.env, "PLAYWRIGHT_BROWSERS_PATH="+img.path("browser"))
	want(t, run(), fail, "no chromium-* in")
	img.file(t, "browser/chromium_headless_shell-1187/chrome-linux/headless_shell", "")
	want(t, run(), fail, "no chromium-* in")
	img.file(t, "browser/chromium-1187/chrome-linux/chrome", "")
	want(t, run(), ok, "chromium-1187 chromium_headless_shell-1187 in")
}

func TestVSCode(t *testing.T) {
	t.Parallel()
	img := newImage(t)
	want(t, img.vscode(t.Context()), absent, "no "+img.path(".openvscode-server"))
	img.script(t, ".openvscode-server/bin/openvscode-server",
		"echo node: error while loading shared libraries: libatomic.so.1: cannot open shared object file >&2; exit 127")
	want(t, img.vscode(t.Context()), fail, "libatomic.so.1")
	img.script(t, ".openvscode-server/bin/openvscode-server", "echo Error: EACCES >&2; exit 1")
	want(t, img.vscode(t.Context()), fail, "ends by itself with exit status 1: Error: EACCES")
	img.elf(t, "fake-editor")
	img.script(t, ".openvscode-server/bin/openvscode-server", "exec "+img.path("fake-editor")+` "$@"`)
	want(t, img.vscode(t.Context()), ok, "serves the workbench")
}
