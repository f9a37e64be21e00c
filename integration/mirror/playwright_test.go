package mirror_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/openhands/llb-frontend/integration/engine"
	"github.com/openhands/llb-frontend/integration/mirror"
)

// PyPI's own playwright installs its browser from the mirror.
func TestPlaywrightInstall(t *testing.T) {
	amd64(t)
	m := parts(t, mirror.Playwright)
	packages := playwrightPackages(t, m)
	browsers := t.TempDir()
	cmd := exec.CommandContext(t.Context(), packages+"/bin/playwright", "install", "chromium")
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "PYTHONPATH=" + packages,
		"PLAYWRIGHT_DOWNLOAD_HOST=" + m.Addresses()["playwright"], "PLAYWRIGHT_BROWSERS_PATH=" + browsers,
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("playwright install: %v\n%s", err, out)
	}
	for _, program := range []string{
		"chromium-*/chrome-linux/chrome", "chromium_headless_shell-*/chrome-linux/headless_shell", "ffmpeg-*/ffmpeg-linux",
	} {
		found, err := filepath.Glob(filepath.Join(browsers, program))
		if err != nil || len(found) != 1 {
			t.Errorf("%s is not there: %q, %v", program, found, err)
			continue
		}
		info, err := os.Stat(found[0])
		if err != nil || info.Mode().Perm()&0o111 == 0 {
			t.Errorf("%s cannot be executed: %v, %v", program, info.Mode(), err)
		}
		if strings.HasSuffix(program, "ffmpeg-linux") && !strings.Contains(output(t, found[0], "-version"), "ffmpeg version") {
			t.Error("ffmpeg does not run")
		}
	}
}

// playwrightPackages is a directory with PyPI's playwright in it.
func playwrightPackages(t *testing.T, m *engine.Mirror) string {
	t.Helper()
	e, err := engine.Open(engine.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.NeedPrograms(t.Context(), "pip3"); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "pip3", "install", "--quiet", "--target", dir, "playwright=="+m.Versions.Playwright)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, out)
	}
	return dir
}
