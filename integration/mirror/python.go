package mirror

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
)

// pythonDebs are Debian's packages of a CPython. It is built as python-build-
// standalone's is, with shared libraries where that one has them linked in, so
// they come along; only the C library is the base's, of the age of trixie's.
var pythonDebs = []string{
	"python3.13", "python3.13-minimal", "python3.13-venv", "libpython3.13", "libpython3.13-dev",
	"libpython3.13-minimal", "libpython3.13-stdlib",
	"libbz2-1.0", "libdb5.3t64", "libexpat1", "libffi8", "liblzma5", "libncursesw6", "libreadline8t64",
	"libsqlite3-0", "libssl3t64", "libtinfo6", "libuuid1", "libzstd1", "zlib1g",
}

// pythonLibs are the libraries of pythonDebs that the modules load, by soname.
var pythonLibs = []string{
	"libbz2.so.1.0", "libcrypto.so.3", "libdb-5.3.so", "libexpat.so.1", "libffi.so.8", "liblzma.so.5",
	"libncursesw.so.6", "libpanelw.so.6", "libpython3.13.so.1.0", "libreadline.so.8", "libsqlite3.so.0",
	"libssl.so.3", "libtinfo.so.6", "libuuid.so.1", "libz.so.1", "libzstd.so.1",
}

// PythonArchive is the path of an archive below the mirror's root.
func (v Versions) PythonArchive(goarch string) string {
	_, date, _ := strings.Cut(v.Python, "+")
	return path.Join("github/astral-sh/python-build-standalone/releases/download", date,
		"cpython-"+v.Python+"-"+archOf(goarch).gnu+"-unknown-linux-gnu-install_only_stripped.tar.gz")
}

func (w *work) python(ctx context.Context) error {
	for _, a := range archs() {
		dir := w.path("python-" + a.name)
		if err := w.pythonTree(ctx, a, dir); err != nil {
			return err
		}
		if err := w.putTarGz(w.Versions.PythonArchive(a.name), "python", dir); err != nil {
			return err
		}
	}
	return nil
}

// pythonTree makes a CPython at dir that can be moved: it finds its files from
// where its program is.
func (w *work) pythonTree(ctx context.Context, a arch, dir string) error {
	debian := w.path("debian-" + a.name)
	if err := w.debs(ctx, "trixie", a, debian, pythonDebs...); err != nil {
		return err
	}
	usr, triplet := filepath.Join(debian, "usr"), a.gnu+"-linux-gnu"
	if err := w.checkPython(usr); err != nil {
		return err
	}
	if err := w.layOut(ctx, usr, dir, triplet); err != nil {
		return err
	}
	if err := upstreamPython(dir, triplet); err != nil {
		return err
	}
	if err := w.ownLibraries(ctx, dir); err != nil {
		return err
	}
	return w.pip(ctx, a, dir)
}

// layOut moves Debian's files to where a CPython with a prefix of its own has
// them.
func (w *work) layOut(ctx context.Context, usr, dir, triplet string) error {
	for _, sub := range []string{"bin", "lib", "include", "share/man/man1"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return err
		}
	}
	for from, to := range map[string]string{
		"bin/python3.13":                        "bin/python3.13",
		"bin/" + triplet + "-python3.13-config": "bin/python3.13-config",
		"lib/python3.13":                        "lib/python3.13",
		"include/python3.13":                    "include/python3.13",
		"share/man/man1/python3.13.1.gz":        "share/man/man1/python3.13.1.gz",
	} {
		if err := os.Rename(filepath.Join(usr, from), filepath.Join(dir, to)); err != nil {
			return err
		}
	}
	// Debian's pyconfig.h is a choice between those of all architectures.
	if err := os.Rename(filepath.Join(usr, "include", triplet, "python3.13", "pyconfig.h"), filepath.Join(dir, "include/python3.13/pyconfig.h")); err != nil {
		return err
	}
	for _, lib := range pythonLibs {
		if err := w.run(ctx, w.dir, nil, "cp", "-L", filepath.Join(usr, "lib", triplet, lib), filepath.Join(dir, "lib", lib)); err != nil {
			return err
		}
	}
	for link, target := range map[string]string{
		"bin/python": "python3.13", "bin/python3": "python3.13", "bin/python3-config": "python3.13-config",
		"lib/libpython3.13.so": "libpython3.13.so.1.0",
		// Debian's site module, which is compiled in, looks here instead.
		"lib/python3.13/dist-packages": "site-packages",
	} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			return err
		}
	}
	return nil
}

// checkPython compares the version that the archive is named after with what
// Debian has.
func (w *work) checkPython(usr string) error {
	header, err := os.ReadFile(filepath.Join(usr, "include/python3.13/patchlevel.h"))
	if err != nil {
		return err
	}
	version, _, _ := strings.Cut(w.Versions.Python, "+")
	if !strings.Contains(string(header), fmt.Sprintf("%q", version)) {
		return fmt.Errorf("python %s is wanted, and Debian trixie has another one: see DefaultVersions", version)
	}
	return nil
}

// upstreamPython takes out Debian's changes that are about Debian's own places:
// packages go to site-packages, and pip may install them.
func upstreamPython(dir, triplet string) error {
	lib := filepath.Join(dir, "lib/python3.13")
	config := "config-3.13-" + triplet
	for _, unused := range []string{
		"sitecustomize.py", "EXTERNALLY-MANAGED", "_distutils_system_mod.py",
		config + "/libpython3.13.so", config + "/libpython3.13.a", config + "/libpython3.13-pic.a",
	} {
		if err := os.Remove(filepath.Join(lib, unused)); err != nil {
			return err
		}
	}
	for _, e := range []struct{ file, old, new string }{
		{"sysconfig/__init__.py", "prefix_scheme = 'posix_local'", "prefix_scheme = 'posix_prefix'"},
		{"ensurepip/__init__.py", "    if hasattr(sys, 'real_prefix'):\n        return\n", "    return\n"},
		{"_sysconfigdata__linux_" + triplet + ".py", "    'WHEEL_PKG_DIR': '/usr/share/python-wheels/',\n", ""},
	} {
		file := filepath.Join(lib, e.file)
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if strings.Count(string(text), e.old) != 1 {
			return fmt.Errorf("%s of Debian's python has not one %q", e.file, e.old)
		}
		if err := os.WriteFile(file, []byte(strings.Replace(string(text), e.old, e.new, 1)), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// ownLibraries makes programs and modules find the libraries beside them.
func (w *work) ownLibraries(ctx context.Context, dir string) error {
	if err := w.NeedPrograms(ctx, "patchelf"); err != nil {
		return err
	}
	for rpath, pattern := range map[string]string{
		"$ORIGIN/../lib": "bin/python3.13", "$ORIGIN/../..": "lib/python3.13/lib-dynload/*.so", "$ORIGIN": "lib/*.so.*",
	} {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil || len(files) == 0 {
			return fmt.Errorf("no %s: %w", pattern, err)
		}
		if err := w.run(ctx, dir, nil, "patchelf", append([]string{"--set-rpath", rpath}, files...)...); err != nil {
			return err
		}
	}
	return nil
}

var pipVersion = regexp.MustCompile(`(?m)^_PIP_VERSION = "(.*)"$`)

// pip installs the pip that this CPython comes with, also for ensurepip.
func (w *work) pip(ctx context.Context, a arch, dir string) error {
	lib := filepath.Join(dir, "lib/python3.13")
	text, err := os.ReadFile(filepath.Join(lib, "ensurepip/__init__.py"))
	if err != nil {
		return err
	}
	version := pipVersion.FindSubmatch(text)
	if version == nil {
		return fmt.Errorf("ensurepip names no version of pip")
	}
	bundled := filepath.Join(lib, "ensurepip/_bundled")
	wheel, err := w.download(ctx, "pip=="+string(version[1]), a, bundled)
	if err != nil {
		return err
	}
	if err := w.run(ctx, dir, nil, "unzip", "-q", wheel, "-d", filepath.Join(lib, "site-packages")); err != nil {
		return err
	}
	for program, code := range map[string]string{
		"pip":       "from pip._internal.cli.main import main\nsys.exit(main())\n",
		"pip3":      "from pip._internal.cli.main import main\nsys.exit(main())\n",
		"pip3.13":   "from pip._internal.cli.main import main\nsys.exit(main())\n",
		"pydoc3.13": "import pydoc\npydoc.cli()\n",
		"pydoc3":    "import pydoc\npydoc.cli()\n",
	} {
		if err := writeScript(filepath.Join(dir, "bin", program), code); err != nil {
			return err
		}
	}
	return nil
}

// writeScript writes a program in Python that is shell and Python at once, as
// python-build-standalone's are: the interpreter is the one beside it, wherever
// that is.
func writeScript(file, code string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	const head = "#!/bin/sh\n'''exec' \"$(dirname -- \"$(realpath -- \"$0\")\")/python3.13\" \"$0\" \"$@\"\n' '''\nimport sys\n"
	return os.WriteFile(file, []byte(head+code), 0o755)
}
