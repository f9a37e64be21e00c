package mirror_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/openhands/llb-frontend/integration/mirror"
)

func TestPython(t *testing.T) {
	m := parts(t, mirror.Python)
	for goarch, name := range map[string]string{"amd64": "x86_64", "arm64": "aarch64"} {
		wantEntries(t, get(t, m, m.Versions.PythonArchive(goarch)), "python/", map[string]string{
			"bin/python3.13":              "-rwxr-xr-x",
			"bin/python3":                 "Lrwxrwxrwx python3.13",
			"bin/pip3":                    "-rwxr-xr-x",
			"include/python3.13/Python.h": "-rw-r--r--",
			"lib/libpython3.13.so.1.0":    "-rw-r--r--",
			"lib/python3.13/os.py":        "-rw-r--r--",
			"lib/python3.13/lib-dynload/_ssl.cpython-313-" + name + "-linux-gnu.so": "-rw-r--r--",
			"lib/python3.13/site-packages/pip/__init__.py":                          "-rw-r--r--",
		})
	}
}

func TestPythonRuns(t *testing.T) {
	amd64(t)
	m := parts(t, mirror.Python)
	root := trixie(t)
	output(t, "tar", "-x", "-C", filepath.Join(root, "srv"), "-f", get(t, m, m.Versions.PythonArchive("amd64")))
	version, _, _ := strings.Cut(m.Versions.Python, "+")
	got := inside(t, root, "/srv/python/bin/python3", "-c", `import bz2, ctypes, curses, dbm.ndbm, hashlib, lzma, readline, sqlite3, ssl, sys, sysconfig, uuid, zlib
print(sys.version.split()[0], sys.prefix, sysconfig.get_path("purelib"), sysconfig.get_path("include"))`)
	if want := version + " /srv/python /srv/python/lib/python3.13/site-packages /srv/python/include/python3.13"; got != want {
		t.Errorf("python says %q, want %q", got, want)
	}
	if got := inside(t, root, "/srv/python/bin/pip3", "--version"); !strings.Contains(got, "/srv/python/lib/python3.13/") {
		t.Errorf("pip3 --version says %q", got)
	}
	inside(t, root, "/srv/python/bin/python3", "-m", "venv", "/srv/venv")
	if got := inside(t, root, "/srv/venv/bin/pip", "--version"); !strings.Contains(got, "/srv/venv/lib/python3.13/site-packages/pip") {
		t.Errorf("pip of a venv says %q", got)
	}
}
