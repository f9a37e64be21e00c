package integration

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/openhands/llb-frontend/integration/engine"
	"github.com/openhands/llb-frontend/integration/faults"
)

// moment is a point of a build: the time that something is asked of the registry, or
// that a line is printed, and then at the latest when the first layer is pushed: a
// line may reach the client after the whole build.
type moment struct {
	name string
	at   faults.Place
	n    int
	line string
}

// moments are the phases of a build, in their order.
func moments() []moment {
	return []moment{
		{name: "the frontend's image is resolved", at: faults.Place{Phase: faults.ManifestGet, Image: "frontend"}, n: 1},
		{name: "the frontend resolves the base", at: faults.Place{Phase: faults.ManifestGet, Image: "base"}, n: 1},
		{name: "the base is read", at: faults.Place{Phase: faults.Layer, Image: "base"}, n: 1},
		{name: "composition", line: "[compose] put /openhands on"},
		{name: "export", line: "exporting layers"},
		{name: "a layer is pushed", at: faults.Place{Phase: faults.Blob, Image: "out"}, n: 1},
		{name: "the first manifest is pushed", at: faults.Place{Phase: faults.ManifestPut, Image: "out"}, n: 1},
		{name: "the tag is pushed", at: faults.Place{Phase: faults.ManifestPut, Image: "out"}, n: 3},
	}
}

// watcher calls do once, when a line is printed.
type watcher struct {
	mu   sync.Mutex
	log  bytes.Buffer
	line string
	do   func()
}

// Write keeps what is printed.
func (w *watcher) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, err := w.log.Write(p)
	if w.do != nil && w.line != "" && strings.Contains(w.log.String(), w.line) {
		go w.do()
		w.do = nil
	}
	return n, err
}

// interrupted runs a build in which something happens at a moment. It returns what
// the client printed.
func (b *faultBuild) interrupted(t *testing.T, e *engine.Engine, m moment, do func(client *os.Process) error) string {
	t.Helper()
	cmd := b.command(t.Context(), e)
	came, ended, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	happen := sync.OnceFunc(func() {
		close(came)
		done <- do(cmd.Process)
	})
	w := &watcher{line: m.line, do: happen}
	cmd.Stdout, cmd.Stderr = w, w
	at := faults.Fault{Kind: faults.Nothing, Place: m.at, N: m.n}
	if m.line != "" {
		at.Place, at.N = faults.Place{Phase: faults.Blob, Image: "out"}, 1
	}
	b.proxy.Plan(at)
	b.proxy.OnFault = func(faults.Fault) {
		happen()
		<-ended // nothing else comes in between
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	err := cmd.Wait()
	close(ended)
	b.proxy.Plan()
	select {
	case <-came:
		if problem := <-done; problem != nil {
			t.Fatal(problem)
		}
	default:
		t.Fatalf("%s: the moment does not come, %v\n%s", m.name, err, w.log.String())
	}
	if err == nil {
		t.Errorf("%s: the build succeeds\n%s", m.name, w.log.String())
	}
	return w.log.String()
}

// whole fails where the build's tag leads to a broken image, and returns the digest
// of the image.
func (b *faultBuild) whole(t *testing.T, checker *faults.Checker) string {
	t.Helper()
	got, err := b.tag(t.Context(), checker)
	if err != nil {
		t.Error(err)
	}
	return got
}

// A daemon that is killed goes on from what it has, whatever it was doing.
func TestDaemonKilled(t *testing.T) {
	second := freshDaemon(t, "killed")
	var checker faults.Checker
	for i, m := range moments() {
		t.Run(m.name, func(t *testing.T) {
			b := newFaultBuild(t, "killed-"+string(rune('a'+i)), false)
			want := b.reference(t)
			log := b.interrupted(t, second, m, func(*os.Process) error { return second.KillDaemon() })
			contains(t, log, "ERROR: ")
			b.whole(t, &checker)
			if err := second.StartDaemon(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := b.repeat(t.Context(), second, &checker, want); err != nil {
				t.Error(err)
			}
		})
	}
}

// A client that ends takes its build with it, and nothing else.
func TestClientInterrupted(t *testing.T) {
	second := freshDaemon(t, "interrupted")
	var checker faults.Checker
	for i, m := range moments() {
		// Each signal at every second moment, and both where an image is written.
		for k, sig := range []os.Signal{os.Interrupt, syscall.SIGKILL} {
			if i%2 != k && m.at.Phase != faults.ManifestPut {
				continue
			}
			t.Run(m.name+", "+sig.String(), func(t *testing.T) {
				b := newFaultBuild(t, "client-"+string(rune('a'+i))+string(rune('0'+k)), false)
				want := b.reference(t)
				b.interrupted(t, second, m, func(client *os.Process) error { return client.Signal(sig) })
				b.whole(t, &checker)
				idle(t, second)
				if err := b.repeat(t.Context(), second, &checker, want); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// idle waits until a daemon builds nothing, and no container of it is left.
func idle(t *testing.T, e *engine.Engine) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for {
		out, err := e.Buildx(ctx, "history", "ls").CombinedOutput()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatalf("a build goes on whose client has ended: %v\n%s", err, out)
		}
		if err == nil && !strings.Contains(string(out), "Running") && len(e.Containers()) == 0 {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("a build goes on whose client has ended: processes %v\n%s", e.Containers(), out)
		case <-time.After(100 * time.Millisecond):
		}
	}
}
