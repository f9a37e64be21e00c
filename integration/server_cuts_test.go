package integration

import (
	"strings"
	"testing"

	"github.com/openhands/llb-frontend/integration/engine"
)

// What no runtime needs is not there (docs/components.md has the list), and what
// stands near the cuts works. That the server does, others test with the same
// deps image.
func TestCuts(t *testing.T) {
	image := serverImage(t, "base_image: alpine:3.22\n")
	sh := func(t *testing.T, script string) string {
		t.Helper()
		return run(t, engine.RunOptions{Image: image, Args: []string{"bash", "-c", script}})
	}
	t.Run("left out", func(t *testing.T) {
		for what, test := range map[string]string{
			"drivers and their compiler": `\( -name 'libLLVM*' -o -name 'libgallium*' -o -name '*_dri.so' -o -name 'libvulkan_*' -o -name '*VkLayer*' \)`,
			"static libraries":           `-name '*.a'`,
			"headers of Python":          `-path '*/include/*' -name Python.h`,
			"source maps":                `-name '*.map'`,
			"programs for Windows":       `\( -name '*.exe' -o -path '*/@vscode/windows-*' \)`,
			"manuals":                    `-path '*/man/man[1-9]/*'`,
			"tests of pandas":            `-path '*/site-packages/pandas/tests/*'`,
			"a second browser":           `-path '*/chromium-*/*' -type f ! -name INSTALLATION_COMPLETE`,
		} {
			if found := sh(t, "find /openhands "+test+" | head -5"); found != "" {
				t.Errorf("%s:\n%s", what, found)
			}
		}
	})
	t.Run("Python", func(t *testing.T) {
		contains(t, sh(t, `exec "$OH_INTERPRETER_PATH" -c "import numpy.testing, pandas.testing, libtmux.test, matplotlib.pyplot, jupyterlab; print('imported')"`), "imported")
	})
	// Playwright runs on our node, and takes the headless shell under both names.
	t.Run("Playwright", func(t *testing.T) {
		const drive = `
import os
from playwright.sync_api import sync_playwright
with sync_playwright() as p:
    for options in {}, {"channel": "chromium"}:
        browser = p.chromium.launch(args=["--no-sandbox"], **options)
        context = browser.new_context(record_video_dir="/tmp/video")
        page = context.new_page()
        page.goto("data:text/html,<title>a page</title>")
        print(page.title(), options)
        video = page.video.path()
        context.close()
        print("video", os.path.getsize(video) > 0)
        browser.close()
`
		out := sh(t, "\"$OH_INTERPRETER_PATH\" -c '"+drive+"' && readlink \"$(dirname \"$OH_INTERPRETER_PATH\")\"/../lib/python3.*/site-packages/playwright/driver/node")
		contains(t, out, "a page {}", "a page {'channel': 'chromium'}", "/openhands/node/bin/node")
		if n := strings.Count(out, "video True"); n != 2 {
			t.Errorf("%d videos of 2\n%s", n, out)
		}
	})
	// By SwiftShader: there is no GPU's driver.
	t.Run("WebGL", func(t *testing.T) {
		const page = `data:text/html,<p id=x></p><canvas id=c width=4 height=4></canvas><script>` +
			`g=document.getElementById("c").getContext("webgl"); g.clearColor(0,1,0,1); g.clear(g.COLOR_BUFFER_BIT);` +
			`p=new Uint8Array(4); g.readPixels(0,0,1,1,g.RGBA,g.UNSIGNED_BYTE,p); document.getElementById("x").textContent=p.join()</script>`
		contains(t, run(t, engine.RunOptions{Image: image, Args: []string{"chromium", "--headless", "--enable-unsafe-swiftshader", "--dump-dom", page}}), ">0,255,0,255</p>")
	})
}
