package check

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain makes the test binary the programs of a fake image as well: what it
// does depends on the name that it is started by.
func TestMain(m *testing.M) {
	switch name := filepath.Base(os.Args[0]); name {
	case "good", "bash", "node":
		fmt.Println(name, "1.0")
	case "fussy":
		fmt.Fprintln(os.Stderr, "fussy: unknown option")
		os.Exit(2)
	case "crash":
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL) // Go would survive SIGSEGV
		time.Sleep(time.Minute)
	case "nolib", "chrome":
		fmt.Fprintln(os.Stderr, name+": error while loading shared libraries: libnss3.so: cannot open shared object file: No such file or directory")
		os.Exit(127)
	case "hang":
		time.Sleep(time.Minute)
	case "oh-check":
		os.Exit(Main(os.Args[1:]))
	case "daemons":
		daemons()
	case "fake-editor": // --host HOST --port PORT --connection-token TOKEN ...
		serve(os.Args[4], fakeEditor(os.Args[6]))
	case "fake-server":
		fakeServer(os.Args[1:])
	case "fake-agent-server":
		fakeAgentServer(os.Args[1:])
	default:
		os.Exit(m.Run())
	}
}

// newImage is an image without anything in it.
func newImage(t *testing.T) image {
	t.Helper()
	dir := t.TempDir()
	img := image{
		root: filepath.Join(dir, "openhands"), accounts: filepath.Join(dir, "passwd"), shell: "/bin/bash",
		env: []string{"PATH=/usr/bin:/bin"}, uid: 1000, temp: t.TempDir(), self: filepath.Join(dir, "self"),
		limit: 24 * time.Second,
	}
	return img
}

// script puts a shell script into an image.
func (i image) script(t *testing.T, name, text string) {
	t.Helper()
	i.file(t, name, "#!/bin/sh\n"+text+"\n")
}

func (i image) file(t *testing.T, name, text string) {
	t.Helper()
	p := i.path(name)
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

// elf puts the test binary into an image, under the name of what it is to do.
func (i image) elf(t *testing.T, name string) {
	t.Helper()
	p := i.path(name)
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err == nil {
		err = os.Symlink(self, p)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// want compares a row with what it should be; detail is a part of it.
func want(t *testing.T, got result, s state, detail string) {
	t.Helper()
	if got.state != s || !strings.Contains(got.detail, detail) {
		t.Errorf("got %s %q, want %s with %q\noutput: %s", got.state, got.detail, s, detail, got.output)
	}
}

// fakeServer answers like the action execution server. FAKE says what is wrong
// with it.
func fakeServer(args []string) {
	fake := os.Getenv("FAKE")
	fmt.Fprintln(os.Stderr, "starting", strings.Join(args, " "))
	if fake == "dies" {
		fmt.Fprintln(os.Stderr, "RuntimeError: Failed to create user")
		os.Exit(1)
	}
	port := args[slices.Index(args, actionModule)+1]
	start := time.Now()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /alive", func(w http.ResponseWriter, _ *http.Request) {
		status := "ok"
		if fake == "never" || time.Since(start) < 300*time.Millisecond {
			status = "not initialized"
		}
		answerJSON(w, 200, map[string]any{"status": status})
	})
	mux.HandleFunc("GET /vscode/connection_token", func(w http.ResponseWriter, _ *http.Request) {
		if slices.Contains(args, "vscode") && fake != "broken" {
			answerJSON(w, 200, map[string]any{"token": "5f1f3c1e"})
			return
		}
		answerJSON(w, 200, map[string]any{"token": nil})
	})
	tries := 0
	mux.HandleFunc("POST /execute_action", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Session-API-Key") != os.Getenv("KEY") {
			answerJSON(w, 403, map[string]any{"detail": "Invalid API Key"})
			return
		}
		var req struct {
			Action struct {
				Action string
				Args   map[string]string
			}
		}
		if err := json.NewDecoder(r.Body).Decode(&req); err != nil {
			answerJSON(w, 422, map[string]any{"detail": "Invalid request parameters", "errors": err.Error()})
			return
		}
		tries++
		status, obs := fakeAction(fake, req.Action.Action, req.Action.Args, tries)
		answerJSON(w, status, obs)
	})
	if p := os.Getenv("VSCODE_PORT"); p != "" {
		go serve(p, fakeEditor("5f1f3c1e"))
	}
	serve(port, mux)
}

func serve(port string, h http.Handler) {
	s := http.Server{Addr: "127.0.0.1:" + port, Handler: h, ReadHeaderTimeout: time.Minute}
	fmt.Fprintln(os.Stderr, s.ListenAndServe())
	os.Exit(1)
}

func answerJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// fakeEditor asks for a cookie, as the real one does.
func fakeEditor(token string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if tkn := r.URL.Query().Get("tkn"); tkn != "" {
			http.SetCookie(w, &http.Cookie{Name: "vscode-tkn", Value: tkn, MaxAge: 604800, SameSite: http.SameSiteLaxMode})
			w.Header().Set("Location", ".")
			w.WriteHeader(http.StatusFound)
			return
		}
		if c, err := r.Cookie("vscode-tkn"); err != nil || c.Value != token {
			http.Error(w, "Forbidden.", http.StatusForbidden)
			return
		}
		fmt.Fprint(w, `<!DOCTYPE html><body class="monaco-workbench">`)
	}
}

// fakeAction has the shapes of event_to_dict in openhands/events/serialization.
func fakeAction(fake, action string, args map[string]string, tries int) (int, any) {
	bad := fake == "broken"
	switch {
	case action == "run" && bad:
		return 200, map[string]any{"observation": "error", "message": "no server running", "content": "no server running on /tmp/tmux-1000/default", "extras": map[string]any{"error_id": ""}, "success": false}
	case action == "run" && args["command"] == "echo $((6*7)) && pwd":
		return 200, map[string]any{
			"timestamp": "2026-01-01T00:00:00", "source": "environment", "observation": "run",
			"message": "Command `echo` executed with exit code 0.", "content": "42\n/workspace", "success": true,
			"extras": map[string]any{"command": args["command"], "hidden": false, "metadata": map[string]any{
				"exit_code": 0, "pid": -1, "username": "openhands", "hostname": "x", "working_dir": "/workspace",
				"py_interpreter_path": "", "prefix": "", "suffix": "\n[The command completed with exit code 0.]",
			}},
		}
	case action == "run_ipython" && bad:
		return 500, map[string]any{"detail": "Internal server error: JupyterRequirement not found. Unable to run IPython action."}
	case action == "run_ipython" && args["code"] == "print(6*7)":
		return 200, map[string]any{
			"observation": "run_ipython", "message": "Code executed in IPython cell.",
			"content": "42\n[Jupyter current working directory: /workspace]\n[Jupyter Python interpreter: /openhands/python/bin/python3]",
			"extras":  map[string]any{"code": args["code"], "image_urls": nil}, "success": true,
		}
	case action == "browse" && tries < 4: // the third action, when all is well
		return 200, map[string]any{"observation": "error", "content": "Browser functionality is not supported or disabled.", "extras": map[string]any{"error_id": ""}}
	case action == "browse" && bad:
		text := "[Current URL: ]\n================ BEGIN error message ===============\nThe following error occurred when trying to visit the URL:\nError: Page.goto: net::ERR_CONNECTION_REFUSED\n"
		return 200, map[string]any{"observation": "browse", "content": text, "extras": map[string]any{"error": true}}
	case action == "browse":
		return 200, map[string]any{"observation": "browse", "content": "[Current URL: " + args["url"] + "]\n" + fetch(args["url"]), "extras": map[string]any{"error": false, "screenshot": "data:image/png;base64,AAAA"}}
	}
	return 500, map[string]any{"detail": "Internal server error: unexpected action " + action}
}

func fetch(url string) string {
	r, err := http.Get(url)
	if err != nil {
		return err.Error()
	}
	defer r.Body.Close()
	b, _ := io.ReadAll(r.Body)
	return string(b)
}

// daemons is a program of its own because it ends all children that it has.
func daemons() {
	sweep := adoptOrphans()
	// The shell in the middle ends at once; sleep has a session of its own.
	cmd := exec.Command("/bin/sh", "-c", "setsid sleep 60 </dev/null >/dev/null 2>&1 & echo $!")
	out, err := cmd.Output()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	time.Sleep(50 * time.Millisecond)
	fmt.Println("before", len(children()))
	sweep()
	fmt.Println("after", len(children()))
	fmt.Print(string(out))
}
