package check

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// v0Image is an image whose server is fake.
func v0Image(t *testing.T, fake string) image {
	t.Helper()
	img := newImage(t)
	img.env = append(img.env, "FAKE="+fake)
	img.file(t, "code/openhands/runtime/action_execution_server.py", "")
	img.elf(t, "fake-server")
	img.script(t, "micromamba/bin/micromamba", `[ "$*" = "${*#run -n openhands poetry run python -u -m }" ] && exit 9
exec `+img.path("fake-server")+` "$@"`)
	return img
}

// with gives the image an editor and a browser, which the fake does not use.
func (i image) with(t *testing.T) image {
	t.Helper()
	i.script(t, ".openvscode-server/bin/openvscode-server", "exit 1")
	i.file(t, "browser/chromium-1187/chrome-linux/chrome", "")
	i.env = append(i.env, "PLAYWRIGHT_BROWSERS_PATH="+i.path("browser"))
	return i
}

func rows(t *testing.T, img image, args []string) map[string]result {
	t.Helper()
	got := map[string]result{}
	serverCheck(img, args)(t.Context(), func(r result) { got[r.name] = r })
	return got
}

func TestV0(t *testing.T) {
	t.Parallel()
	img := v0Image(t, "").with(t)
	img.env = append(img.env, "KEY=secret", "SESSION_API_KEY=secret")
	got := rows(t, img, nil)
	want(t, got["server"], ok, "action-execution-server is ready")
	want(t, got["server-run"], ok, "a command runs in /workspace")
	want(t, got["server-ipython"], ok, "a cell runs")
	want(t, got["server-browser"], ok, "browses a page")
	want(t, got["server-vscode"], ok, "serves the workbench")
}

func TestV0WithoutFeatures(t *testing.T) {
	t.Parallel()
	got := rows(t, v0Image(t, ""), nil)
	want(t, got["server"], ok, "")
	want(t, got["server-browser"], absent, "without a browser")
	want(t, got["server-vscode"], absent, "without the vscode plugin")
}

func TestV0Broken(t *testing.T) {
	t.Parallel()
	got := rows(t, v0Image(t, "broken").with(t), nil)
	want(t, got["server"], ok, "")
	want(t, got["server-run"], fail, "no server running on /tmp/tmux-1000/default")
	want(t, got["server-ipython"], absent, "without the jupyter plugin")
	want(t, got["server-browser"], fail, "Error: Page.goto: net::ERR_CONNECTION_REFUSED")
	want(t, got["server-vscode"], fail, "no token")
}

func TestV0RefusesKey(t *testing.T) {
	t.Parallel()
	img := v0Image(t, "")
	img.env = append(img.env, "KEY=secret", "SESSION_API_KEY=other")
	want(t, rows(t, img, nil)["server-run"], fail, "refuses SESSION_API_KEY: Invalid API Key")
}

func TestServerDies(t *testing.T) {
	t.Parallel()
	start := time.Now()
	got := rows(t, v0Image(t, "dies"), nil)
	want(t, got["server"], fail, "ends by itself with exit status 1: RuntimeError: Failed to create user")
	if !strings.Contains(got["server"].output, "starting run -n openhands poetry run") {
		t.Errorf("its output is lost: %q", got["server"].output)
	}
	want(t, got["server-run"], skipped, "does not run")
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("told after %v, not at once", took)
	}
}

func TestServerNeverReady(t *testing.T) {
	t.Parallel()
	img := v0Image(t, "never")
	img.limit = 3600 * time.Millisecond
	got := rows(t, img, nil)["server"]
	want(t, got, fail, `not ready after 3.6s: GET /alive: it says "not initialized"`)
	if !strings.Contains(got.output, "starting run -n openhands") {
		t.Errorf("its output is lost: %q", got.output)
	}
}

func TestServerInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	s, r := v0Image(t, "never").serve(ctx, actionServer{}, nil)
	want(t, r, fail, "interrupted")
	if s.process != nil {
		t.Error("its process is not ended")
	}
}

func TestServerCommand(t *testing.T) {
	t.Parallel()
	img := v0Image(t, "")
	program := img.path("fake-server")
	got := rows(t, img, []string{program, actionModule, "{port}"})
	want(t, got["server-run"], ok, "")
	want(t, rows(t, img, []string{program, "serve"})["server"], fail, "names no port")
	want(t, rows(t, img, []string{img.path("none"), "{port}"})["server"], fail, "the file is not there")
	empty := newImage(t)
	want(t, rows(t, empty, nil)["server"], absent, "no server")
	want(t, rows(t, empty, []string{"serve"})["server"], fail, "no server that oh-check knows")
}

func TestV0Command(t *testing.T) {
	img := newImage(t)
	if err := os.WriteFile(img.accounts, []byte("broken line\nroot:x:0:0::/root:/bin/sh\nnode:x:1000:1000::/home/node:\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	full := img.with(t)
	named := full
	named.env = append(slices.Clone(full.env), "RUNTIME_USERNAME=agent")
	for _, c := range []struct {
		img  image
		uid  int
		want string
	}{
		{img, 0, "30000 --working-dir /workspace --plugins agent_skills jupyter vscode --username root --user-id 0 --no-enable-browser"},
		{full, 1000, "30000 --working-dir /workspace --plugins agent_skills jupyter vscode --username node --user-id 1000"},
		{full, 4711, "30000 --working-dir /workspace --plugins agent_skills jupyter vscode --username openhands --user-id 4711"},
		{named, 4711, "30000 --working-dir /workspace --plugins agent_skills jupyter vscode --username agent --user-id 4711"},
	} {
		c.img.uid = c.uid
		got := actionServer{}.command(c.img, 30000, 31500)
		start := img.path("micromamba/bin/micromamba") + " run -n openhands poetry run python -u -m " + actionModule + " "
		if line := strings.Join(got.args, " "); line != start+c.want {
			t.Errorf("uid %d: got %s\nwant %s", c.uid, line, start+c.want)
		}
		if got.dir != img.path("code") || !slices.Equal(got.env, []string{"VSCODE_PORT=31500"}) {
			t.Errorf("uid %d: in %s with %v", c.uid, got.dir, got.env)
		}
	}
}

func TestV0Port(t *testing.T) {
	for line, want := range map[string]int{
		"python -m " + actionModule + " 3000 --plugins":               3000,
		"python /x/openhands/runtime/action_execution_server.py 3001": 3001,
		"python -m " + actionModule + " --port":                       0,
		"python -m " + actionModule:                                   0,
		"":                                                            0,
	} {
		if got, found := (actionServer{}).port(strings.Fields(line)); got != want || found != (want != 0) {
			t.Errorf("%s: got %d, %v", line, got, found)
		}
	}
}

func TestSweep(t *testing.T) {
	img := newImage(t)
	img.limit = 10 * time.Minute // of a busy machine
	img.elf(t, "daemons")
	o := img.run(t.Context(), img.step(), command{args: []string{img.path("daemons")}})
	lines := strings.Fields(o.stdout)
	if o.problem() != "" || len(lines) != 5 || strings.Join(lines[:4], " ") != "before 1 after 0" {
		t.Fatalf("got %q, %s", o.stdout, o.problem())
	}
	if exists(filepath.Join("/proc", lines[4])) {
		t.Errorf("process %s lives", lines[4])
	}
}

func TestParseStat(t *testing.T) {
	if pid, parent := parseStat("12 (a) S (b) R 34 12 12"); pid != 12 || parent != 34 {
		t.Errorf("got %d, %d", pid, parent)
	}
	if _, parent := parseStat(""); parent != 0 {
		t.Errorf("nothing has the parent %d", parent)
	}
}
