package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	securejoin "github.com/cyphar/filepath-securejoin"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/sys/user"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// dockerCapabilities is Docker's default set (moby, oci/caps/defaults.go).
var dockerCapabilities = []string{
	"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID",
	"CAP_SETUID", "CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE",
}

// runtimeSpec is the runtime configuration that "docker run --network=host"
// would make of an image's config and these options.
func runtimeSpec(config v1.Config, opt RunOptions, rootfs, cgroup string) (*specs.Spec, error) {
	args := append(slices.Clone(config.Entrypoint), config.Cmd...)
	if len(opt.Args) > 0 {
		args = append(slices.Clone(config.Entrypoint), opt.Args...)
	}
	if opt.Entrypoint != nil {
		args = append(slices.Clone(opt.Entrypoint), opt.Args...)
	}
	if len(args) == 0 {
		return nil, errors.New("the image has no entrypoint and no command: name a command to run")
	}
	account, err := resolveUser(rootfs, firstOf(opt.User, config.User))
	if err != nil {
		return nil, err
	}
	process := &specs.Process{
		Terminal: opt.TTY,
		User:     specs.User{UID: uint32(account.Uid), GID: uint32(account.Gid)},
		Args:     args,
		Env:      environment(config.Env, opt.Env, account.Home, opt.TTY),
		Cwd:      path.Join("/", firstOf(opt.WorkingDir, config.WorkingDir)),
		Capabilities: &specs.LinuxCapabilities{
			Bounding: dockerCapabilities, Permitted: dockerCapabilities, Effective: dockerCapabilities,
		},
	}
	for _, gid := range account.Sgids {
		process.User.AdditionalGids = append(process.User.AdditionalGids, uint32(gid))
	}
	if account.Uid != 0 {
		process.Capabilities.Permitted, process.Capabilities.Effective = nil, nil
	}
	return &specs.Spec{
		Version:  "1.0.2", // what the oldest runc in use knows
		Process:  process,
		Root:     &specs.Root{Path: rootfs, Readonly: opt.ReadOnly},
		Hostname: "openhands",
		Mounts:   append(standardMounts(opt.BareEtc), opt.Mounts...),
		Linux: &specs.Linux{
			CgroupsPath: cgroup,
			Namespaces: []specs.LinuxNamespace{
				{Type: specs.PIDNamespace}, {Type: specs.IPCNamespace}, {Type: specs.UTSNamespace}, {Type: specs.MountNamespace},
			},
			Resources:     &specs.LinuxResources{Devices: []specs.LinuxDeviceCgroup{{Allow: false, Access: "rwm"}}},
			MaskedPaths:   []string{"/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/sched_debug", "/proc/scsi", "/sys/firmware"},
			ReadonlyPaths: []string{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"},
		},
	}, nil
}

func standardMounts(bareEtc bool) []specs.Mount {
	mounts := []specs.Mount{
		{Destination: "/proc", Type: "proc", Source: "proc", Options: []string{"nosuid", "noexec", "nodev"}},
		{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "strictatime", "mode=755", "size=65536k"}},
		{Destination: "/dev/pts", Type: "devpts", Source: "devpts", Options: []string{"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}},
		{Destination: "/dev/shm", Type: "tmpfs", Source: "shm", Options: []string{"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}},
		{Destination: "/dev/mqueue", Type: "mqueue", Source: "mqueue", Options: []string{"nosuid", "noexec", "nodev"}},
		{Destination: "/sys", Type: "none", Source: "/sys", Options: []string{"rbind", "nosuid", "noexec", "nodev", "ro"}},
	}
	if bareEtc {
		return mounts
	}
	for _, file := range []string{"/etc/resolv.conf", "/etc/hosts"} {
		if _, err := os.Stat(file); err == nil {
			mounts = append(mounts, specs.Mount{Destination: file, Type: "bind", Source: file, Options: []string{"rbind", "ro"}})
		}
	}
	return mounts
}

// environment merges by key, later ones winning, and adds what Docker adds.
func environment(image, extra []string, home string, tty bool) []string {
	defaults := []string{defaultPath, "HOME=" + home}
	if tty {
		defaults = append(defaults, "TERM=xterm")
	}
	var env []string
	at := map[string]int{}
	for _, kv := range slices.Concat(defaults, image, extra) {
		key, _, _ := strings.Cut(kv, "=")
		if i, ok := at[key]; ok {
			env[i] = kv
			continue
		}
		at[key] = len(env)
		env = append(env, kv)
	}
	return env
}

// resolveUser looks a USER value up in the image's own accounts, as Docker
// does: NAME, UID, NAME:GROUP, UID:GID. A number without an account is fine.
func resolveUser(rootfs, spec string) (*user.ExecUser, error) {
	passwd, err := openIn(rootfs, "/etc/passwd")
	if err != nil {
		return nil, err
	}
	defer passwd.Close()
	group, err := openIn(rootfs, "/etc/group")
	if err != nil {
		return nil, err
	}
	defer group.Close()
	account, err := user.GetExecUser(spec, &user.ExecUser{Home: "/"}, passwd, group)
	if err != nil {
		return nil, fmt.Errorf("user %q of the image: %w", spec, err)
	}
	return account, nil
}

// openIn opens a file of an image for reading, following symlinks inside the
// image only. A missing file reads as empty.
func openIn(rootfs, name string) (*os.File, error) {
	file, err := securejoin.SecureJoin(rootfs, name)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return os.Open(os.DevNull)
	}
	return f, err
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
