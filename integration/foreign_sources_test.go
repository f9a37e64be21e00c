package integration

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// Packages that have only sources and are not pure Python are named, with what to
// do about them. (One in pure Python is in foreignUV and in the agent-server.)
func TestSourcesThatAreNotPurePython(t *testing.T) {
	packages := map[string][]byte{
		// Wants a compiler, which the builder has not.
		"compiled": sourceDist(t, "compiled", `ext_modules=[Extension("compiled", ["compiled.c"])]`, map[string]string{
			"compiled.c": "int compiled;\n",
		}),
		// Its wheel is for the machine that built it, as if a compiler were there.
		"tagged": sourceDist(t, "tagged", `distclass=type("D", (Distribution,), {"has_ext_modules": lambda self: True})`, nil),
		// Its wheel says that it is for any machine, and brings a program for one.
		"any": sourceDist(t, "any", `packages=["any_"], package_data={"any_": ["program"]}`, map[string]string{
			"any_/__init__.py": "", "any_/program": elfHeader(t, elf.EM_X86_64),
		}),
	}
	index := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "-")
		if _, err := w.Write(packages[name]); err != nil {
			t.Error(err)
		}
	}))
	defer index.Close()
	const (
		wheel   = `require a version that has a wheel for aarch64: "NAME==VERSION"`
		machine = "build the target deps on a builder of that architecture, and name the result as deps_image"
	)
	for _, tt := range []struct {
		name, pkg, arch string
		want            []string
	}{
		{"to be compiled", "compiled", "arm64", []string{"no wheel for aarch64, and cannot be built here: compiled @ http://", wheel, machine}},
		{"to be compiled for this machine", "compiled", "amd64", []string{
			"no wheel for x86_64, and cannot be built here: compiled @ http://", "The builder image has no compiler", "has a wheel for x86_64",
		}},
		{"tagged for this machine", "tagged", "arm64", []string{"no wheel for aarch64, and cannot be built here: tagged @ http://", wheel, machine}},
		{"not tagged for a machine", "any", "arm64", []string{
			"built from sources here, but not for aarch64:", "any==1.0: any_/program for x86_64", wheel, machine,
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			log := buildFails(t, fmt.Sprintf(
				"base_image: scratch\ndeps:\n  python: {provider: uv, requirements: [\"%s @ %s/%s-1.0.tar.gz\"]}\n", tt.pkg, index.URL, tt.pkg),
				"--target=deps", "--platform=linux/"+tt.arch)
			contains(t, log, append(tt.want, ">>>   python:")...)
		})
	}
}

// sourceDist is a source distribution that setuptools builds.
func sourceDist(t *testing.T, name, arguments string, files map[string]string) []byte {
	t.Helper()
	files = maps.Clone(files)
	if files == nil {
		files = map[string]string{}
	}
	files["setup.py"] = fmt.Sprintf("from setuptools import Distribution, Extension, setup\nsetup(name=%q, version=\"1.0\", %s)\n", name, arguments)
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, file := range slices.Sorted(maps.Keys(files)) {
		h := &tar.Header{Name: name + "-1.0/" + file, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(files[file]))}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(files[file])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// elfHeader is an ELF file that holds nothing.
func elfHeader(t *testing.T, machine elf.Machine) string {
	t.Helper()
	h := elf.Header64{Type: uint16(elf.ET_EXEC), Machine: uint16(machine), Version: 1, Ehsize: 64}
	copy(h.Ident[:], elf.ELFMAG)
	h.Ident[elf.EI_CLASS], h.Ident[elf.EI_DATA], h.Ident[elf.EI_VERSION] = byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), 1
	var b bytes.Buffer
	if err := binary.Write(&b, binary.LittleEndian, &h); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
