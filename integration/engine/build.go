package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// SpecFile is the spec's name in a directory that holds one.
const SpecFile = "openhands.yaml"

// BuildOptions describe one run of buildx build.
type BuildOptions struct {
	Spec    string    // spec file, or the directory that holds SpecFile
	Context string    // build context; default: the spec's directory
	Image   string    // name in the local registry to push to; nothing is exported when empty
	Args    []string  // further arguments of buildx build
	Log     io.Writer // gets buildx's output while it runs
}

// BuildResult is what a build left behind.
type BuildResult struct {
	Ref    string // full reference of the pushed image, by tag
	Digest string // of the pushed manifest or index
	Log    string // all that buildx printed, with --progress=plain
}

// Build runs the real buildx build on a spec. The result holds the log also
// when the build fails.
func (e *Engine) Build(ctx context.Context, opt BuildOptions) (*BuildResult, error) {
	spec, dir, err := specPath(opt.Spec)
	if err != nil {
		return nil, err
	}
	metadata, err := os.CreateTemp(e.dir, "metadata-*.json")
	if err != nil {
		return nil, err
	}
	defer os.Remove(metadata.Name())
	if err := metadata.Close(); err != nil {
		return nil, err
	}
	if spec, err = e.reachable(ctx, spec); err != nil {
		return nil, err
	}
	args := append([]string{"build", "--progress=plain", "--metadata-file", metadata.Name(), "-f", spec}, e.secretArgs()...)
	result := &BuildResult{}
	if opt.Image != "" {
		result.Ref = e.Registry() + "/" + opt.Image
		args = append(args, "--push", "-t", result.Ref)
	}
	args = append(append(args, opt.Args...), firstOf(opt.Context, dir))
	var log bytes.Buffer
	cmd := e.Buildx(ctx, args...)
	out := tee(&log, opt.Log)
	cmd.Stdout, cmd.Stderr = out, out
	err = cmd.Run()
	result.Log = log.String()
	if err != nil {
		return result, fmt.Errorf("buildx %s: %w\n%s", strings.Join(args, " "), err, tail(log.Bytes(), 40))
	}
	result.Digest, err = digestIn(metadata.Name())
	return result, err
}

// specPath takes a spec file or the directory that holds one.
func specPath(path string) (spec, dir string, err error) {
	path, err = filepath.Abs(path)
	if err != nil {
		return "", "", err
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", "", err
	}
	if info.IsDir() {
		return filepath.Join(path, SpecFile), path, nil
	}
	return path, filepath.Dir(path), nil
}

// digestIn reads the digest from what buildx wrote with --metadata-file. It is
// empty when nothing was exported.
func digestIn(file string) (string, error) {
	b, err := os.ReadFile(file)
	if err != nil || len(b) == 0 {
		return "", err
	}
	var metadata struct {
		Digest string `json:"containerimage.digest"`
	}
	return metadata.Digest, json.Unmarshal(b, &metadata)
}

// BuildArgs completes a person's arguments to a buildx build command line: spec
// and context come from path, and an image named after the spec's directory is
// pushed to the local registry unless the arguments say what to do with the
// result.
func (e *Engine) BuildArgs(ctx context.Context, path string, args []string) ([]string, error) {
	spec, dir, err := specPath(path)
	if err != nil {
		return nil, err
	}
	if spec, err = e.reachable(ctx, spec); err != nil {
		return nil, err
	}
	all := append([]string{"build", "-f", spec}, e.secretArgs()...)
	if !slices.ContainsFunc(args, choosesOutput) {
		all = append(all, "--push", "-t", e.Registry()+"/"+ExampleImage(dir))
	}
	return append(append(all, args...), dir), nil
}

// ExampleImage is the name that an example's image gets when none is given.
func ExampleImage(dir string) string { return "examples/" + filepath.Base(dir) + ":latest" }

func choosesOutput(arg string) bool {
	flag, _, _ := strings.Cut(arg, "=")
	return slices.Contains([]string{"-t", "--tag", "-o", "--output", "--push", "--load", "--call", "--check", "--print"}, flag)
}
