package engine

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// distrolessLayer holds one static program and nothing else, not even
// /etc/passwd.
var distrolessLayer = layerRecipe{key: "distroless", make: func(ctx context.Context, e *Engine, arch string) (tree, error) {
	program, err := e.staticProgram(ctx, "base-program", arch)
	if err != nil {
		return nil, err
	}
	t := tree{}
	t.file("bin/base-program", 0o755, program)
	t.dir("tmp", 0o1777)
	return t, nil
}}

// nodeLayer gives the user id 1000 to "node", and a program in the place where
// the images of node have theirs.
var nodeLayer = layerRecipe{key: "node-user", make: func(_ context.Context, e *Engine, arch string) (tree, error) {
	accounts, err := e.accountsOf(debianLayer("trixie"), arch)
	if err != nil {
		return nil, err
	}
	t := tree{}
	t.file("etc/passwd", 0o644, accounts["etc/passwd"]+"node:x:1000:1000::/home/node:/bin/bash\n")
	t.file("etc/group", 0o644, accounts["etc/group"]+"node:x:1000:\n")
	t.dir("home/node", 0o755).owned(1000, 1000)
	t.file("home/node/.profile", 0o644, "# node's own\n").owned(1000, 1000)
	t.file("usr/local/bin/docker-entrypoint.sh", 0o755, "#!/bin/sh\nset -e\nexec \"$@\"\n")
	t.file("usr/local/bin/node", 0o755, "#!/bin/sh\necho v22.0.0\n")
	return t, nil
}}

// symlinksLayer turns /home into a symlink. /bin is one in every merged-usr
// Debian.
var symlinksLayer = layerRecipe{key: "symlinks", make: func(context.Context, *Engine, string) (tree, error) {
	t := tree{}
	t.symlink("home", "/srv/home")
	t.dir("srv/home", 0o755)
	return t, nil
}}

// accountsOf reads /etc/passwd and /etc/group of a cached layer.
func (e *Engine) accountsOf(lr layerRecipe, arch string) (map[string]string, error) {
	texts := map[string]string{"etc/passwd": "", "etc/group": ""}
	t, err := e.cachedLayer(lr, arch, func(name string) bool { _, want := texts[name]; return want })
	if err != nil {
		return nil, err
	}
	for name := range texts {
		if texts[name], err = t.text(name); err != nil {
			return nil, err
		}
	}
	return texts, nil
}

// cachedLayer reads the entries that keep accepts from a layer that was made
// before, such as the one below in the same image.
func (e *Engine) cachedLayer(lr layerRecipe, arch string, keep func(name string) bool) (tree, error) {
	f, err := os.Open(e.path("images", recipeVersion, lr.key+"-"+arch+".tar.gz"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	t := tree{}
	return t, t.readTarGz(f, keep)
}

func makeGoLayer(ctx context.Context, _ *Engine, arch string) (tree, error) {
	if arch != runtime.GOARCH {
		return nil, fmt.Errorf("this machine's go is for %s, not %s", runtime.GOARCH, arch)
	}
	goroot, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return nil, fmt.Errorf("go env GOROOT: %w", err)
	}
	t := tree{}
	if err := t.readDir("usr/local/go", strings.TrimSpace(string(goroot)), skipOfGo); err != nil {
		return nil, err
	}
	t.dir("go/bin", 0o1777)
	t.dir("go/src", 0o1777)
	return t, nil
}
