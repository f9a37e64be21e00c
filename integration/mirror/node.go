package mirror

import (
	"context"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
)

// npmVersion is the npm that comes with node. Node.js 24 ships npm 11.
const npmVersion = "11.21.2"

// NodeArchive is the path of an archive below the mirror's root.
func (v Versions) NodeArchive(goarch string) string {
	return path.Join("node", "v"+v.Node, nodeTop(v.Node, goarch)+".tar.gz")
}

// nodeTop is the directory that an archive of nodejs.org holds.
func nodeTop(version, goarch string) string {
	return "node-v" + version + "-linux-" + archOf(goarch).node
}

// node makes the archives of nodejs.org. npm's packages node-linux-* are their
// files less npm, which is a package of its own. Corepack is left out.
func (w *work) node(ctx context.Context) error {
	npm := w.path("npm")
	if err := w.npm(ctx, "npm@"+npmVersion, npm); err != nil {
		return err
	}
	for _, a := range archs() {
		dir := w.path(a.name)
		if err := w.nodeTree(ctx, w.Versions.Node, a, dir); err != nil {
			return err
		}
		modules := filepath.Join(dir, "lib", "node_modules")
		if err := os.MkdirAll(modules, 0o755); err != nil {
			return err
		}
		if err := w.run(ctx, w.dir, nil, "cp", "-a", npm, modules); err != nil {
			return err
		}
		for _, program := range []string{"npm", "npx"} {
			if err := os.Symlink("../lib/node_modules/npm/bin/"+program+"-cli.js", filepath.Join(dir, "bin", program)); err != nil {
				return err
			}
		}
		if err := w.putTarGz(w.Versions.NodeArchive(a.name), nodeTop(w.Versions.Node, a.name), dir); err != nil {
			return err
		}
	}
	return w.put(path.Join("node", "v"+w.Versions.Node, "SHASUMS256.txt"), func(out io.Writer) error {
		for _, a := range archs() {
			archive := w.Versions.NodeArchive(a.name)
			if _, err := fmt.Fprintf(out, "%s  %s\n", w.content[archive][len("sha256:"):], path.Base(archive)); err != nil {
				return err
			}
		}
		return nil
	})
}

// nodeTree puts bin/node, its headers and manual at dir.
func (w *work) nodeTree(ctx context.Context, version string, a arch, dir string) error {
	if err := w.npm(ctx, "node-linux-"+a.node+"@"+version, dir); err != nil {
		return err
	}
	return os.Remove(filepath.Join(dir, "package.json"))
}
