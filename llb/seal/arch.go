package seal

import (
	"debug/elf"
	"fmt"
)

// Interpreter is the path of the sealed loader. It has 25 characters, fewer
// than glibc's own path on both architectures, and keeps "ld-linux" in its
// name, by which programs such as node recognise glibc.
const Interpreter = "/openhands/ld-linux-oh.so"

// Arch holds what the seal must know of one architecture.
type Arch struct {
	// Name is the architecture's name in Go, OCI and Debian.
	Name string
	// Triplet is Debian's multiarch directory name.
	Triplet string
	// Loader is the SONAME of glibc's loader.
	Loader string

	machine elf.Machine
	cpu     string
	interp  string // PT_INTERP of programs linked against glibc
	// envScan is the loader's machine code that looks for environment
	// variables whose names begin with three given characters.
	envScan func(prefix string) string
}

// ArchByName returns the architecture called amd64 or arm64.
//
// The interpreter paths are those of the psABI supplements (x86-64 psABI
// section 5.2.1, AArch64 sysvabi64 "Program Interpreter").
func ArchByName(name string) (Arch, error) {
	switch name {
	case "amd64":
		return Arch{
			Name: "amd64", Triplet: "x86_64-linux-gnu", Loader: "ld-linux-x86-64.so.2",
			machine: elf.EM_X86_64, cpu: "x86_64", interp: "/lib64/ld-linux-x86-64.so.2",
			envScan: envScanAMD64,
		}, nil
	case "arm64":
		return Arch{
			Name: "arm64", Triplet: "aarch64-linux-gnu", Loader: "ld-linux-aarch64.so.1",
			machine: elf.EM_AARCH64, cpu: "aarch64", interp: "/lib/ld-linux-aarch64.so.1",
			envScan: envScanARM64,
		}, nil
	}
	return Arch{}, fmt.Errorf("architecture %q is not known: use amd64 or arm64", name)
}

// LibDir is the one directory in which a sealed loader looks for libraries,
// as long as Debian's /lib/TRIPLET.
func (a Arch) LibDir() string { return "/openhands/lib/" + a.cpu }

// GconvDir is the directory of glibc's character set modules: Debian's, and
// the one that a sealed libc takes. Slashes make up for the shorter name.
func (a Arch) GconvDir() (debian, sealed string) {
	return "/usr/lib/" + a.Triplet + "/gconv", a.LibDir() + "/////gconv"
}
