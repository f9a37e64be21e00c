package frontend

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/errdefs"
	digest "github.com/opencontainers/go-digest"

	"github.com/openhands/llb-frontend/frontend/lock"
)

const lockedSpec = "base_image: debian:trixie-slim\ndeps_image: deps:1\n"

// written is the lock that a request writes.
func written(t *testing.T, s *stub) string {
	t.Helper()
	opts := map[string]string{"target": lockTarget}
	maps.Copy(opts, s.opts)
	s.opts = opts
	if _, err := run(t, s); err != nil {
		t.Fatal(err)
	}
	for _, def := range slices.Backward(s.all) {
		for _, op := range opsOf(t, def) {
			for _, a := range op.GetFile().GetActions() {
				if f := a.GetMkfile(); f != nil && f.Path == "/"+lock.Name {
					return string(f.Data)
				}
			}
		}
	}
	t.Fatal("no lock is written")
	return ""
}

func TestLockIsWrittenAndUsed(t *testing.T) {
	images := registry()
	text := written(t, &stub{spec: lockedSpec, images: images, opts: map[string]string{"platform": "linux/amd64,linux/arm64"}})
	l, err := lock.Parse(lock.Name, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	base := digest.FromString("docker.io/library/debian:trixie-slim")
	if l.Images["debian:trixie-slim"] != base || len(l.Images) != 2 || len(l.Bases[base]) != 2 {
		t.Errorf("the lock is\n%s", text)
	}

	s := &stub{spec: lockedSpec, lock: text, images: images}
	if _, err := run(t, s); err != nil {
		t.Fatal(err)
	}
	if len(s.read) > 0 || len(s.warnings) > 0 {
		t.Errorf("a build with a lock reads %q and warns of %q", s.read, s.warnings)
	}
	found := false
	for _, op := range solvedOps(t, s) {
		found = found || op.GetSource().GetIdentifier() == "docker-image://docker.io/library/debian:trixie-slim@"+base.String()
	}
	if !found {
		t.Error("the base is not taken by the digest of the lock")
	}
}

// With the lock the identity layer is what it is when the base is read.
func TestFactsOfLockGiveTheSameGraph(t *testing.T) {
	images := registry()
	read := &stub{spec: lockedSpec, images: images}
	locked := &stub{spec: lockedSpec, images: images, lock: written(t, &stub{spec: lockedSpec, images: images})}
	var graphs [2][]string
	for i, s := range []*stub{read, locked} {
		if _, err := run(t, s); err != nil {
			t.Fatal(err)
		}
		for _, op := range solvedOps(t, s) {
			if op.GetFile() != nil {
				graphs[i] = append(graphs[i], op.String())
			}
		}
	}
	if len(graphs[0]) == 0 || !slices.Equal(graphs[0], graphs[1]) {
		t.Errorf("read:\n%s\nlocked:\n%s", strings.Join(graphs[0], "\n"), strings.Join(graphs[1], "\n"))
	}
}

// What others have locked stays when a lock is written for one more.
func TestLockKeepsOthers(t *testing.T) {
	images := registry()
	images["alpine:3.22"] = stubImage{}
	first := written(t, &stub{spec: lockedSpec, images: images})
	text := written(t, &stub{spec: "base_image: alpine:3.22\ndeps_image: deps:1\n", lock: first, images: images})
	for _, want := range []string{"debian:trixie-slim: sha256:", "alpine:3.22: sha256:", digest.FromString("docker.io/library/debian:trixie-slim").String() + ":\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	s := &stub{spec: lockedSpec, lock: text, images: images}
	if _, err := run(t, s); err != nil || len(s.read) > 0 || len(s.warnings) > 0 {
		t.Errorf("the first base is read: %q, %q, %v", s.read, s.warnings, err)
	}
}

func TestStaleLock(t *testing.T) {
	images := registry()
	images["alpine:3.22"] = stubImage{}
	text := written(t, &stub{spec: lockedSpec, images: images})
	empty := string(lock.New().Encode())
	for _, tt := range []struct {
		name, spec, lock string
		opts             map[string]string
		want             []string
		reads            bool
	}{
		{"another base", "deps_image: deps:1\nbase_image: alpine:3.22\n", text, nil,
			[]string{`no digest of base image "alpine:3.22"; refresh it: docker buildx build -f openhands.yaml --target lock -o . . (line 2)`}, true},
		{"another path", lockedSpec + "working_dir: /data\n", text, nil,
			[]string{`no answer to all that the spec asks of base image "debian:trixie-slim" for linux/amd64`}, true},
		{"another platform", lockedSpec, text, map[string]string{"platform": "linux/arm64"},
			[]string{`no facts of base image "debian:trixie-slim" for linux/arm64`}, true},
		{"an arg", "args: {T: trixie}\nbase_image: debian:${T}-slim\ndeps_image: deps:1\nuser: root\n", empty, map[string]string{"build-arg:T": "trixie"},
			[]string{"--target lock --build-arg T=... -o . .", `deps image "deps:1"`}, false},
		{"stages", "base_image: scratch\nuser: root\ndeps: {node: \"24.21.0\"}\n", empty, nil,
			[]string{`builder image "debian:trixie-slim"`, "download node/v24.21.0/node-v24.21.0-linux-x64.tar.gz"}, false},
		{"the base is not the deps target's", "base_image: alpine:3.22\ndeps_image: deps:1\n", text, map[string]string{"target": "deps"}, nil, false},
		{"a context stands for it", "base_image: mine\ndeps_image: deps:1\n", text, map[string]string{"context:mine": "docker-image://debian:trixie-slim"}, nil, true},
		{"nothing is asked of it", "base_image: debian:trixie-slim\ndeps_image: deps:1\nuser: root\nworking_dir: /workspace\n", text, map[string]string{"platform": "linux/arm64"}, nil, false},
		{"packages are read", lockedSpec + "extra_deps: {packages: [jq]}\n", text, nil, []string{`snapshot for the packages of "debian:trixie-slim"`}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &stub{spec: tt.spec, lock: tt.lock, opts: tt.opts, images: images}
			if _, err := run(t, s); err != nil {
				t.Fatal(err)
			}
			all := strings.Join(s.warnings, "\n")
			for _, w := range tt.want {
				if !strings.Contains(all, w) {
					t.Errorf("%q is missing in\n%s", w, all)
				}
			}
			if len(tt.want) == 0 && len(s.warnings) > 0 {
				t.Errorf("warns of %s", all)
			}
			if got := len(s.read) > 0; got != tt.reads {
				t.Errorf("files are read: %t, want %t: %q", got, tt.reads, s.read)
			}
		})
	}
}

// A spec that names another base for each platform has them all in its lock.
func TestLockPerPlatform(t *testing.T) {
	const perPlatform = "base_image: ${TARGETARCH}:1\ndeps_image: deps:1\n"
	images := registry()
	images["amd64:1"], images["arm64:1"] = stubImage{}, stubImage{}
	opts := map[string]string{"platform": "linux/amd64,linux/arm64"}
	s := &stub{spec: perPlatform, lock: written(t, &stub{spec: perPlatform, images: images, opts: opts}), images: images, opts: opts}
	if _, err := run(t, s); err != nil || len(s.read) > 0 || len(s.warnings) > 0 {
		t.Errorf("reads %q, warns of %q, %v\n%s", s.read, s.warnings, err, s.lock)
	}
	s.lock = string(lock.New().Encode())
	if _, err := run(t, s); err != nil || len(s.warnings) != 3 {
		t.Errorf("an empty lock gives the warnings %q, %v", s.warnings, err)
	}
}

// The lock of a spec from a repository is the one beside it there.
func TestLockFromGit(t *testing.T) {
	images := registry()
	s := &stub{
		spec: lockedSpec, lock: written(t, &stub{spec: lockedSpec, images: images}), images: images,
		opts: map[string]string{"context": "https://git.example.com/team/images.git"},
	}
	if _, err := run(t, s); err != nil || len(s.read) > 0 || len(s.warnings) > 0 {
		t.Errorf("reads %q, warns of %q, %v", s.read, s.warnings, err)
	}
}

// A context of the request stands for an image whatever the lock says of it.
func TestContextWinsOverLock(t *testing.T) {
	images := registry()
	images["alpine:3.22"] = stubImage{}
	s := &stub{
		spec: lockedSpec, lock: written(t, &stub{spec: lockedSpec, images: images}), images: images,
		opts: map[string]string{"context:debian:trixie-slim": "docker-image://alpine:3.22"},
	}
	if _, err := run(t, s); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(s.read, "alpine:3.22") || len(s.warnings) > 0 {
		t.Errorf("reads %q, warns of %q", s.read, s.warnings)
	}
}

func TestLockedImageIsGone(t *testing.T) {
	l := lock.New()
	l.Images["gone:1"] = digest.FromString("gone")
	_, err := run(t, &stub{spec: "base_image: gone:1\ndeps_image: deps:1\nuser: root\n", lock: string(l.Encode()), images: registry()})
	if err == nil || !strings.Contains(err.Error(), "openhands.lock.yaml has it as sha256:") || !strings.Contains(err.Error(), "--target lock -o . .") {
		t.Errorf("got %v", err)
	}
}

// A mistake in the lock is marked in the lock.
func TestMistakeInLock(t *testing.T) {
	ask := func(opts map[string]string) (*client.Result, error) {
		return run(t, &stub{spec: lockedSpec, lock: "version: 1\nimages:\n  debian:trixie-slim: today\n", images: registry(), opts: opts})
	}
	for _, opts := range []map[string]string{nil, {"requestid": "frontend.openhands.tags"}, {"requestid": "frontend.convertllb"}} {
		_, err := ask(opts)
		if err == nil || !strings.Contains(err.Error(), "openhands.lock.yaml:3:23: \"today\" is no digest") {
			t.Fatalf("%v: got %v", opts, err)
		}
		for _, src := range errdefs.Sources(err) {
			if src.Info.Filename != lock.Name || src.Ranges[0].Start.Line != 3 {
				t.Errorf("%v: marks %s, %v", opts, src.Info.Filename, src.Ranges)
			}
		}
	}
	res, err := ask(map[string]string{"requestid": "frontend.lint"})
	if err != nil || !strings.Contains(string(res.Metadata["result.json"]), "today") {
		t.Errorf("the check says %v, %v", res, err)
	}
}

// A password is not for a file that people share.
func TestLockLeavesOutPasswords(t *testing.T) {
	images := registry()
	images["debian:trixie-slim"].files["etc/shadow"] = images["debian:trixie-slim"].files["etc/passwd"]
	shadow := *images["debian:trixie-slim"].files["etc/passwd"]
	shadow.Data = []byte("root:$6$salt$0123456789abcdef:20000::::::\n")
	images["debian:trixie-slim"].files["etc/shadow"] = &shadow
	w := &stub{spec: lockedSpec, images: images}
	text := written(t, w)
	if strings.Contains(text, "$6$") || !strings.Contains(text, "linux/amd64: none") {
		t.Errorf("the lock is\n%s", text)
	}
	if len(w.warnings) != 1 || !strings.Contains(w.warnings[0], "holds a password") {
		t.Errorf("warns of %q", w.warnings)
	}
	s := &stub{spec: lockedSpec, lock: text, images: images}
	if _, err := run(t, s); err != nil || len(s.warnings) > 0 || len(s.read) == 0 {
		t.Errorf("reads %q, warns of %q, %v", s.read, s.warnings, err)
	}
}
