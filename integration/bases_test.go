package integration

import (
	"fmt"
	"strings"
	"testing"

	"github.com/openhands/llb-frontend/integration/engine"
)

// toolsScript uses every tool as people do and prints a line for each. It
// needs nothing but /openhands: the distroless base has no shell and no cat.
const toolsScript = `
set -eu
cd /workspace
tmux -L test new-session -d -x 60 -y 5 'printf "screen: grüße, 你好\n"; tmux -L test wait-for -S done; read -r -t 60 || true'
tmux -L test wait-for done
tmux -u -L test capture-pane -p
tmux -L test kill-server
git init -q one
git -C one -c user.name=n -c user.email=e commit -q --allow-empty -m 'first'
git clone -q one two
echo "git: $(git -C two log --format=%s)"
echo '{"a": [1, 2]}' > x.json
echo "jq: $(jq -c .a x.json)"
echo "rg: $(rg -o '[0-9], [0-9]' x.json)"
echo "bash: $BASH"
echo "user: $UID $HOME $PWD"
`

func TestToolsRunOnEveryBase(t *testing.T) {
	for _, tt := range []struct {
		base string
		own  []string // the base's own program, with what it says
		home string
		bash string
	}{
		{"debian:bullseye-slim", []string{"/bin/cat /etc/debian_version", "11."}, "/home/openhands", "/usr/bin/bash"},
		{"debian:bookworm-slim", []string{"/bin/cat /etc/debian_version", "12."}, "/home/openhands", "/usr/bin/bash"},
		{"debian:trixie-slim", []string{"/bin/cat /etc/debian_version", "13."}, "/home/openhands", "/usr/bin/bash"},
		{"alpine:3.22", []string{"/usr/bin/base-program", "hello from musl: user=openhands"}, "/home/openhands", "/bin/bash"},
		{"distroless:latest", []string{"/bin/base-program", "hello from the base: uid=1000"}, "/home/openhands", "/bin/bash"},
		{"node:22-slim", []string{"/usr/bin/id -un", "openhands"}, "/home/openhands", "/usr/bin/bash"},
		{"symlinks:latest", []string{"/bin/ls -d /home/openhands", "/home/openhands"}, "/home/openhands", "/usr/bin/bash"},
	} {
		t.Run(tt.base, func(t *testing.T) {
			image := imageName(t)
			buildAs(t, image, fmt.Sprintf("base_image: %s\ndeps_image: %s\n", tt.base, prebuilt(t)))
			out := run(t, engine.RunOptions{Image: image, Args: []string{"bash", "-c", toolsScript}})
			contains(t, out, "screen: grüße, 你好", "git: first", "jq: [1,2]", "rg: 1, 2", "user: 1000 "+tt.home+" /workspace")
			// What hard-codes /bin/bash and /usr/bin/env finds them on every base.
			contains(t, run(t, engine.RunOptions{Image: image, Args: []string{"/bin/bash", "-c", "/usr/bin/env bash -c 'echo $0 $BASH_VERSION'"}}), "bash 5.")
			contains(t, run(t, engine.RunOptions{Image: image, Args: strings.Fields(tt.own[0])}), tt.own[1])
		})
	}
}

// The base's programs must not see our libraries, nor ours the base's.
func TestBaseAndToolsKeepTheirOwnLibraries(t *testing.T) {
	image := imageName(t)
	buildAs(t, image, fmt.Sprintf("base_image: debian:bullseye-slim\ndeps_image: %s\nextra_deps:\n  packages: [git]\n", prebuilt(t)))
	// The base brings git of its own, which is before ours on PATH.
	contains(t, run(t, engine.RunOptions{Image: image, Args: []string{"git", "--version"}}), "git version 2.30")
	contains(t, run(t, engine.RunOptions{Image: image, Args: []string{"/openhands/tools/git", "--version"}}), "git version 2.47")
	contains(t, run(t, engine.RunOptions{Image: image, Args: []string{"cat", "/proc/self/maps"}}), "/libc-2.31.so")
	// bash has read its own map of memory: it must hold our libc and no other.
	maps := run(t, engine.RunOptions{Image: image, Args: []string{"/openhands/tools/bash", "-c", "while read -r line; do echo \"$line\"; done < /proc/self/maps"}})
	contains(t, maps, "/openhands/lib/x86_64/libc.so.6")
	if strings.Contains(maps, "/usr/lib/") || strings.Contains(maps, " /lib/") {
		t.Errorf("a sealed program maps a library of the base:\n%s", maps)
	}
}
