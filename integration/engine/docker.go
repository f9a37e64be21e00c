package engine

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// dockerPackages are Docker Engine 20.10 as Debian 12 has it: the last one
// without MergeOp in a distribution, and with a classic graph driver.
var dockerPackages = []string{"docker.io=20.10.*", "containerd", "tini", "libdevmapper1.02.1"}

// Docker is a Docker Engine beside this engine, with the same registry. Its
// programs are unpacked, not installed; its state and sockets are below the
// state directory, its mounts in a namespace of their own. It has neither bridge
// nor iptables: builds and containers need the network "host".
type Docker struct {
	engine *Engine
	dir    string
}

// Docker starts one; it runs until stop.
func (e *Engine) Docker(ctx context.Context) (d *Docker, stop func() error, err error) {
	const name = "dockerd"
	d = &Docker{engine: e, dir: e.path("old", "docker")}
	if err := e.NeedPrograms(ctx, "dpkg-deb", "unshare"); err != nil {
		return nil, nil, err
	}
	if err := d.unpack(ctx); err != nil {
		return nil, nil, err
	}
	config, err := d.config()
	if err != nil {
		return nil, nil, err
	}
	err = e.start(ctx, daemon{
		name: name,
		// Without --fork the daemon has unshare's process, and gets its signals.
		argv:   []string{"unshare", "--mount", "--propagation", "private", d.program("sbin/dockerd"), "--config-file", e.configPath(name)},
		env:    d.env(),
		config: config,
		ready: func(ctx context.Context) error {
			ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
			defer cancel()
			return e.run(d.Client(ctx, "version"))
		},
	})
	if err != nil {
		return nil, nil, err
	}
	return d, func() error {
		return errors.Join(e.stop(context.WithoutCancel(ctx), name), removeAll(filepath.Join(d.dir, "exec")))
	}, nil
}

// unpack takes the packages out of Debian's archive.
func (d *Docker) unpack(ctx context.Context) error {
	if _, err := os.Stat(d.program("sbin/dockerd")); err == nil {
		return nil
	}
	debs := filepath.Join(d.dir, "debs")
	part := filepath.Join(d.dir, "root.part")
	if err := errors.Join(removeAll(part), os.MkdirAll(part, 0o755), os.MkdirAll(debs, 0o755)); err != nil {
		return err
	}
	d.engine.logf("unpacking Docker Engine 20.10 of Debian 12")
	for _, args := range [][]string{{"update", "-q"}, append([]string{"download", "-q"}, dockerPackages...)} {
		cmd := exec.CommandContext(ctx, "apt-get", args...)
		cmd.Dir = debs
		if err := d.engine.run(cmd); err != nil {
			return err
		}
	}
	files, err := filepath.Glob(filepath.Join(debs, "*.deb"))
	if err != nil {
		return err
	}
	for _, file := range files {
		if err := d.engine.run(exec.CommandContext(ctx, "dpkg-deb", "--extract", file, part)); err != nil {
			return err
		}
	}
	return errors.Join(os.RemoveAll(debs), os.Rename(part, d.root()))
}

// config is dockerd's own configuration file.
func (d *Docker) config() (string, error) {
	registry := d.engine.Registry()
	b, err := json.MarshalIndent(map[string]any{
		"data-root":           filepath.Join(d.dir, "data"),
		"exec-root":           filepath.Join(d.dir, "exec"),
		"pidfile":             filepath.Join(d.dir, "pid"),
		"hosts":               []string{d.host()},
		"cgroup-parent":       "/" + d.engine.cgroup(),
		"bridge":              "none",
		"iptables":            false,
		"ip-forward":          false,
		"ip-masq":             false,
		"userland-proxy":      false,
		"insecure-registries": []string{registry},
		"registry-mirrors":    []string{"http://" + registry},
	}, "", "  ")
	return string(b), err
}

func (d *Docker) root() string               { return filepath.Join(d.dir, "root") }
func (d *Docker) program(name string) string { return filepath.Join(d.root(), "usr", name) }
func (d *Docker) host() string               { return "unix://" + d.socket() }
func (d *Docker) socket() string             { return filepath.Join(d.dir, "sock") }
func (d *Docker) command(cmd *exec.Cmd) *exec.Cmd {
	cmd.Env = append(os.Environ(), d.env()...)
	cmd.Dir = d.engine.repo
	return cmd
}

// env makes Debian's programs find each other and the clients find the daemon.
func (d *Docker) env() []string {
	// The pattern is well-formed, so Glob cannot fail.
	libraries, _ := filepath.Glob(filepath.Join(d.root(), "lib", "*-linux-gnu"))
	return []string{
		"PATH=" + d.program("sbin") + ":" + d.program("bin") + ":" + os.Getenv("PATH"),
		"LD_LIBRARY_PATH=" + strings.Join(libraries, ":"),
		"DOCKER_HOST=" + d.host(),
		"DOCKER_BUILDKIT=1",
		"DOCKER_CONFIG=" + filepath.Join(d.dir, "client"),
		"BUILDX_CONFIG=" + filepath.Join(d.dir, "buildx"),
		"BUILDX_BUILDER=default", // the docker driver
	}
}

// Client is a command of Debian's own docker client.
func (d *Docker) Client(ctx context.Context, args ...string) *exec.Cmd {
	return d.command(exec.CommandContext(ctx, d.program("bin/docker"), args...))
}

// Buildx is a command of today's buildx, with the docker driver.
func (d *Docker) Buildx(ctx context.Context, args ...string) *exec.Cmd {
	return d.command(exec.CommandContext(ctx, d.engine.Bin("buildx"), args...))
}

// BuildArgs are the arguments of build, for either client, that build a spec
// file with the local registry's frontend: this Docker knows mirrors of docker.io
// alone, so the name in a syntax line would not be found.
func (d *Docker) BuildArgs(spec string, args ...string) []string {
	all := []string{
		"build", "--progress=plain", "--network=host", "--build-arg", "BUILDKIT_SYNTAX=" + d.engine.FrontendRef(), "-f", spec,
	}
	return append(append(append(all, d.engine.secretArgs()...), args...), filepath.Dir(spec))
}

// Dial opens a stream to an endpoint of the daemon's API that hijacks its
// connection: "/grpc" is its BuildKit.
func (d *Docker) Dial(ctx context.Context, endpoint, protocol string, headers map[string][]string) (net.Conn, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://docker"+endpoint, http.NoBody)
	if err != nil {
		return nil, err
	}
	for k, v := range headers {
		req.Header[http.CanonicalHeaderKey(k)] = v
	}
	req.Header.Set("Connection", "Upgrade")
	req.Header.Set("Upgrade", protocol)
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", d.socket())
	if err != nil {
		return nil, err
	}
	reader := bufio.NewReader(conn)
	err = req.Write(conn)
	var resp *http.Response
	if err == nil {
		resp, err = http.ReadResponse(reader, req) //nolint:bodyclose // the connection goes on
	}
	if err == nil && resp.StatusCode != http.StatusSwitchingProtocols {
		err = fmt.Errorf("POST %s: %s", endpoint, resp.Status)
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	early, err := reader.Peek(reader.Buffered())
	return &hijacked{Conn: conn, early: bytes.NewReader(bytes.Clone(early))}, err
}

// hijacked is a connection of which some bytes have been read already.
type hijacked struct {
	net.Conn
	early *bytes.Reader
}

func (h *hijacked) Read(p []byte) (int, error) {
	if h.early.Len() > 0 {
		return h.early.Read(p)
	}
	return h.Conn.Read(p)
}
