package main

import (
	"debug/buildinfo"
	"os"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/openhands/llb-frontend/integration/engine"
)

// machine is what figures depend on.
type machine struct {
	Cores    int    `json:"cores"`
	Memory   int64  `json:"memory"` // bytes
	Kernel   string `json:"kernel"`
	BuildKit string `json:"buildkit"`
	Buildx   string `json:"buildx"`
}

func machineOf(e *engine.Engine) machine {
	m := machine{
		Cores:    runtime.NumCPU(),
		BuildKit: moduleVersion(e.Bin("buildkitd"), "github.com/moby/buildkit"),
		Buildx:   moduleVersion(e.Bin("buildx"), "github.com/docker/buildx"),
	}
	var name unix.Utsname
	if unix.Uname(&name) == nil {
		m.Kernel = unix.ByteSliceToString(name.Release[:])
	}
	meminfo, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return m
	}
	for line := range strings.Lines(string(meminfo)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "MemTotal:" {
			kilobytes, _ := strconv.ParseInt(fields[1], 10, 64) // 0 says that it is not known
			m.Memory = kilobytes * 1024
		}
	}
	return m
}

// moduleVersion is the version of a module that a program was compiled from.
func moduleVersion(program, module string) string {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return "unknown"
	}
	if info.Main.Path == module {
		return info.Main.Version
	}
	for _, dep := range info.Deps {
		if dep.Path == module {
			return dep.Version
		}
	}
	return "unknown"
}
