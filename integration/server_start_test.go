package integration

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image/color"
	"image/png"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/openhands/llb-frontend/integration/engine"
)

// `docker run IMAGE` starts the server under oh-init, on every base.
func TestServerStarts(t *testing.T) {
	for _, base := range []string{"debian:trixie-slim", "alpine:3.22", "distroless:latest"} {
		t.Run(base, func(t *testing.T) {
			image := serverImage(t, "base_image: "+base+"\n")
			const port = 8000 // in the image's command
			l, err := net.Listen("tcp", fmt.Sprintf("0.0.0.0:%d", port))
			if err != nil {
				t.Fatalf("the image's command needs the port %d: %v", port, err)
			}
			l.Close()
			s := &server{t: t, port: port}
			s.start(engine.RunOptions{Image: image, Env: []string{"NO_CHANGE_TIMEOUT_SECONDS=120", fmt.Sprintf("VSCODE_PORT=%d", freePort(t))}})
			s.takeKey()
			contains(t, s.sh("echo $((6*7)) in $PWD; cat /proc/1/cmdline | tr '\\0' ' '"), "42 in /workspace\n", "/openhands/bin/oh-init -- ")
			// The orphan becomes oh-init's, and goes when it ends.
			contains(t, s.sh("p=$(sh -c 'sleep 100 >/dev/null & echo $!'); echo parent $(grep PPid: /proc/$p/status); kill $p; "+
				"for ((i = 0; i < 300; i++)); do [ -e /proc/$p ] || { echo reaped; break; }; sleep 0.1; done"), "parent PPid: 1\n", "reaped")
			if zombies := s.sh("sh -c 'sleep 0.1 &'; sleep 1; grep -l '^State:.Z' /proc/[0-9]*/status; true"); strings.Contains(zombies, "/proc/") {
				t.Errorf("dead processes stay: %s", s.sh("grep -H '' "+strings.ReplaceAll(zombies, "\n", " ")+" | head -40"))
			}
			if err := s.container.Signal(t.Context(), syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			res, err := s.container.Wait()
			if err != nil {
				t.Fatal(err)
			}
			// uvicorn ends in its own order, then by the signal that it got.
			if want := 128 + int(syscall.SIGTERM); res.ExitCode != want || !strings.Contains(s.container.Output(), "Shutdown complete.") {
				t.Errorf("the container ends with %d, want %d and a server that shuts down\n%s", res.ExitCode, want, lastLines(s.container.Output(), 20))
			}
		})
	}
}

// takeKey takes the key that oh-init has made, after seeing that nothing goes
// without it.
func (s *server) takeKey() {
	s.t.Helper()
	said := regexp.MustCompile(`oh-init: SESSION_API_KEY is not set: the server wants the header X-Session-API-Key: (\w+);`).FindStringSubmatch(s.container.Output())
	if said == nil {
		s.t.Fatalf("nobody says a key in\n%s", s.container.Output())
	}
	if body, status, err := s.request(s.t.Context(), "POST", "/execute_action", []byte("{}")); err != nil || status != http.StatusForbidden {
		s.t.Errorf("without the key: status %d, %v: %s", status, err, body)
	}
	s.key = said[1]
}

// The hosts of OpenHands bring their own command line and leave the user to the
// image, or start it as root.
func TestHostsCommand(t *testing.T) {
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `<!doctype html><title>a page</title><body style="background:#123456"><h1 style="background:#fedcba">Read by a browser</h1>`)
	}))
	t.Cleanup(page.Close)
	for _, tt := range []struct {
		name, yaml     string
		user           string // of the container
		account        string // --username
		uid, wantedUID string // --user-id, and what the terminal has
	}{
		{"debian", "base_image: debian:trixie-slim\n", "", "openhands", "1000", "1000"},
		{"debian of root", "base_image: debian:trixie-slim\nuser: root\n", "", "root", "0", "0"},
		{"alpine", "base_image: alpine:3.22\n", "", "openhands", "1000", "1000"},
		{"alpine as root", "base_image: alpine:3.22\n", "0", "openhands", "1000", "0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := startAsHost(t, engine.RunOptions{Image: serverImage(t, tt.yaml), User: tt.user},
				"--plugins", "agent_skills", "jupyter", "vscode", "--username", tt.account, "--user-id", tt.uid)
			contains(t, s.sh("echo uid $(id -u) in $PWD; git --version"), "uid "+tt.wantedUID+" in /workspace\n", "git version")
			contains(t, s.cell("import sys, os\nprint(sys.executable, os.getuid())"), "/openhands/poetry/", " "+tt.wantedUID)
			s.act("write", map[string]any{"path": "/workspace/a.txt", "content": "one\ntwo"})
			contains(t, s.cell("open_file('/workspace/a.txt')"), "[File: /workspace/a.txt (2 lines total)]", "2|two")
			s.browses(page.URL)
			s.servesVSCode()
		})
	}
}

// browses looks at a page that has two colors in large areas.
func (s *server) browses(url string) {
	s.t.Helper()
	var obs observation
	for end := time.Now().Add(3 * time.Minute); ; {
		obs = s.act("browse", map[string]any{"url": url})
		// The browser starts after the server is ready.
		if obs.Observation != "error" || !strings.Contains(obs.Content, "not supported or disabled") || time.Now().After(end) {
			break
		}
		time.Sleep(time.Second)
	}
	if obs.Observation != "browse" || obs.Extras.Error || !strings.Contains(obs.Content, "Read by a browser") {
		s.t.Fatalf("browse: %s\n%s", obs.Observation, obs.Content)
	}
	screenshot(s.t, obs.Extras.Screenshot)
	contains(s.t, s.cell(fmt.Sprintf("import PIL.Image\nprint(PIL.Image.open(%q).format)", obs.Extras.ScreenshotPath)), "PNG")
}

// screenshot fails for an image that does not show the page of TestHostsCommand.
func screenshot(t *testing.T, dataURL string) {
	t.Helper()
	kind, data, _ := strings.Cut(dataURL, ",")
	if kind != "data:image/png;base64" {
		t.Fatalf("the screenshot is %.40q", dataURL)
	}
	img, err := png.Decode(base64.NewDecoder(base64.StdEncoding, strings.NewReader(data)))
	if err != nil {
		t.Fatalf("the screenshot: %v", err)
	}
	seen := map[color.RGBA]int{}
	for y := img.Bounds().Min.Y; y < img.Bounds().Max.Y; y++ {
		for x := img.Bounds().Min.X; x < img.Bounds().Max.X; x++ {
			seen[color.RGBAModel.Convert(img.At(x, y)).(color.RGBA)]++
		}
	}
	for _, want := range []color.RGBA{{0x12, 0x34, 0x56, 0xff}, {0xfe, 0xdc, 0xba, 0xff}, {0, 0, 0, 0xff}} {
		if seen[want] == 0 {
			t.Errorf("the screenshot of %v has no %v, but %d other colors", img.Bounds(), want, len(seen))
		}
	}
}

// servesVSCode opens the editor's page, as a browser does that has the token.
func (s *server) servesVSCode() {
	s.t.Helper()
	body, status, err := s.request(s.t.Context(), "GET", "/vscode/connection_token", nil)
	var answer struct{ Token string }
	if err != nil || status != 200 || json.Unmarshal(body, &answer) != nil || answer.Token == "" {
		s.t.Fatalf("the connection token: status %d, %v: %s", status, err, body)
	}
	for query, want := range map[string]int{"": 403, "?tkn=" + answer.Token: 200} {
		page, status := s.vscodePage(query)
		if status != want || want == 200 && !strings.Contains(page, "workbench") {
			s.t.Errorf("VS Code with %q: status %d, want %d: %.200s", query, status, want, page)
		}
	}
}

// vscodePage waits for the editor: the server does not.
func (s *server) vscodePage(query string) (string, int) {
	s.t.Helper()
	client := browserClient(s.t)
	for end := time.Now().Add(time.Minute); ; {
		body, status, err := fetch(client, fmt.Sprintf("http://127.0.0.1:%d/%s", s.vscode, query))
		if err == nil {
			return body, status
		}
		if time.Now().After(end) {
			s.t.Fatalf("VS Code does not answer: %v", err)
		}
		time.Sleep(200 * time.Millisecond)
	}
}
