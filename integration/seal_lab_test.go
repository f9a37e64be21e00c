package integration

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/openhands/llb-frontend/integration/engine"
)

// What the lab takes from PyPI and npm. Some of the wheels bring libraries of
// their own in NAME.libs; the first dozen has rows in the matrix.
const (
	labWheels = "numpy==2.5.5 scipy==1.18.1 pillow==13.0.0 cryptography==50.0.2 lxml==6.1.3 grpcio==1.85.1 " +
		"psutil==7.2.2 orjson==3.13.0 pydantic-core==2.50.4 tokenizers==0.23.3 cffi==2.1.1 pyyaml==6.0.3 " +
		"pycparser==2.23 typing-extensions==4.15.0"
	labNode  = "24.21.0"
	labCRC32 = "1.10.6" // of @node-rs/crc32
)

// labArch are the names that one architecture has.
type labArch struct {
	wheels   string // platform tags of PyPI, newest first
	node     string // npm's
	packages string // of Debian
}

var labArchs = map[string]labArch{
	"amd64": {"manylinux_2_28_x86_64 manylinux_2_17_x86_64 manylinux2014_x86_64", "x64", "python3.13 python3.13-venv chromium fonts-dejavu-core"},
	"arm64": {"manylinux_2_28_aarch64 manylinux_2_17_aarch64 manylinux2014_aarch64", "arm64", "python3.13 python3.13-venv"},
}

var labImages = map[string]func() (string, error){
	"amd64": sync.OnceValues(func() (string, error) { return makeLab("amd64") }),
	"arm64": sync.OnceValues(func() (string, error) { return makeLab("arm64") }),
}

// lab is a deps image with CPython, wheels that bring libraries of their own, node
// with an addon and, for amd64, Chromium, for the matrix of bases: smaller than the
// product's components, and the same on both architectures. An image made before
// from the same parts is taken from the registry.
func lab(t *testing.T, arch string) string {
	t.Helper()
	ref, err := labImages[arch]()
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func makeLab(arch string) (string, error) {
	deps, err := depsImage()
	if err != nil {
		return "", err
	}
	key, err := labKey(deps, arch)
	if err != nil {
		return "", err
	}
	image := "test/lab-" + arch + ":" + key
	ref := eng.Registry() + "/" + image
	if tag, err := name.NewTag(ref); err != nil {
		return "", err
	} else if _, err := remote.Head(tag); err == nil {
		return ref, nil
	}
	downloads, err := os.MkdirTemp("", "lab")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(downloads)
	if err := eng.NeedPrograms(context.Background(), "pip3", "npm"); err != nil {
		return "", err
	}
	if err := labDownload(downloads, arch); err != nil {
		return "", err
	}
	_, err = eng.Build(context.Background(), engine.BuildOptions{
		Spec: labDir() + "/Dockerfile", Context: downloads, Image: image,
		Args: []string{
			"--provenance=false", "--platform=linux/" + arch, "--build-context=lab=" + labDir(),
			"--build-arg=DEPS=" + deps, "--build-arg=PACKAGES=" + labArchs[arch].packages,
		},
	})
	return ref, err
}

// labDir holds the lab's recipe and the matrix's rows.
func labDir() string { return filepath.Join(eng.Repo(), "integration", "testdata", "lab") }

// labKey stands for all that the lab is made of.
func labKey(deps, arch string) (string, error) {
	sum := sha256.New()
	fmt.Fprintln(sum, labWheels, labNode, labCRC32, labArchs[arch])
	for _, image := range []string{deps, eng.FrontendRef()} {
		ref, err := name.ParseReference(image)
		if err != nil {
			return "", err
		}
		desc, err := remote.Head(ref)
		if err != nil {
			return "", err
		}
		fmt.Fprintln(sum, desc.Digest)
	}
	for _, file := range []string{"Dockerfile", "layout.sh", "chromium", "fonts.conf"} {
		b, err := os.ReadFile(filepath.Join(labDir(), file))
		if err != nil {
			return "", err
		}
		fmt.Fprintf(sum, "%s %d\n%s", file, len(b), b)
	}
	return hex.EncodeToString(sum.Sum(nil))[:16], nil
}

// labDownload fetches for an architecture what that one need not be there for.
func labDownload(dir, arch string) error {
	a := labArchs[arch]
	pip := []string{
		"install", "--quiet", "--no-deps", "--no-compile", "--only-binary=:all:", "--target", filepath.Join(dir, "site-packages"),
		// pip asks its own python, too, whether it is new enough.
		"--python-version=3.13", "--implementation=cp", "--ignore-requires-python",
	}
	for tag := range strings.FieldsSeq(a.wheels) {
		pip = append(pip, "--platform="+tag)
	}
	if err := command(dir, "pip3", append(pip, strings.Fields(labWheels)...)...); err != nil {
		return err
	}
	for pkg, place := range map[string]string{
		"node-linux-" + a.node + "@" + labNode:                "node",
		"@node-rs/crc32@" + labCRC32:                          "node/lib/node_modules/@node-rs/crc32",
		"@node-rs/crc32-linux-" + a.node + "-gnu@" + labCRC32: "node/lib/node_modules/@node-rs/crc32-linux-" + a.node + "-gnu",
	} {
		if err := npmUnpack(pkg, filepath.Join(dir, place)); err != nil {
			return err
		}
	}
	return nil
}

// npmUnpack downloads a package of npm and puts its files at dir. No script of
// the package runs.
func npmUnpack(pkg, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := command(dir, "npm", "pack", "--silent", pkg); err != nil {
		return err
	}
	archives, err := filepath.Glob(filepath.Join(dir, "*.tgz"))
	if err != nil || len(archives) != 1 {
		return fmt.Errorf("npm pack %s gives %q, want one archive: %w", pkg, archives, err)
	}
	if err := command(dir, "tar", "-x", "--strip-components=1", "--no-same-owner", "-f", archives[0]); err != nil {
		return err
	}
	return os.Remove(archives[0])
}

func command(dir, program string, args ...string) error {
	cmd := exec.Command(program, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	return nil
}
