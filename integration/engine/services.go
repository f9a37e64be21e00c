package engine

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"
)

const (
	defaultRegistry = "127.0.0.1:5000"
	defaultMirror   = "127.0.0.1:5080"
	builderName     = "openhands"
)

// Registry is the local registry's address, host:port. It is chosen at the
// first Up and stays the same until the state directory is purged.
func (e *Engine) Registry() string {
	if e.registryAddr != "" {
		return e.registryAddr
	}
	return e.address("registry", defaultRegistry)
}

// address is where a service listens: as remembered, or else the default.
func (e *Engine) address(service, fallback string) string {
	if b, err := os.ReadFile(e.path(service + ".addr")); err == nil {
		return strings.TrimSpace(string(b))
	}
	return fallback
}

// chooseAddress takes the address in force when it is free, and else any free
// port, which it remembers. With variable set, the one that fixes the address,
// there is no other choice.
func (e *Engine) chooseAddress(ctx context.Context, service, addr, variable string) error {
	if e.pid(service) != 0 {
		return nil
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		if variable != "" {
			return fmt.Errorf("%s=%q cannot be listened on: %w", variable, addr, err)
		}
		if l, err = lc.Listen(ctx, "tcp", "127.0.0.1:0"); err != nil {
			return err
		}
		e.logf("%s is taken, the %s gets %s", addr, service, l.Addr())
	}
	addr = l.Addr().String()
	if err := l.Close(); err != nil {
		return err
	}
	return os.WriteFile(e.path(service+".addr"), []byte(addr+"\n"), 0o644)
}

func (e *Engine) startRegistry(ctx context.Context) error {
	variable := ""
	if e.registryAddr != "" {
		variable = EnvRegistry
	}
	if err := e.chooseAddress(ctx, "registry", e.Registry(), variable); err != nil {
		return err
	}
	addr := e.Registry()
	return e.start(ctx, daemon{
		name: "registry",
		argv: []string{e.Bin("registry"), "serve", e.configPath("registry")},
		env:  []string{"OTEL_TRACES_EXPORTER=none"}, // it would look for a collector on loopback
		config: fmt.Sprintf(`version: 0.1
log: {level: warn, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: %s}, delete: {enabled: true}}
http: {addr: %q, secret: local}
`, e.path("registry"), addr),
		ready: func(ctx context.Context) error { return ping(ctx, "http://"+addr+"/v2/") },
	})
}

func ping(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, resp.Status)
	}
	return nil
}

func (e *Engine) startBuildkitd(ctx context.Context) error {
	ready := func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		return e.run(e.Buildctl(ctx, "debug", "workers"))
	}
	if e.externalHost != "" {
		e.logf("using %s=%s; it must find docker.io and ghcr.io at %s (buildkitd.toml, registry mirrors)", EnvBuildkitHost, e.externalHost, e.Registry())
		return ready(ctx)
	}
	return e.start(ctx, daemon{
		name:   "buildkitd",
		argv:   []string{e.Bin("buildkitd"), "--config", e.configPath("buildkitd")},
		config: e.buildkitdConfig(),
		ready:  ready,
	})
}

// buildkitdConfig keeps the daemon off everything that is not ours: no
// containerd, no bridge network (RUN steps share the host's), no user
// emulation, and only the local registry in place of the two public ones.
// Garbage collection has fixed sizes, so a full disk elsewhere cannot make a
// test lose its cache.
func (e *Engine) buildkitdConfig() string {
	return fmt.Sprintf(`root = %q
insecure-entitlements = ["network.host"]

[grpc]
  address = [%q]

[worker.oci]
  enabled = true
  snapshotter = "overlayfs"
  networkMode = "host"
  defaultCgroupParent = %q
  reservedSpace = "4GB"
  maxUsedSpace = "40GB"
  minFreeSpace = "1GB"

[worker.containerd]
  enabled = false

[cdi]
  disabled = true

[registry."docker.io"]
  mirrors = [%[4]q]

[registry."ghcr.io"]
  mirrors = [%[4]q]

[registry.%[4]q]
  http = true
`, e.path("buildkit"), e.ownHost(), e.cgroup(), e.Registry())
}

// createBuilder registers the daemon with buildx's remote driver.
func (e *Engine) createBuilder(ctx context.Context) error {
	want := "Endpoint:         " + e.BuildkitHost()
	if out, err := e.Buildx(ctx, "inspect", builderName).Output(); err == nil && strings.Contains(squeeze(string(out)), squeeze(want)) {
		return nil
	}
	_ = e.Buildx(ctx, "rm", builderName).Run() // there may be none
	return e.run(e.Buildx(ctx, "create", "--name", builderName, "--driver", "remote", e.BuildkitHost()))
}

func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }

// Buildctl is a buildctl command against this engine.
func (e *Engine) Buildctl(ctx context.Context, args ...string) *exec.Cmd {
	return e.tool(ctx, "buildctl", args)
}

// Buildx is a buildx command against this engine: what "docker buildx" runs.
func (e *Engine) Buildx(ctx context.Context, args ...string) *exec.Cmd {
	return e.tool(ctx, "buildx", args)
}

func (e *Engine) tool(ctx context.Context, name string, args []string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, e.Bin(name), args...)
	cmd.Env = append(os.Environ(), e.Env()...)
	cmd.Dir = e.repo
	return cmd
}
