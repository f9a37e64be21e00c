package integration

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/openhands/llb-frontend/integration/engine"
)

// hostileRow is an image that nobody would make in good faith, and what has to
// come of a build with it.
type hostileRow struct {
	// input and outcome are the row of docs/reliability.md.
	input, outcome string
	image          hostileImage
	// spec follows base_image and deps_image.
	spec string
	// refused is what the error has to say, and where; nil for an image that
	// composes.
	refused []string
	// warning is what the build has to say of an image that composes.
	warning string
	check   func(t *testing.T, c composed)

	number int // by which the build's directory and target are called
	log    string
	ref    string // of the composed image
}

const (
	// atOnce is how many builds one call of bake has.
	atOnce = 16
	// maxFrontendMemory is what the frontend may take, whatever it is given.
	maxFrontendMemory = 40_000_000
)

// buildRows builds all rows: those that compose by bake, each of the others by a
// call of its own. specOf is the beginning of a spec with the image of a row.
func buildRows(t *testing.T, kind string, rows []*hostileRow, specOf func(image string) string) {
	t.Helper()
	dir := t.TempDir()
	var good, bad []*hostileRow
	for i, row := range rows {
		image := fmt.Sprintf("%s/test/hostile-%s-%d:1", eng.Registry(), kind, i)
		row.image.push(t, image)
		row.number = i
		row.ref = fmt.Sprintf("%s/test/composed-%s-%d:1", eng.Registry(), kind, i)
		text := "# syntax=" + engine.FrontendImage + "\n" + specOf(image) + row.spec
		write(t, filepath.Join(dir, fmt.Sprint(i), engine.SpecFile), text)
		if row.refused == nil {
			good = append(good, row)
		} else {
			bad = append(bad, row)
		}
	}
	peak := watchFrontends()
	for len(good) > 0 {
		n := min(len(good), atOnce)
		bakeRows(t, dir, good[:n])
		good = good[n:]
	}
	refuseRows(t, dir, bad)
	got := peak()
	t.Logf("a frontend takes %d bytes of memory", got)
	if got == 0 || got > maxFrontendMemory {
		t.Errorf("a frontend takes %d bytes of memory, want at most %d", got, maxFrontendMemory)
	}
}

// bakeRows builds rows by one call.
func bakeRows(t *testing.T, dir string, rows []*hostileRow) {
	t.Helper()
	targets, names := map[string]any{}, []string{}
	for _, row := range rows {
		name := fmt.Sprintf("row-%d", row.number)
		names = append(names, name)
		targets[name] = map[string]any{"context": fmt.Sprint(row.number), "dockerfile": engine.SpecFile, "tags": []string{row.ref}}
	}
	definition, err := json.Marshal(map[string]any{"group": map[string]any{"default": map[string]any{"targets": names}}, "target": targets})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "docker-bake.json"), string(definition))
	log, err := tryBuildx(t, dir, nil, "bake", "--progress=plain", "--push")
	if err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	for _, row := range rows {
		row.log = log
	}
}

// refuseRows builds rows of which none may succeed.
func refuseRows(t *testing.T, dir string, rows []*hostileRow) {
	t.Helper()
	next := make(chan *hostileRow)
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			for row := range next {
				log, err := tryBuildx(t, filepath.Join(dir, fmt.Sprint(row.number)), nil, "build", "--progress=plain", "--push", "-t", row.ref, "-f", engine.SpecFile, ".")
				if row.log = log; err == nil {
					row.log = "the build succeeds\n" + log
				}
			}
		})
	}
	for _, row := range rows {
		next <- row
	}
	close(next)
	callers.Wait()
}

// verify checks one row.
func (row *hostileRow) verify(t *testing.T) {
	if row.refused != nil {
		contains(t, row.log, row.refused...)
		for _, never := range []string{"panic", "goroutine ", "the build succeeds"} {
			if strings.Contains(row.log, never) {
				t.Errorf("%q in\n%s", never, row.log)
			}
		}
		return
	}
	contains(t, row.log, row.warning)
	c := compositionOf(t, row.ref)
	if row.check != nil {
		row.check(t, c)
	}
}

// watchFrontends looks at the memory of all frontends until peak is called, which
// returns the most, in bytes.
func watchFrontends() (peak func() int64) {
	done := make(chan struct{})
	var most int64
	var watch sync.WaitGroup
	watch.Go(func() {
		for {
			for _, pid := range eng.Containers() {
				most = max(most, frontendMemory(pid))
			}
			select {
			case <-done:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
	return func() int64 {
		close(done)
		watch.Wait()
		return most
	}
}

// frontendMemory is the peak of resident memory of a process that is our frontend.
func frontendMemory(pid int) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil || !bytes.HasPrefix(status, []byte("Name:\topenhands-front")) { // the kernel keeps 15 characters
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	var kilobytes int64
	if _, err := fmt.Sscan(rest, &kilobytes); err != nil {
		return 0
	}
	return kilobytes * 1024
}
