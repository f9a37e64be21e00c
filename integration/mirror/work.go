package mirror

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// work is one part in the making.
type work struct {
	*Maker
	dir     string // scratch space
	content Content
}

func (w *work) path(elem ...string) string {
	return filepath.Join(append([]string{w.dir}, elem...)...)
}

// put writes a file of the mirror and records its digest.
func (w *work) put(name string, write func(io.Writer) error) error {
	file := filepath.Join(w.Files(), filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	f, err := os.Create(file + ".part")
	if err != nil {
		return err
	}
	defer f.Close()
	sum := sha256.New()
	if err := write(io.MultiWriter(f, sum)); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err := f.Close(); err != nil {
		return err
	}
	w.content[name] = "sha256:" + hex.EncodeToString(sum.Sum(nil))
	return os.Rename(f.Name(), file)
}

// run executes a command in a directory; env is added to this process's own.
func (w *work) run(ctx context.Context, dir string, env []string, program string, args ...string) error {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		lines := strings.Split(strings.TrimRight(string(out), "\n"), "\n")
		return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, strings.Join(lines[max(0, len(lines)-40):], "\n"))
	}
	return nil
}

// npm downloads a package of npm, NAME@VERSION, and puts its files at dir. No
// script of the package runs.
func (w *work) npm(ctx context.Context, pkg, dir string) error {
	if err := w.NeedPrograms(ctx, "npm"); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	download, err := os.MkdirTemp(w.dir, "npm")
	if err != nil {
		return err
	}
	defer os.RemoveAll(download)
	if err := w.run(ctx, download, nil, "npm", "pack", "--silent", pkg); err != nil {
		return err
	}
	archives, err := filepath.Glob(filepath.Join(download, "*.tgz"))
	if err != nil || len(archives) != 1 {
		return fmt.Errorf("npm pack %s gives %q, want one archive: %w", pkg, archives, err)
	}
	return w.run(ctx, dir, nil, "tar", "-x", "--strip-components=1", "--no-same-owner", "-f", archives[0])
}

// wheel downloads a wheel of PyPI, NAME==VERSION, for an architecture and
// unpacks it at dir.
func (w *work) wheel(ctx context.Context, pkg string, a arch, dir string) error {
	download, err := os.MkdirTemp(w.dir, "pip")
	if err != nil {
		return err
	}
	defer os.RemoveAll(download)
	wheel, err := w.download(ctx, pkg, a, download)
	if err != nil {
		return err
	}
	return w.run(ctx, download, nil, "unzip", "-q", "-o", wheel, "-d", dir)
}

// download downloads a wheel of PyPI into an empty directory.
func (w *work) download(ctx context.Context, pkg string, a arch, dir string) (string, error) {
	if err := w.NeedPrograms(ctx, "pip3", "unzip"); err != nil {
		return "", err
	}
	args := []string{"download", "--quiet", "--no-deps", "--only-binary=:all:", "--ignore-requires-python", "--python-version=3.13", "--dest", dir}
	for _, tag := range []string{"manylinux_2_17_", "manylinux2014_", "manylinux1_"} {
		args = append(args, "--platform="+tag+a.wheel)
	}
	if err := w.run(ctx, w.dir, nil, "pip3", append(args, pkg)...); err != nil {
		return "", err
	}
	wheels, err := filepath.Glob(filepath.Join(dir, "*.whl"))
	if err != nil || len(wheels) != 1 {
		return "", fmt.Errorf("pip download %s gives %q, want one wheel: %w", pkg, wheels, err)
	}
	return wheels[0], nil
}

// debs downloads packages of a Debian release, without what they depend on, and
// unpacks them at dir. mmdebstrap makes an empty root only to set up apt for
// that release and architecture.
func (w *work) debs(ctx context.Context, suite string, a arch, dir string, packages ...string) error {
	if err := w.NeedPrograms(ctx, "mmdebstrap", "dpkg-deb"); err != nil {
		return err
	}
	download, err := os.MkdirTemp(w.dir, "deb")
	if err != nil {
		return err
	}
	defer os.RemoveAll(download)
	hook := fmt.Sprintf("cd '%s' && APT_CONFIG=$MMDEBSTRAP_APT_CONFIG apt-get download -q %s", download, strings.Join(packages, " "))
	err = w.run(ctx, download, nil, "mmdebstrap", "--mode=root", "--variant=custom", "--format=null", "--arch="+a.name,
		"--skip=check/qemu", // nothing runs in the root
		"--customize-hook="+hook, suite)
	if err != nil {
		return err
	}
	archives, err := filepath.Glob(filepath.Join(download, "*.deb"))
	if err != nil || len(archives) != len(packages) {
		return fmt.Errorf("apt-get download %s gives %q: %w", strings.Join(packages, " "), archives, err)
	}
	for _, archive := range archives {
		if err := w.run(ctx, download, nil, "dpkg-deb", "-x", archive, dir); err != nil {
			return err
		}
	}
	return nil
}
