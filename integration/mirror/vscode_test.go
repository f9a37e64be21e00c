package mirror_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/openhands/llb-frontend/integration/mirror"
)

func TestVSCode(t *testing.T) {
	m := parts(t, mirror.VSCode)
	for goarch, name := range map[string]string{"amd64": "x64", "arm64": "arm64"} {
		wantEntries(t, get(t, m, m.Versions.VSCodeArchive(goarch)), "openvscode-server-v"+m.Versions.VSCode+"-linux-"+name+"/", map[string]string{
			"node":                                "-rwxr-xr-x",
			"bin/openvscode-server":               "-rwxr-xr-x",
			"bin/remote-cli/openvscode-server":    "-rwxr-xr-x",
			"bin/helpers/browser.sh":              "-rwxr-xr-x",
			"out/server-main.js":                  "-rw-r--r--",
			"out/server-cli.js":                   "-rw-r--r--",
			"extensions/git/package.json":         "-rw-r--r--",
			"product.json":                        "-rw-r--r--",
			"node_modules/@vscode/ripgrep/bin/rg": "-rwxr-xr-x",
			"node_modules/@vscode/spdlog/build/Release/spdlog.node":              "-rwxr-xr-x",
			"node_modules/native-watchdog/build/Release/watchdog.node":           "-rwxr-xr-x",
			"node_modules/node-pty/build/Release/pty.node":                       "-rwxr-xr-x",
			"node_modules/@parcel/watcher-linux-" + name + "-glibc/watcher.node": "-rw-r--r--",
		})
	}
}

// A token opens the workbench, and nothing else does.
func TestVSCodeServes(t *testing.T) {
	amd64(t)
	m := parts(t, mirror.VSCode)
	root := filepath.Join(unpack(t, get(t, m, m.Versions.VSCodeArchive("amd64"))), "openvscode-server-v"+m.Versions.VSCode+"-linux-x64")
	_, port, err := net.SplitHostPort(freeAddress(t))
	if err != nil {
		t.Fatal(err)
	}
	startVSCode(t, root, "--host", "0.0.0.0", "--port", port, "--connection-token", "T", "--disable-workspace-trust")
	url := "http://127.0.0.1:" + port + "/"
	if status, _ := browse(t, url); status != http.StatusForbidden {
		t.Errorf("without a token: status %d", status)
	}
	status, page := browse(t, url+"?tkn=T")
	if status != http.StatusOK || !strings.Contains(page, "vscode-workbench-web-configuration") {
		t.Errorf("with a token: status %d\n%s", status, page)
	}
	for _, module := range []string{"@vscode/spdlog", "native-watchdog", "node-pty", "@parcel/watcher"} {
		output(t, root+"/node", "-e", "require('"+root+"/node_modules/"+module+"')")
	}
	if got := output(t, root+"/node_modules/@vscode/ripgrep/bin/rg", "--version"); !strings.HasPrefix(got, "ripgrep ") {
		t.Errorf("rg --version says %q", got)
	}
}

// startVSCode starts the server, waits until it says where it is, and stops it
// with the test.
func startVSCode(t *testing.T, root string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), root+"/bin/openvscode-server", args...)
	cmd.Env = []string{"PATH=/usr/bin:/bin", "HOME=" + t.TempDir()}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // the script has children
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
	})
	var log strings.Builder
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		log.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), "available at") {
			go func() { _, _ = io.Copy(io.Discard, stdout) }()
			return
		}
	}
	t.Fatalf("the server ends and says\n%s", log.String())
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// browse gets a page as a browser does, which keeps the cookie with the token.
func browse(t *testing.T, url string) (int, string) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := (&http.Client{Jar: jar}).Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}
