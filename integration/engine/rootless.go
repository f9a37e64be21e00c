package engine

import (
	"context"
	"fmt"
	"os"
	"time"
)

// rootlessID is the uid and gid of the user that the rootless daemon runs as. No
// account of the machine needs it: it has a line in the daemon's own /etc/passwd.
const rootlessID = 61234

// rootlessScript runs as root in a mount namespace of its own, and becomes the
// rootless daemon. State directory and tools may lie where nobody but root gets
// to, so they are shown below /mnt as well.
const rootlessScript = `set -e
state=$1 bin=$2 id=$3
mount -t tmpfs -o mode=755 tmpfs /mnt
mkdir /mnt/state /mnt/bin
mount --bind "$state" /mnt/state
mount --bind "$bin" /mnt/bin
for file in passwd subuid subgid; do mount --bind "$state/accounts/$file" "/etc/$file"; done
cd /mnt/state
export HOME=/mnt/state XDG_RUNTIME_DIR=/mnt/state/run-user PATH="$PATH:/usr/sbin:/sbin"
exec setpriv --reuid="$id" --regid="$id" --clear-groups --inh-caps=-all \
	rootlesskit --net=host --state-dir=/mnt/state/rootlesskit \
	/mnt/bin/buildkitd --config /mnt/state/etc/buildkitd --otel-socket-path /mnt/state/otel.sock --oci-worker-no-process-sandbox
`

// Rootless is an engine whose daemon runs as a user without privileges, as
// BuildKit's docs/rootless.md has it, and grants no entitlement to anybody. It
// stands beside this engine and uses the same registry. It runs until stop, which
// removes its state.
func (e *Engine) Rootless(ctx context.Context) (rootless *Engine, stop func() error, err error) {
	if err := e.NeedPrograms(ctx, "unshare", "setpriv", "rootlesskit", "newuidmap"); err != nil {
		return nil, nil, err
	}
	rootless = &Engine{dir: e.path("fresh", "rootless"), repo: e.repo, log: e.log, registryAddr: e.Registry()}
	if err := rootless.Purge(ctx); err != nil { // of a test that was killed
		return nil, nil, err
	}
	if err := rootless.makeUser(); err != nil {
		return nil, nil, err
	}
	if err := os.Symlink(e.Bin(""), rootless.Bin("")); err != nil {
		return nil, nil, err
	}
	inside := &Engine{dir: "/mnt/state", registryAddr: e.Registry()}
	err = rootless.start(ctx, daemon{
		name:   "buildkitd",
		argv:   []string{"unshare", "--mount", "--propagation", "private", "sh", "-c", rootlessScript, "-", rootless.dir, e.Bin(""), fmt.Sprint(rootlessID)},
		config: inside.oldBuildkitdConfig(),
		ready: func(ctx context.Context) error {
			ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
			defer cancel()
			return rootless.run(rootless.Buildctl(ctx, "debug", "workers"))
		},
	})
	if err != nil {
		return nil, nil, err
	}
	return rootless, func() error { return rootless.Purge(context.WithoutCancel(ctx)) }, rootless.createBuilder(ctx)
}

// makeUser makes the daemon's directories, and the account files that newuidmap
// asks: the user's name, and the ids that it may map.
func (e *Engine) makeUser() error {
	for _, dir := range []string{e.path(), e.path("run-user"), e.path("accounts")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		if err := os.Chown(dir, rootlessID, rootlessID); err != nil {
			return err
		}
	}
	for name, content := range map[string]string{
		"passwd": fmt.Sprintf("root:x:0:0:root:/root:/bin/sh\nrootless:x:%d:%[1]d::/:/bin/sh\n", rootlessID),
		"subuid": "rootless:1000000:65536\n",
		"subgid": "rootless:1000000:65536\n",
	} {
		if err := os.WriteFile(e.path("accounts", name), []byte(content), 0o644); err != nil {
			return err
		}
	}
	return nil
}
