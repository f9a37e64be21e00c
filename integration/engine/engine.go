package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
)

// Environment variables that the engine reads.
const (
	// EnvDir overrides the state directory.
	EnvDir = "OPENHANDS_ENGINE_DIR"
	// EnvRegistry overrides the registry's listen address, host:port on loopback.
	EnvRegistry = "OPENHANDS_ENGINE_REGISTRY"
	// EnvBuildkitHost is buildctl's own variable: a daemon that the user runs
	// and that is used instead of starting one.
	EnvBuildkitHost = "BUILDKIT_HOST"
)

// FrontendImage is the name that a spec's syntax line asks for.
const FrontendImage = "ghcr.io/openhands/llb-frontend:1"

// Config says where an engine lives. The zero value means the defaults.
type Config struct {
	Dir  string    // state directory; default: EnvDir, or openhands-engine in the user's cache directory
	Repo string    // checkout of this repository; default: found upwards from the working directory
	Log  io.Writer // progress for people; default: os.Stderr
}

// Engine is a handle on a local engine. Opening one starts nothing. Its methods
// may be called from several goroutines and, for Up and Down, from several
// processes.
type Engine struct {
	dir          string
	repo         string
	log          io.Writer
	registryAddr string // as asked for by the environment, or empty
	externalHost string // the user's own buildkitd, or empty
	// closed says that the daemon sees nothing of this machine's network: specs
	// are built as they are, and the machine's certificates stay here.
	closed bool

	imagesMu sync.Mutex // one base image is made at a time
}

// Open returns the engine that cfg and the environment describe.
func Open(cfg Config) (*Engine, error) {
	if runtime.GOOS != "linux" {
		return nil, fmt.Errorf("the local engine needs linux, not %s: set %s and use buildx directly", runtime.GOOS, EnvBuildkitHost)
	}
	e := &Engine{dir: cfg.Dir, repo: cfg.Repo, log: cfg.Log, registryAddr: os.Getenv(EnvRegistry)}
	if e.log == nil {
		e.log = os.Stderr
	}
	var err error
	if e.dir == "" {
		if e.dir, err = defaultDir(); err != nil {
			return nil, err
		}
	}
	if e.dir, err = filepath.Abs(e.dir); err != nil {
		return nil, err
	}
	if err := checkDir(e.dir); err != nil {
		return nil, err
	}
	if e.repo == "" {
		if e.repo, err = findRepo(); err != nil {
			return nil, err
		}
	}
	if host := os.Getenv(EnvBuildkitHost); host != "" && host != e.ownHost() {
		e.externalHost = host
	}
	return e, nil
}

func defaultDir() (string, error) {
	if dir := os.Getenv(EnvDir); dir != "" {
		return dir, nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find a state directory (set %s): %w", EnvDir, err)
	}
	return filepath.Join(cache, "openhands-engine"), nil
}

// checkDir refuses directories that would break later in less clear ways:
// overlayfs separates its options with these characters, and the kernel limits
// the path of a unix socket to 107 bytes.
func checkDir(dir string) error {
	if strings.ContainsAny(dir, ",:\\\" \n") {
		return fmt.Errorf("state directory %q must not hold a comma, colon, space, quote or backslash: set %s to another", dir, EnvDir)
	}
	if len(filepath.Join(dir, "buildkitd.sock")) > 107 {
		return fmt.Errorf("state directory %q is too long for a unix socket: set %s to a shorter one", dir, EnvDir)
	}
	return nil
}

// findRepo walks up from the working directory to the root of this repository.
func findRepo() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(mod), "module github.com/openhands/llb-frontend\n") {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no checkout of github.com/openhands/llb-frontend above %q: run this inside one", start)
		}
	}
}

// Dir is the state directory.
func (e *Engine) Dir() string { return e.dir }

// Repo is the root of the checkout.
func (e *Engine) Repo() string { return e.repo }

// BuildkitHost is the address of the build daemon, as BUILDKIT_HOST wants it.
func (e *Engine) BuildkitHost() string {
	if e.externalHost != "" {
		return e.externalHost
	}
	return e.ownHost()
}

func (e *Engine) ownHost() string { return "unix://" + e.path("buildkitd.sock") }

// Bin is the path of one of the compiled tools: buildkitd, buildctl, buildx,
// registry or mirror.
func (e *Engine) Bin(tool string) string { return e.path("bin", tool) }

// Env is what buildctl and buildx need in their environment to talk to this
// engine and to nothing else.
func (e *Engine) Env() []string {
	return []string{
		EnvBuildkitHost + "=" + e.BuildkitHost(),
		"BUILDX_CONFIG=" + e.path("buildx"),
		"BUILDX_BUILDER=" + builderName,
		"DOCKER_CONFIG=" + e.path("docker"), // nobody's credentials, no surprise
	}
}

// Up makes the engine ready: tools, registry, mirror, build daemon. It is
// idempotent.
func (e *Engine) Up(ctx context.Context) error {
	if os.Geteuid() != 0 {
		return errors.New("the local engine needs root for runc and overlayfs: run it as root")
	}
	unlock, err := e.lock()
	if err != nil {
		return err
	}
	defer unlock()
	for _, step := range []func(context.Context) error{
		e.pruneLayers, e.buildTools, e.startRegistry, e.startMirror, e.startBuildkitd, e.createBuilder,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Down stops everything that Up started and unmounts what it left. Images and
// caches stay in the state directory.
func (e *Engine) Down(ctx context.Context) error {
	if _, err := os.Stat(e.dir); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	unlock, err := e.lock()
	if err != nil {
		return err
	}
	defer unlock()
	return errors.Join(
		(&Engine{dir: e.path("closed"), log: e.log}).Down(ctx), // of a test that was killed
		(&Engine{dir: e.path("scale"), log: e.log}).Down(ctx),  // of a benchmark that was killed
		e.downFresh(ctx),
		e.stopBeside(ctx),
		e.stop(ctx, "buildkitd"),
		e.stop(ctx, "registry"),
		e.stop(ctx, "mirror"),
		killCgroup(e.cgroup()),
		unmountBelow(e.dir),
		removeCgroups(e.cgroup()),
		removeAll(e.path("containers")),
		removeAll(e.path("runc")),
	)
}

// Purge is Down, and removes the state directory with all caches.
func (e *Engine) Purge(ctx context.Context) error {
	if err := e.Down(ctx); err != nil {
		return err
	}
	return removeAll(e.dir)
}

// cgroup is the parent cgroup of all our containers. It tells the engines of
// one machine apart by their state directories.
func (e *Engine) cgroup() string {
	sum := sha256.Sum256([]byte(e.dir))
	return "openhands-engine-" + hex.EncodeToString(sum[:4])
}

func (e *Engine) path(elem ...string) string {
	return filepath.Join(append([]string{e.dir}, elem...)...)
}

func (e *Engine) logf(format string, args ...any) {
	fmt.Fprintf(e.log, "engine: "+format+"\n", args...)
}

// lock keeps two processes from starting or stopping the same engine at once.
func (e *Engine) lock() (unlock func(), err error) { return e.lockFile("lock") }

func (e *Engine) lockFile(name string) (unlock func(), err error) {
	if err := os.MkdirAll(e.dir, 0o755); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(e.path(name), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %q: %w", f.Name(), err)
	}
	return func() { f.Close() }, nil
}

// run executes a command of the engine's own work and puts its output into the
// error when it fails.
func (e *Engine) run(cmd *exec.Cmd) error {
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, tail(out, 40))
	}
	return nil
}

// removeAll is os.RemoveAll for trees with read-only directories, as Go's
// module cache has them.
func removeAll(dir string) error {
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			return os.Chmod(path, 0o700)
		}
		return err
	})
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.RemoveAll(dir)
}
