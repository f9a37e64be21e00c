// Package llbtest shows LLB to people and compares it between builds. Tests
// alone import it.
package llbtest

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing with them")

// Golden compares text with testdata/NAME.golden.
func Golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v (write it with go test -update)", err)
	}
	if got != string(want) {
		t.Errorf("%s differs; look at it and run go test -update\n--- want\n%s--- got\n%s", file, want, got)
	}
}

// Deterministic fails when a state marshals to other bytes the next times that
// it is made. Two runs over a small map miss half of the mistakes, so there
// are many runs.
func Deterministic(t *testing.T, build func() *llb.Definition) {
	t.Helper()
	const runs = 25
	first := build()
	for range runs - 1 {
		if next := build(); !slices.EqualFunc(first.Def, next.Def, bytes.Equal) {
			t.Fatalf("the graph differs between two runs\n--- one\n%s--- other\n%s", Render(t, first), Render(t, next))
		}
	}
}

// Marshal gives a state's definition for a platform, never the host's.
func Marshal(t *testing.T, st llb.State, platform llb.ConstraintsOpt) *llb.Definition {
	t.Helper()
	def, err := st.Marshal(context.Background(), platform, llb.LocalUniqueID("test"))
	if err != nil {
		t.Fatal(err)
	}
	return def
}

// Render writes a definition as text, one vertex after those it depends on,
// with numbers for digests. Of scripts of stages it shows the names alone.
func Render(t *testing.T, def *llb.Definition) string {
	t.Helper()
	r := renderer{def: def, numbers: map[string]int{}}
	for i, dt := range def.Def {
		var op pb.Op
		if err := op.Unmarshal(dt); err != nil {
			t.Fatal(err)
		}
		dgst := digest.FromBytes(dt)
		r.numbers[dgst.String()] = i
		r.vertex(i, dgst, &op)
	}
	return r.out.String()
}

type renderer struct {
	def     *llb.Definition
	numbers map[string]int
	out     strings.Builder
}

func (r *renderer) line(format string, args ...any) { fmt.Fprintf(&r.out, format+"\n", args...) }

func (r *renderer) input(in *pb.Input) string {
	s := fmt.Sprintf("#%d", r.numbers[in.Digest])
	if in.Index != 0 {
		s += fmt.Sprintf(".%d", in.Index)
	}
	return s
}

func (r *renderer) vertex(i int, dgst digest.Digest, op *pb.Op) {
	title := r.def.Metadata[dgst].Description["llb.customname"]
	if title == "" && op.Op == nil {
		title = "result"
	}
	r.line("#%d %s%s", i, title, r.place(dgst))
	if r.def.Metadata[dgst].IgnoreCache {
		r.line("   no cache")
	}
	switch o := op.Op.(type) {
	case *pb.Op_Source:
		r.line("   source %s%s", o.Source.Identifier, attrs(o.Source.Attrs))
		if p := op.Platform; p != nil {
			r.line("   platform %s/%s", p.OS, p.Architecture)
		}
	case *pb.Op_Merge:
		r.line("   merge %s", r.inputs(op))
	case *pb.Op_File:
		for _, a := range o.File.Actions {
			r.fileAction(op, a, strings.Contains(title, "] script of "))
		}
	case *pb.Op_Exec:
		r.exec(op, o.Exec)
	default:
		r.line("   of %s", r.inputs(op))
	}
}

func (r *renderer) inputs(op *pb.Op) string {
	var names []string
	for _, in := range op.Inputs {
		names = append(names, r.input(in))
	}
	return strings.Join(names, " ")
}

func (r *renderer) place(dgst digest.Digest) string {
	var lines []string
	if locs := r.def.Source.Locations[dgst.String()]; locs != nil {
		for _, l := range locs.Locations {
			for _, rng := range l.Ranges {
				lines = append(lines, fmt.Sprintf("%d:%d", rng.Start.Line, rng.Start.Character))
			}
		}
	}
	if len(lines) == 0 {
		return ""
	}
	return "  (spec " + strings.Join(lines, ", ") + ")"
}

func (r *renderer) exec(op *pb.Op, e *pb.ExecOp) {
	r.line("   exec %q", e.Meta.Args)
	r.line("   in %s as %s on %s/%s", e.Meta.Cwd, e.Meta.User, op.Platform.OS, op.Platform.Architecture)
	for _, kv := range e.Meta.Env {
		r.line("   env %s", kv)
	}
	for _, m := range e.Mounts {
		from := "scratch"
		if m.Input >= 0 {
			from = r.input(op.Inputs[m.Input]) + m.Selector
		}
		if m.TmpfsOpt != nil {
			from = "tmpfs"
		}
		if m.CacheOpt != nil {
			from = "cache " + m.CacheOpt.ID
		}
		if m.SecretOpt != nil {
			from = "secret " + m.SecretOpt.ID
			if m.SecretOpt.Optional {
				from += " optional"
			}
		}
		if m.SSHOpt != nil {
			from = "ssh"
			if m.SSHOpt.Optional {
				from += " optional"
			}
		}
		var flags string
		if m.Readonly {
			flags += " readonly"
		}
		if m.Output >= 0 && m.SecretOpt == nil && m.SSHOpt == nil {
			flags += fmt.Sprintf(" output .%d", m.Output)
		}
		r.line("   mount %s %s%s", m.Dest, from, flags)
	}
}

func attrs(m map[string]string) string {
	var s string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		s += fmt.Sprintf(" %s=%s", k, m[k])
	}
	return s
}
