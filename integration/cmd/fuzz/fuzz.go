package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/openhands/llb-frontend/integration/reliability"
)

// target is a fuzz target of a package.
type target struct{ pkg, name string }

// fuzz runs every fuzz target of the frontend's module. An input that breaks a rule
// is kept below the package's testdata, and ends the run when the others that have
// begun are through.
func fuzz(ctx context.Context, o options) (reliability.Table, error) {
	table := reliability.Table{Header: []string{"fuzz target", "time", "inputs tried", "inputs that reach new code", "failures"}}
	targets, err := list(ctx, o.root)
	if err != nil {
		return table, err
	}
	table.Rows = make([][]string, len(targets))
	var g errgroup.Group
	g.SetLimit(o.atOnce)
	var failed atomic.Bool
	for i, t := range targets {
		g.Go(func() error {
			if failed.Load() {
				return nil
			}
			tried, found, err := t.run(ctx, o)
			if err != nil {
				failed.Store(true)
				return fmt.Errorf("%s %s: %w", t.pkg, t.name, err)
			}
			table.Rows[i] = []string{"`" + strings.TrimPrefix(t.pkg, module) + "` " + t.name, o.time.String(), tried, found, "0"}
			return nil
		})
	}
	return table, g.Wait()
}

const module = "github.com/openhands/llb-frontend/"

// list asks every package for its fuzz targets.
func list(ctx context.Context, root string) ([]target, error) {
	// -list prints the names of a package before the package.
	out, err := command(ctx, root, "test", "-list", "^Fuzz", "./...").Output()
	if err != nil {
		return nil, err
	}
	return targetsOf(out)
}

func targetsOf(out []byte) ([]target, error) {
	var targets []target
	var names []string
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		switch {
		case len(fields) == 1 && strings.HasPrefix(fields[0], "Fuzz"):
			names = append(names, fields[0])
		case len(fields) >= 2 && fields[0] == "ok":
			for _, name := range names {
				targets = append(targets, target{fields[1], name})
			}
			names = nil
		}
	}
	if len(targets) == 0 || len(names) > 0 {
		return nil, fmt.Errorf("no fuzz targets, or some without a package, in:\n%s", out)
	}
	return targets, nil
}

// progress is what go test says while it fuzzes.
var progress = regexp.MustCompile(`execs: (\d+) .*new interesting: (\d+)`)

func (t target) run(ctx context.Context, o options) (tried, found string, err error) {
	cmd := command(ctx, o.root, "test", "-run", "^$", "-fuzz", "^"+t.name+"$",
		"-fuzztime", o.time.String(), "-fuzzminimizetime", "1s", "-parallel", "1", t.pkg)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", "", err
	}
	if err := cmd.Start(); err != nil {
		return "", "", err
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		fmt.Println(t.name+":", lines.Text())
		if m := progress.FindStringSubmatch(lines.Text()); m != nil {
			tried, found = m[1], m[2]
		}
	}
	if err := cmd.Wait(); err != nil {
		return "", "", err
	}
	if tried == "" {
		return "", "", fmt.Errorf("go test says nothing of what it tried")
	}
	return tried, found, nil
}

func command(ctx context.Context, root string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Stderr = root, os.Stderr
	return cmd
}
