package check

import (
	"context"
	"path/filepath"
	"strings"
)

// chromium runs a script in a page, which also tells the width of a word:
// without fonts it is 0. The sandbox is off, as in servers: images run without
// the privileges that it needs.
func (i image) chromium(ctx context.Context) result {
	p := i.onPath("chromium")
	if p == "" {
		p = i.program("chromium")
	}
	if p == "" {
		return missing("no chromium on PATH")
	}
	const page = `data:text/html,<p id=x>unset</p><span id=y>word</span><script>` +
		`document.getElementById("x").textContent=6*7+" "+(document.getElementById("y").offsetWidth>0)</script>`
	o := i.run(ctx, i.limit, command{
		args: []string{
			p, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
			"--user-data-dir=" + filepath.Join(i.temp, "chromium"), "--dump-dom", page,
		},
		dir: i.temp,
	})
	if text := o.problem(); text != "" {
		return broken(remedyFor(text), o.output(), "%s", text)
	}
	if strings.Contains(o.stdout, ">42 false</p>") {
		return broken("look for FONTCONFIG_FILE in the browser's launcher, and for the fonts that it names",
			o.output(), "finds no fonts: pages have no text")
	}
	if !strings.Contains(o.stdout, ">42 true</p>") {
		return broken("start it by hand with --headless --no-sandbox --dump-dom and --enable-logging=stderr",
			o.output(), "starts, but runs no JavaScript")
	}
	return works("%s runs JavaScript and has fonts", p)
}

// playwright looks for the layout that servers' libraries look for.
func (i image) playwright(context.Context) result {
	dir := i.getenv("PLAYWRIGHT_BROWSERS_PATH")
	if dir == "" {
		return missing("PLAYWRIGHT_BROWSERS_PATH is not set")
	}
	var names []string
	for _, d := range i.browsers() {
		names = append(names, filepath.Base(d))
	}
	for _, name := range names {
		if strings.HasPrefix(name, "chromium-") {
			return works("%s in %s", strings.Join(names, " "), dir)
		}
	}
	return broken("playwright looks for its own revision there: link chromium-REVISION to the browser, or unset the variable",
		strings.Join(names, "\n"), "no chromium-* in %s", dir)
}
