package mirror

import (
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
)

// npm's package code-server holds the server of VS Code itself in lib/vscode,
// built from Microsoft's source with coder's patches. It runs by itself, with
// VS Code's own flags; coder's wrapper is left out. Of
// whatever version an archive has the name, it holds VS Code 1.99.3, and its
// package.json and --version say so.
const (
	codeServer     = "4.99.4"
	codeServerNode = "20.20.2" // what that release wants
	ripgrepVersion = "1.18.0"  // of npm's @vscode/ripgrep-linux-*
)

// nativeModules are compiled. Of the other modules with native code @parcel/
// watcher and ripgrep come as packages with programs in them, those for Windows
// are of no use, and kerberos is for proxies that want it: VS Code does without.
var nativeModules = []string{"@vscode/spdlog", "native-watchdog", "node-pty"}

// VSCodeArchive is the path of an archive below the mirror's root.
func (v Versions) VSCodeArchive(goarch string) string {
	return path.Join("github/gitpod-io/openvscode-server/releases/download",
		"openvscode-server-v"+v.VSCode, vscodeTop(v.VSCode, goarch)+".tar.gz")
}

func vscodeTop(version, goarch string) string {
	return "openvscode-server-v" + version + "-linux-" + archOf(goarch).node
}

func (w *work) vscode(ctx context.Context) error {
	if done, err := w.vscodeRenamed(ctx); done || err != nil {
		return err
	}
	programs := []string{"python3", "make"}
	for _, a := range archs() {
		programs = append(programs, a.gnu+"-linux-gnu-g++")
	}
	if err := w.NeedPrograms(ctx, programs...); err != nil {
		return err
	}
	tree, err := w.vscodeModules(ctx)
	if err != nil {
		return err
	}
	for _, a := range archs() {
		dir := w.path(a.name)
		if err := w.run(ctx, w.dir, nil, "cp", "-a", tree, dir); err != nil {
			return err
		}
		if err := w.vscodeNative(ctx, a, dir); err != nil {
			return err
		}
		if err := prune(dir); err != nil {
			return err
		}
		if err := w.putVSCode(a, dir); err != nil {
			return err
		}
	}
	return nil
}

// putVSCode puts an archive into the mirror. It says its version inside, too, as
// releases do: those of two versions never hold the same files.
func (w *work) putVSCode(a arch, dir string) error {
	if err := os.WriteFile(filepath.Join(dir, "RELEASE"), []byte(w.Versions.VSCode+"\n"), 0o644); err != nil {
		return err
	}
	return w.putTarGz(w.Versions.VSCodeArchive(a.name), vscodeTop(w.Versions.VSCode, a.name), dir)
}

// vscodeRenamed takes what an archive of another version holds: but for the version
// it is the same, and compiling it takes minutes.
func (w *work) vscodeRenamed(ctx context.Context) (done bool, err error) {
	records, err := filepath.Glob(filepath.Join(w.Dir, "records", VSCode+"-*-"+recipeVersion+".json"))
	if err != nil || len(records) == 0 {
		return false, err
	}
	name := strings.TrimSuffix(filepath.Base(records[0]), "-"+recipeVersion+".json")
	other := Versions{VSCode: strings.TrimPrefix(name, VSCode+"-")}
	for _, a := range archs() {
		archive := filepath.Join(w.Files(), other.VSCodeArchive(a.name))
		dir := w.path("renamed-" + a.name)
		if err := os.Mkdir(dir, 0o755); err != nil {
			return false, err
		}
		if err := w.run(ctx, dir, nil, "tar", "-xzf", archive, "--strip-components=1"); err != nil {
			return false, err
		}
		if err := w.putVSCode(a, dir); err != nil {
			return false, err
		}
	}
	return true, nil
}

// vscodeModules is the server with its modules of npm, without what depends on
// the architecture.
func (w *work) vscodeModules(ctx context.Context) (string, error) {
	if err := w.npm(ctx, "code-server@"+codeServer, w.path("code-server")); err != nil {
		return "", err
	}
	if err := w.npm(ctx, "npm@"+npmVersion, w.path("npm")); err != nil {
		return "", err
	}
	for _, a := range archs() {
		if err := w.nodeTree(ctx, codeServerNode, a, w.path("node-"+a.name)); err != nil {
			return "", err
		}
	}
	tree := w.path("code-server", "lib", "vscode")
	for _, dir := range []string{tree, filepath.Join(tree, "extensions")} {
		// No install script: one of them downloads from elsewhere.
		err := w.nodeRun(ctx, dir, nil, w.path("npm", "bin", "npm-cli.js"), "install",
			"--ignore-scripts", "--omit=dev", "--omit=optional", "--no-audit", "--no-fund")
		if err != nil {
			return "", err
		}
	}
	if err := w.nodeRun(ctx, filepath.Join(tree, "extensions"), nil, "postinstall.mjs"); err != nil {
		return "", err
	}
	if err := os.Symlink("node_modules", filepath.Join(tree, "node_modules.asar")); err != nil {
		return "", err // as the package's postinstall.sh does
	}
	for _, name := range []string{"LICENSE", "ThirdPartyNotices.txt"} {
		if err := os.Rename(w.path("code-server", name), filepath.Join(tree, name)); err != nil {
			return "", err
		}
	}
	return tree, vscodeNames(tree)
}

// nodeRun runs a script with the node that the server wants.
func (w *work) nodeRun(ctx context.Context, dir string, env []string, args ...string) error {
	bin := w.path("node-"+runtime.GOARCH, "bin")
	env = append(env, "PATH="+bin+":"+os.Getenv("PATH"))
	return w.run(ctx, dir, env, filepath.Join(bin, "node"), args...)
}

// vscodeNative adds what is made for an architecture.
func (w *work) vscodeNative(ctx context.Context, a arch, dir string) error {
	modules := filepath.Join(dir, "node_modules")
	for pkg, place := range map[string]string{
		"@vscode/ripgrep-linux-" + a.node + "@" + ripgrepVersion: "@vscode/ripgrep-linux",
		"@parcel/watcher-linux-" + a.node + "-glibc@2.5.1":       "@parcel/watcher-linux-" + a.node + "-glibc",
	} {
		if err := w.npm(ctx, pkg, filepath.Join(modules, place)); err != nil {
			return err
		}
	}
	// Where the module's install script would put its download.
	if err := os.Rename(filepath.Join(modules, "@vscode/ripgrep-linux/bin"), filepath.Join(modules, "@vscode/ripgrep/bin")); err != nil {
		return err
	}
	if err := os.RemoveAll(filepath.Join(modules, "@vscode/ripgrep-linux")); err != nil {
		return err
	}
	env := []string{"CC=" + a.gnu + "-linux-gnu-gcc", "CXX=" + a.gnu + "-linux-gnu-g++"}
	for _, module := range nativeModules {
		err := w.nodeRun(ctx, filepath.Join(modules, module), env, w.path("npm", "node_modules", "node-gyp", "bin", "node-gyp.js"),
			"rebuild", "--jobs=2", "--arch="+a.node, "--nodedir="+w.path("node-"+a.name))
		if err != nil {
			return err
		}
	}
	return w.run(ctx, w.dir, nil, "cp", "-a", w.path("node-"+a.name, "bin", "node"), filepath.Join(dir, "node"))
}

// vscodeNames gives the programs the names and places of openvscode-server. The
// scripts are VS Code's own.
func vscodeNames(tree string) error {
	bin := filepath.Join(tree, "bin")
	if err := os.Rename(filepath.Join(bin, "code-server-oss"), filepath.Join(bin, "openvscode-server")); err != nil {
		return err
	}
	for from, to := range map[string]string{
		"remote-cli/code-linux.sh": "remote-cli/openvscode-server",
		"helpers/browser-linux.sh": "helpers/browser.sh",
	} {
		script, err := os.ReadFile(filepath.Join(bin, from))
		if err != nil {
			return err
		}
		text := strings.NewReplacer(`"${NODE_EXEC_PATH:-$ROOT/lib/node}"`, `"$VSROOT/node"`, `"code-server"`, `"openvscode-server"`).Replace(string(script))
		if err := os.WriteFile(filepath.Join(bin, to), []byte(text), 0o755); err != nil {
			return err
		}
	}
	for _, unused := range []string{
		"remote-cli/code-linux.sh", "remote-cli/code-darwin.sh", "remote-cli/code.cmd",
		"helpers/browser-linux.sh", "helpers/browser-darwin.sh", "helpers/browser.cmd",
	} {
		if err := os.Remove(filepath.Join(bin, unused)); err != nil {
			return err
		}
	}
	return vscodeProduct(filepath.Join(tree, "product.json"))
}

// vscodeProduct gives the server the name and the directory in a home that
// openvscode-server has.
func vscodeProduct(file string) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	product := map[string]any{}
	if err := json.Unmarshal(b, &product); err != nil {
		return err
	}
	for key, value := range map[string]string{
		"nameShort": "OpenVSCode Server", "nameLong": "OpenVSCode Server",
		"applicationName": "openvscode-server", "dataFolderName": ".openvscode-server",
		"serverApplicationName": "openvscode-server", "serverDataFolderName": ".openvscode-server",
	} {
		product[key] = value
	}
	if b, err = json.MarshalIndent(product, "", "  "); err != nil {
		return err
	}
	return os.WriteFile(file, b, 0o644)
}

// prune removes source maps, what compiling needed and left behind, and what
// npm wrote about where it had the modules from.
func prune(dir string) error {
	for _, module := range nativeModules {
		for _, unused := range []string{
			"src", "deps", "third_party", "build/Release/obj.target", "build/Release/.deps", "build/Makefile", "build/config.gypi",
		} {
			if err := os.RemoveAll(filepath.Join(dir, "node_modules", module, unused)); err != nil {
				return err
			}
		}
	}
	return filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name := d.Name()
		switch {
		case strings.HasSuffix(name, ".map"), strings.HasSuffix(name, ".mk"), name == "binding.Makefile",
			name == ".package-lock.json", name == "npm-shrinkwrap.json", name == "package-lock.json":
			return os.Remove(file)
		}
		return nil
	})
}
