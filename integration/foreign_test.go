package integration

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// Specs whose deps are built for arm64 on this machine, and again by emulated
// machine for arm64.
const (
	// foreignAgent has every component that can be native: server, node, VS Code,
	// browser, uv and the builder's Python.
	foreignAgent = "base_image: scratch\nserver: agent-server\n"
	// foreignUV has python-build-standalone instead, wheels with and without
	// compiled code, and one package that has only sources.
	foreignUV = `base_image: scratch
deps:
  tools: [bash, tmux, git, jq, ripgrep]
  python: {provider: uv, requirements: [orjson==3.13.0, cffi==2.1.1, pycparser==2.23, pyyaml==6.0.3, func-timeout==4.3.5]}
  node: 24.21.0
  uv: true
`
)

func platformARM64() ocispecs.Platform { return ocispecs.Platform{OS: "linux", Architecture: "arm64"} }

// foreignDeps are the deps images of specs for arm64, each built once.
var foreignDeps = struct {
	sync.Mutex
	refs map[string]string
}{refs: map[string]string{}}

// foreign builds the deps of a spec for arm64, while no program for arm64 can run
// here, and returns the image's reference.
func foreign(t *testing.T, name, yaml string) string {
	t.Helper()
	foreignDeps.Lock()
	defer foreignDeps.Unlock()
	if ref, ok := foreignDeps.refs[name]; ok {
		return ref
	}
	program := filepath.Join(t.TempDir(), "oh-seal")
	crossCompile(t, program, "arm64")
	notEmulated(t, program)
	image := "test/foreign-" + name + ":latest"
	buildAs(t, image, yaml, "--target=deps", "--platform=linux/arm64")
	notEmulated(t, program)
	foreignDeps.refs[name] = eng.Registry() + "/" + image
	return foreignDeps.refs[name]
}

// notEmulated fails where a program for arm64 runs on this machine.
func notEmulated(t *testing.T, program string) {
	t.Helper()
	if err := exec.Command(program).Run(); !errors.Is(err, syscall.ENOEXEC) {
		t.Fatalf("a program for arm64 ends with %v, want %v: emulation is on, and the build proves nothing", err, syscall.ENOEXEC)
	}
}

// crossCompile compiles oh-seal.
func crossCompile(t *testing.T, to, arch string) {
	t.Helper()
	cmd := exec.Command("go", "build", "-trimpath", "-o", to, "./frontend/cmd/oh-seal")
	cmd.Dir = eng.Repo()
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOARCH="+arch)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// Deps for arm64 are built without emulation, and hold programs and libraries
// for arm64 alone.
func TestForeignDepsHaveNothingOfThisMachine(t *testing.T) {
	for _, tt := range []struct {
		name, yaml string
		components []string
		elf        int // there are at least so many
	}{
		{"agent", foreignAgent, []string{"lib", "tools", "init", "python", "node", "uv", "browser", "vscode", "python-deps", "code"}, 600},
		{"uv", foreignUV, []string{"lib", "tools", "init", "python", "poetry", "node", "uv", "python-deps"}, 150},
	} {
		t.Run(tt.name, func(t *testing.T) {
			img := pulled(t, foreign(t, tt.name, tt.yaml), "arm64")
			machines := map[string]int{}
			for _, component := range tt.components {
				found := 0
				for name, f := range componentTree(t, img, component) {
					if f.machine == "" {
						continue
					}
					found++
					machines[f.machine]++
					if f.machine != "EM_AARCH64" {
						t.Errorf("%s: %s is for %s", component, name, f.machine)
					}
				}
				if found == 0 && component != "code" {
					t.Errorf("%s has no ELF file", component)
				}
			}
			if machines["EM_AARCH64"] < tt.elf {
				t.Errorf("ELF files are %v, want at least %d for arm64", machines, tt.elf)
			}
			t.Log(machines)
		})
	}
}

// What this machine makes for arm64 is what a machine for arm64 would make: the
// same stages run again with the builder, oh-seal and every program emulated.
//
// Under qemu tools and python take four minutes, and compiling thousands of files
// many more. They are compared with OPENHANDS_FOREIGN_WHOLE=1: docs/architectures.md
// says what came of it.
func TestForeignEqualsEmulated(t *testing.T) {
	whole := os.Getenv("OPENHANDS_FOREIGN_WHOLE") != ""
	for _, tt := range []struct {
		name, yaml string
		components []string // that are compared in any case
		rest       []string
	}{
		// init is copied from the frontend's image, whoever builds.
		{"uv", foreignUV, []string{"lib"}, []string{"tools", "python", "node", "poetry", "uv", "python-deps"}},
		{"agent", foreignAgent, nil, []string{"python", "lib", "tools", "node", "uv", "browser", "vscode", "code", "python-deps"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			components := tt.components
			if whole {
				components = append(components, tt.rest...)
			}
			if len(components) == 0 {
				t.Skip("takes long under emulation: only with OPENHANDS_FOREIGN_WHOLE=1")
			}
			native := pulled(t, foreign(t, tt.name, tt.yaml), "arm64")
			emulate(t)
			emulated := newEmulatedBuild(t, tt.yaml)
			for _, component := range components {
				t.Run(component, func(t *testing.T) {
					want := componentTree(t, native, component)
					if len(want) < 5 {
						t.Errorf("there are only %d files", len(want))
					}
					t.Logf("%d files", len(want))
					compareTrees(t, emulated.files(t, component), want)
				})
			}
		})
	}
}
