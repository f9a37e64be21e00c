package main

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/openhands/llb-frontend/integration/engine"
	"github.com/openhands/llb-frontend/integration/mirror"
)

// laterVSCode is what the second build changes to. In the mirror the two differ
// in what they say of their version alone, so nothing else but the archive is another.
const laterVSCode = "1.109.4"

// poetryVersion is that of our image.
const poetryVersion = "2.5.1"

// ours is examples/server.
func (b *bench) ours(ctx context.Context) (*subject, error) {
	s := &subject{name: "frontend", image: fmt.Sprintf("bench/frontend-%d:latest", os.Getpid())}
	specs := map[change]string{
		nothing:     "server: action-execution-server\n",
		otherVSCode: "server: action-execution-server\ndeps: {vscode: \"" + laterVSCode + "\"}\n",
		sameCode:    "server: {name: action-execution-server, source: checkout}\n",
		otherCode:   "server: {name: action-execution-server, source: checkout}\n",
	}
	s.options = func(c change) (engine.BuildOptions, error) {
		file := filepath.Join(b.specs, fmt.Sprintf("%d.yaml", c))
		spec := "# syntax=" + engine.FrontendImage + "\nbase_image: " + base + "\n" + specs[c]
		return engine.BuildOptions{Spec: file, Args: []string{"--build-context", "checkout=" + b.checkout}},
			os.WriteFile(file, []byte(spec), 0o644)
	}
	s.built = func(ctx context.Context) error { return b.takeCode(ctx, s.image) }
	if err := os.Mkdir(b.checkout, 0o755); err != nil { // so that a context is there
		return nil, err
	}
	// What the local mirror has to make first is no part of a build.
	for _, c := range []change{nothing, otherVSCode} {
		spec := []byte("base_image: " + base + "\n" + specs[c])
		if _, err := b.WithMirrors(ctx, spec); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// peer is the proof of concept's Dockerfile, see peer/Dockerfile.
func (b *bench) peer(ctx context.Context) (*subject, error) {
	s := &subject{name: "proof of concept", image: fmt.Sprintf("bench/peer-%d:latest", os.Getpid())}
	m, err := b.Mirror(ctx, mirror.Node, mirror.VSCode, mirror.Playwright, mirror.Python)
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(b.Repo(), "integration", "bench", "peer")
	s.options = func(c change) (engine.BuildOptions, error) {
		program, err := os.ReadFile(filepath.Join(dir, "micromamba"))
		if err != nil {
			return engine.BuildOptions{}, err
		}
		vscode := m.Versions.VSCode
		if c == otherVSCode {
			vscode = laterVSCode
		}
		var args []string
		for key, value := range map[string]string{
			"NODE_ARCHIVE":             m.URL + "/" + m.Versions.NodeArchive("amd64"),
			"PYTHON_ARCHIVE":           m.URL + "/" + m.Versions.PythonArchive("amd64"),
			"PLAYWRIGHT_DOWNLOAD_HOST": m.URL + "/playwright",
			"RELEASES":                 m.URL + "/github/gitpod-io/openvscode-server/releases/download",
			"RELEASE_TAG":              "openvscode-server-v" + vscode,
			"POETRY_VERSION":           poetryVersion,
		} {
			args = append(args, "--build-arg", key+"="+value)
		}
		return engine.BuildOptions{Spec: filepath.Join(dir, "Dockerfile"), Context: b.checkout, Args: args},
			os.WriteFile(filepath.Join(b.checkout, "micromamba"), program, 0o755)
	}
	return s, nil
}

// takeCode copies the server's code out of an image: both sides run the same.
func (b *bench) takeCode(ctx context.Context, image string) error {
	res, err := b.Run(ctx, engine.RunOptions{
		Image: image, Entrypoint: []string{},
		Args: []string{"tar", "-C", "/openhands/code", "--exclude=__pycache__", "-cf", "-", "."},
	})
	if err != nil {
		return err
	}
	if res.ExitCode != 0 {
		return fmt.Errorf("tar ends with %d: %s", res.ExitCode, res.Stderr)
	}
	return untar(bytes.NewReader([]byte(res.Stdout)), b.checkout)
}

// untar writes the directories and files of an archive.
func untar(r io.Reader, dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for tr := tar.NewReader(r); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(filepath.Clean("/"+h.Name), "/")
		switch {
		case name == "":
		case h.Typeflag == tar.TypeDir:
			err = root.MkdirAll(name, 0o755)
		case h.Typeflag == tar.TypeReg:
			var content []byte
			if content, err = io.ReadAll(tr); err == nil {
				err = root.WriteFile(name, content, 0o644)
			}
		}
		if err != nil {
			return err
		}
	}
}
