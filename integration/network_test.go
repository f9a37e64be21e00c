package integration

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/openhands/llb-frontend/integration/engine"
)

// While the frontend waits for the daemon, which asks a registry for a base, its
// container has no device but the loopback.
func TestFrontendHasNoNetwork(t *testing.T) {
	asked, answer := make(chan struct{}), make(chan struct{})
	var once sync.Once
	registry := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		once.Do(func() { close(asked) })
		<-answer
		http.NotFound(w, r)
	}))
	defer registry.Close()
	release := sync.OnceFunc(func() { close(answer) })
	defer release()

	base := strings.TrimPrefix(registry.URL, "http://") + "/base:latest"
	file := writeSpec(t, "base_image: "+base+"\nuser: root\n")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	built := make(chan error, 1)
	go func() {
		_, err := eng.Build(ctx, engine.BuildOptions{Spec: file})
		built <- err
	}()
	select {
	case <-asked:
	case err := <-built:
		t.Fatalf("nobody asks for the base: %v", err)
	}
	pids := frontends()
	if len(pids) == 0 {
		t.Error("no frontend runs")
	}
	for _, pid := range pids {
		if devices := networkDevices(t, pid); !slices.Equal(devices, []string{"lo"}) {
			t.Errorf("the frontend, process %d, has the network devices %q", pid, devices)
		}
		if networkOf(t, pid) == networkOf(t, os.Getpid()) {
			t.Errorf("the frontend, process %d, is in this machine's network", pid)
		}
	}
	release()
	if err := <-built; err == nil || !strings.Contains(err.Error(), base) {
		t.Errorf("the build of a base that is not there ends with %v", err)
	}
}

// frontends are the processes of all frontends that run.
func frontends() []int {
	return slices.DeleteFunc(eng.Containers(), func(pid int) bool {
		exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
		return err != nil || !strings.HasSuffix(exe, "/openhands-frontend")
	})
}

// networkDevices are those that a process sees.
func networkDevices(t *testing.T, pid int) (devices []string) {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/dev", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if name, _, ok := strings.Cut(line, ":"); ok {
			devices = append(devices, strings.TrimSpace(name))
		}
	}
	return devices
}

// networkOf names the network namespace of a process.
func networkOf(t *testing.T, pid int) string {
	t.Helper()
	name, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", pid))
	if err != nil {
		t.Fatal(err)
	}
	return name
}
