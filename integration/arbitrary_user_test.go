package integration

import (
	"fmt"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/openhands/llb-frontend/integration/engine"
)

// arbitrary is how OpenShift runs images, and the strictest that people ask of
// docker: `docker run --read-only --tmpfs /tmp --user 12345:0`. The uid has no
// account, its group is root's, and nothing but /tmp can be written.
func arbitrary(image string, mounts ...specs.Mount) engine.RunOptions {
	return engine.RunOptions{
		Image: image, User: "12345:0", ReadOnly: true,
		Mounts: append(mounts, tmpfs("/tmp", "mode=1777")),
	}
}

func TestToolsAsArbitraryUser(t *testing.T) {
	for _, base := range []string{"debian:trixie-slim", "alpine:3.22"} {
		t.Run(base, func(t *testing.T) {
			image := imageName(t)
			buildAs(t, image, "base_image: "+base+"\ndeps_image: "+prebuilt(t)+"\n")
			opt := arbitrary(image)
			opt.Args = []string{"sh", "-c", `
id -u; id -g; touch /workspace/a 2>/dev/null || echo read-only; echo HOME $HOME
tmux -u new-session -d -s s 'echo from $(id -u) >/tmp/said; tmux wait-for -S done' && tmux wait-for done; cat /tmp/said
cd /tmp && git init -q repo && cd repo && echo a >a && git add a && git -c user.name=n -c user.email=e@e commit -qm m && git log --format=%s
echo '{"a": 42}' | jq .a; rg -o 'a' a; bash -c 'echo bash ${BASH_VERSION%%.*}'
`}
			contains(t, run(t, opt), "12345\n0\nread-only\n", "from 12345\n", "m\n42\na\nbash 5\n")
		})
	}
}

// walk prints what of /openhands gives anybody a power: setuid and setgid programs,
// device nodes, capabilities of files, and what others than its owner can write.
const walk = `
import os, stat
seen = 0
for top, dirs, names in os.walk("/openhands"):
    for name in dirs + names:
        path = os.path.join(top, name)
        found = os.lstat(path)
        seen += 1
        link = stat.S_ISLNK(found.st_mode)
        if (found.st_mode & 0o6022 and not link or found.st_uid or found.st_gid or "security.capability" in os.listxattr(path, follow_symlinks=False)
                or not (link or stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode))):
            print(oct(found.st_mode), found.st_uid, found.st_gid, path)
print("many" if seen > 10000 else seen, "files")
`

// The agent-server needs /workspace as well. It works as that user when its host
// starts the server's python itself, and not by way of oh-init: the terminal, the
// browser tool, VS Code and pip.
func TestAgentServerAsArbitraryUser(t *testing.T) {
	port := freePort(t)
	opt := arbitrary(agentImage(t, "base_image: alpine:3.22\n"), tmpfs("/workspace", "mode=1777")) // as `docker run --tmpfs /workspace`
	opt.Entrypoint = []string{"/agent-server/.venv/bin/python", "-m", "openhands.agent_server", "--port", fmt.Sprint(port)}
	s := startAgent(t, port, "a-key", opt)
	s.worksAs("12345", "12345")
	contains(t, s.sh(`echo $HOME; touch ~/a && echo written; touch /a 2>&1 || true`), "/tmp/openhands-home-12345\nwritten\n", "Read-only file system")
	if found := s.sh("$OH_INTERPRETER_PATH -c '" + walk + "'"); found != "many files\n" {
		t.Errorf("/openhands holds\n%s", found)
	}
}
