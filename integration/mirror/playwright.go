package mirror

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
)

// ffmpegVersion is that of PyPI's imageio-ffmpeg, which brings a static ffmpeg
// as Playwright's own is one.
const ffmpegVersion = "0.6.0"

// playwright makes what "playwright install chromium" downloads, for amd64. The
// browser is Debian's, so its version is not the one that Playwright was tested
// with, and it needs libraries that Debian has as packages of their own.
func (w *work) playwright(ctx context.Context) error {
	a := archOf("amd64")
	revisions, err := w.playwrightRevisions(ctx, a)
	if err != nil {
		return err
	}
	debian := w.path("debian")
	if err := w.debs(ctx, "trixie", a, debian, "chromium", "chromium-headless-shell", "chromium-common"); err != nil {
		return err
	}
	for _, zip := range []struct{ browser, archive, binary, program, other string }{
		{"chromium", "chromium-linux.zip", "chromium", "chrome", "chromium-headless-shell"},
		{"chromium-headless-shell", "chromium-headless-shell-linux.zip", "chromium-headless-shell", "headless_shell", "chromium"},
	} {
		place := filepath.Join(w.path(zip.browser), "chrome-linux")
		if err := os.MkdirAll(filepath.Dir(place), 0o755); err != nil {
			return err
		}
		if err := w.run(ctx, w.dir, nil, "cp", "-a", filepath.Join(debian, "usr/lib/chromium"), place); err != nil {
			return err
		}
		if err := os.Remove(filepath.Join(place, zip.other)); err != nil {
			return err
		}
		if err := os.Rename(filepath.Join(place, zip.binary), filepath.Join(place, zip.program)); err != nil {
			return err
		}
		if err := w.putZip(path.Join("playwright/builds/chromium", revisions[zip.browser], zip.archive), w.path(zip.browser)); err != nil {
			return err
		}
	}
	if err := w.ffmpeg(ctx, a, w.path("ffmpeg")); err != nil {
		return err
	}
	return w.putZip(path.Join("playwright/builds/ffmpeg", revisions["ffmpeg"], "ffmpeg-linux.zip"), w.path("ffmpeg"))
}

// playwrightRevisions reads in Playwright itself which builds it asks for.
func (w *work) playwrightRevisions(ctx context.Context, a arch) (map[string]string, error) {
	wheel := w.path("wheel")
	if err := w.wheel(ctx, "playwright=="+w.Versions.Playwright, a, wheel); err != nil {
		return nil, err
	}
	b, err := os.ReadFile(filepath.Join(wheel, "playwright/driver/package/browsers.json"))
	if err != nil {
		return nil, err
	}
	var list struct {
		Browsers []struct{ Name, Revision string }
	}
	if err := json.Unmarshal(b, &list); err != nil {
		return nil, err
	}
	revisions := map[string]string{}
	for _, browser := range list.Browsers {
		revisions[browser.Name] = browser.Revision
	}
	for _, name := range []string{"chromium", "chromium-headless-shell", "ffmpeg"} {
		if revisions[name] == "" {
			return nil, fmt.Errorf("playwright %s has no %s", w.Versions.Playwright, name)
		}
	}
	return revisions, nil
}

func (w *work) ffmpeg(ctx context.Context, a arch, dir string) error {
	wheel := w.path("imageio")
	if err := w.wheel(ctx, "imageio-ffmpeg=="+ffmpegVersion, a, wheel); err != nil {
		return err
	}
	programs, err := filepath.Glob(filepath.Join(wheel, "imageio_ffmpeg/binaries/ffmpeg-linux-*"))
	if err != nil || len(programs) != 1 {
		return fmt.Errorf("imageio-ffmpeg has %q, want one program: %w", programs, err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := os.Chmod(programs[0], 0o755); err != nil {
		return err
	}
	return os.Rename(programs[0], filepath.Join(dir, "ffmpeg-linux"))
}
