package frontend

import (
	"slices"
	"testing"

	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/apicaps"
	digest "github.com/opencontainers/go-digest"
)

// requestOptions are those that a client sends for its flags.
func requestOptions() map[string]string {
	return map[string]string{
		"add-hosts":            "mirror.example.com=127.0.0.2",
		"build-arg:HTTP_PROXY": "http://proxy.example.com:3128",
		"force-network-mode":   "none",
		"hostname":             "builder.example.com",
		"ulimit":               "nofile=1024:2048",
		"shm-size":             "67108864",
		"cgroup-parent":        "builds",
		"memory":               "1073741824",
		"cpusetcpus":           "0-1",
	}
}

// Stages and commands in a base get what the client's flags say alike.
func TestRequestOptionsReachEveryCommand(t *testing.T) {
	const yaml = "base_image: debian:trixie-slim\nserver: agent-server\nextra_deps: {packages: [make], run: [make]}\n"
	execs := execOps(t, &stub{spec: yaml, images: registry(), opts: requestOptions()})
	if len(execs) < 10 {
		t.Fatalf("the graph has %d commands", len(execs))
	}
	for _, e := range execs {
		m := e.Meta
		switch {
		case len(m.ExtraHosts) != 1 || m.ExtraHosts[0].Host != "mirror.example.com" || m.ExtraHosts[0].IP != "127.0.0.2":
			t.Errorf("%q has the hosts %v", m.Args, m.ExtraHosts)
		case m.ProxyEnv.GetHttpProxy() != "http://proxy.example.com:3128":
			t.Errorf("%q has the proxy %q", m.Args, m.ProxyEnv.GetHttpProxy())
		case e.Network != pb.NetMode_NONE:
			t.Errorf("%q has the network mode %v", m.Args, e.Network)
		case m.Hostname != "builder.example.com":
			t.Errorf("%q has the host name %q", m.Args, m.Hostname)
		case len(m.Ulimit) != 1 || m.Ulimit[0].Name != "nofile" || m.Ulimit[0].Soft != 1024 || m.Ulimit[0].Hard != 2048:
			t.Errorf("%q has the limits %v", m.Args, m.Ulimit)
		case shmSize(e) != 64<<20:
			t.Errorf("%q has %d bytes of /dev/shm", m.Args, shmSize(e))
		case m.CgroupParent != "builds":
			t.Errorf("%q has the cgroup parent %q", m.Args, m.CgroupParent)
		case e.resources.GetMemory() != 1<<30 || e.resources.GetCpusetCpus() != "0-1":
			t.Errorf("%q has the resources %v", m.Args, e.resources)
		}
	}
}

// An engine that lacks one of them builds without it.
func TestRequestOptionsOfOldEngines(t *testing.T) {
	s := &stub{spec: "base_image: debian:trixie-slim\ndeps_image: deps:1\nextra_deps: {run: [\"true\"]}\n", images: registry(), opts: requestOptions()}
	s.without = []apicaps.CapID{pb.CapExecMetaUlimit, pb.CapExecMountTmpfsSize, pb.CapExecMetaCgroupParent, pb.CapExecMetaLinuxResources}
	for _, e := range execOps(t, s) {
		if m := e.Meta; len(m.Ulimit) > 0 || m.CgroupParent != "" || e.resources != nil || shmSize(e) > 0 {
			t.Errorf("%q asks for what the engine does not have: %v", m.Args, e)
		}
	}
}

// command is a command of a graph, with what is not part of its cache key.
type command struct {
	*pb.ExecOp
	resources *pb.LinuxResources
}

// execOps are the commands of the last graph that a build solves.
func execOps(t *testing.T, s *stub) []command {
	t.Helper()
	if _, err := run(t, s); err != nil {
		t.Fatal(err)
	}
	var execs []command
	def := s.solved[len(s.solved)-1]
	for _, dt := range def.Def {
		var op pb.Op
		if err := op.Unmarshal(dt); err != nil {
			t.Fatal(err)
		}
		if e := op.GetExec(); e != nil {
			execs = append(execs, command{e, def.Metadata[digest.FromBytes(dt).String()].GetLinuxResources()})
		}
	}
	if len(execs) == 0 {
		t.Fatal("the graph has no command")
	}
	return execs
}

func shmSize(e command) int64 {
	i := slices.IndexFunc(e.Mounts, func(m *pb.Mount) bool { return m.Dest == "/dev/shm" })
	if i < 0 {
		return 0
	}
	return e.Mounts[i].TmpfsOpt.GetSize()
}
