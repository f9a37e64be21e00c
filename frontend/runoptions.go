package frontend

import (
	"maps"
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/apicaps"
)

// runOptions are what the request wants for every command that the build runs:
// the same that the Dockerfile frontend gives to RUN. What an engine does not
// know is left out, as there.
func (r *request) runOptions() []llb.RunOption {
	var opts []llb.RunOption
	for _, h := range r.ExtraHosts {
		opts = append(opts, llb.AddExtraHost(h.Host, h.IP))
	}
	if p := r.proxy(); p != nil {
		opts = append(opts, llb.WithProxy(*p))
	}
	if r.NetworkMode != 0 {
		opts = append(opts, llb.Network(r.NetworkMode))
	}
	if r.Hostname != "" {
		opts = append(opts, llb.Hostname(r.Hostname))
	}
	if r.supports(pb.CapExecMetaUlimit) {
		for _, u := range r.Ulimits {
			opts = append(opts, llb.AddUlimit(llb.UlimitName(u.Name), u.Soft, u.Hard))
		}
	}
	if r.ShmSize > 0 && r.supports(pb.CapExecMountTmpfsSize) {
		opts = append(opts, llb.AddMount("/dev/shm", llb.Scratch(), llb.Tmpfs(llb.TmpfsSize(r.ShmSize))))
	}
	if r.CgroupParent != "" && r.supports(pb.CapExecMetaCgroupParent) {
		opts = append(opts, llb.WithCgroupParent(r.CgroupParent))
	}
	if res := r.LinuxResources; res != nil && r.supports(pb.CapExecMetaLinuxResources) {
		opts = append(opts, llb.WithLinuxResources(llb.LinuxResources{
			Memory: res.Memory, MemorySwap: res.MemorySwap,
			CPUShares: res.CpuShares, CPUPeriod: res.CpuPeriod, CPUQuota: res.CpuQuota,
			CpusetCpus: res.CpusetCpus, CpusetMems: res.CpusetMems,
		}))
	}
	return opts
}

func (r *request) supports(c apicaps.CapID) bool {
	caps := r.BuildOpts().LLBCaps
	return caps.Supports(c) == nil
}

// proxy takes the predefined build args that buildx adds from the client's
// configuration. BuildKit keeps them out of image, history and cache key.
func (r *request) proxy() *llb.ProxyEnv {
	var p llb.ProxyEnv
	fields := map[string]*string{
		"HTTP_PROXY": &p.HTTPProxy, "HTTPS_PROXY": &p.HTTPSProxy, "FTP_PROXY": &p.FTPProxy,
		"NO_PROXY": &p.NoProxy, "ALL_PROXY": &p.AllProxy,
	}
	for _, k := range slices.Sorted(maps.Keys(r.BuildArgs)) {
		if f, ok := fields[strings.ToUpper(k)]; ok {
			*f = r.BuildArgs[k]
		}
	}
	if p == (llb.ProxyEnv{}) {
		return nil
	}
	return &p
}
