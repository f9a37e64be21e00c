package integration

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
)

// TestCompatCommands: what a command of a build gets of the request.
func TestCompatCommands(t *testing.T) {
	const parent = "openhands-compat"
	t.Cleanup(func() {
		for _, dir := range append(cgroups(t, parent+"/buildkit"), cgroups(t, parent)...) {
			if err := os.Remove(dir); err != nil {
				t.Error(err)
			}
		}
	})
	log := build(t, plain(t, `extra_deps: |
  cat /etc/hosts
  echo "files $(ulimit -n) $(ulimit -H -n)"
  df -k /dev/shm
  cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || true
  echo "called $(hostname)"
`), "--no-cache-filter=run",
		"--add-host=compat.example.com:203.0.113.7", "--ulimit=nofile=3000:4000", "--shm-size=33554432",
		"--cgroup-parent="+parent, "--resource=memory=300m", "--build-arg=BUILDKIT_SANDBOX_HOSTNAME=compat-host").Log
	t.Run("--add-host", func(t *testing.T) { contains(t, log, "203.0.113.7\tcompat.example.com") })
	t.Run("--ulimit", func(t *testing.T) { contains(t, log, "files 3000 4000") })
	t.Run("--shm-size", func(t *testing.T) { contains(t, log, " 32768 ") })
	t.Run("--resource", func(t *testing.T) { contains(t, log, " 314572800\n") })
	t.Run("hostname", func(t *testing.T) { contains(t, log, "called compat-host") })
	t.Run("--cgroup-parent", func(t *testing.T) {
		if cgroups(t, parent) == nil {
			t.Errorf("no cgroup %s has been made", parent)
		}
	})
	t.Run("--network", networks)
	t.Run("--secret", commandSecret)
	t.Run("--ssh", commandAgent)
}

// cgroups are a cgroup's directories: one with cgroup v2, several with v1.
func cgroups(t *testing.T, name string) (dirs []string) {
	t.Helper()
	for _, pattern := range []string{"/sys/fs/cgroup/" + name, "/sys/fs/cgroup/*/" + name} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		dirs = append(dirs, found...)
	}
	return dirs
}

// networks: with none a command reaches nothing, with host the machine itself.
func networks(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("reached the client's machine\n"))
	}))
	defer srv.Close()
	// What is printed is not in the command, which the log shows too.
	yaml := plain(t, "extra_deps: wget -q -T 5 -O - "+srv.URL+" || echo \"reached $((1-1)) machines\"\n")
	contains(t, build(t, yaml, "--no-cache-filter=run", "--network=none").Log, " reached 0 machines\n")
	res := build(t, yaml, "--no-cache-filter=run", "--network=host", "--provenance=mode=max")
	contains(t, res.Log, " reached the client's machine\n")
	// The daemon of the tests has no other network than its host's, so that the
	// difference is in the provenance.
	contains(t, statements(t, res.Ref), `"network":1`)
}

// commandSecret: a command has the secrets that it mentions, while it runs.
func commandSecret(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("hunter2"), 0o600); err != nil {
		t.Fatal(err)
	}
	yaml := plain(t, "extra_deps: 'echo \"it has $(wc -c </run/secrets/my-token) bytes\"'\n")
	res := build(t, yaml, "--no-cache-filter=run", "--secret=id=my-token,src="+file)
	contains(t, res.Log, " it has 7 bytes\n")
	for name := range flat(t, res.Ref) {
		if filepath.Base(name) == "my-token" {
			t.Errorf("the image holds %s", name)
		}
	}
	contains(t, build(t, yaml, "--no-cache-filter=run").Log, "/run/secrets/my-token: no such file")
}

// commandAgent: with --ssh a command has an agent of the client's keys.
func commandAgent(t *testing.T) {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	yaml := plain(t, "extra_deps: if test -S \"$SSH_AUTH_SOCK\"; then echo \"agents $((0+1))\"; else echo \"agents $((1-1))\"; fi\n")
	contains(t, build(t, yaml, "--no-cache-filter=run", "--ssh=default="+file).Log, " agents 1\n")
	contains(t, build(t, yaml, "--no-cache-filter=run").Log, " agents 0\n")
}
