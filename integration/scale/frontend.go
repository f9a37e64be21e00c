package main

import (
	"archive/tar"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/mutate"
)

// figures are what the frontend itself costs.
type figures struct {
	FirstRPC   float64 `json:"first_rpc"`  // processor seconds from its start to its first call, median
	Compressed int64   `json:"compressed"` // bytes of its image
	SpecToLLB  float64 `json:"spec_to_llb"`
	Peak       int64   `json:"peak"` // bytes of memory, the most of all builds
}

// starts is how often the frontend is started alone.
const starts = 20

func (w *world) frontendFigures(ctx context.Context, r *report) error {
	var err error
	f := &r.Frontend
	if f.Compressed, err = w.compressed(ctx, w.frontend); err != nil {
		return err
	}
	binary := filepath.Join(w.contexts, "openhands-frontend")
	if err := w.extract(ctx, w.frontend, "bin/openhands-frontend", binary); err != nil {
		return err
	}
	var list []float64
	for range starts {
		took, err := firstRPC(ctx, binary)
		if err != nil {
			return err
		}
		list = append(list, took.Seconds())
	}
	f.FirstRPC = quantile(list, 0.5)
	b := testing.Benchmark(func(b *testing.B) {
		for b.Loop() {
			if err := specToLLB(ctx); err != nil {
				b.Fatal(err)
			}
		}
	})
	f.SpecToLLB = b.T.Seconds() / float64(max(1, b.N))
	for _, res := range r.Results {
		f.Peak = max(f.Peak, res.First.FrontendPeak, res.Further.FrontendPeak)
	}
	return nil
}

func (w *world) compressed(ctx context.Context, image string) (int64, error) {
	img, err := pull(ctx, w.Registry()+"/"+image)
	if err != nil {
		return 0, err
	}
	manifest, err := img.Manifest()
	if err != nil {
		return 0, err
	}
	size := manifest.Config.Size
	for _, l := range manifest.Layers {
		size += l.Size
	}
	return size, nil
}

// extract writes a program of an image to a file.
func (w *world) extract(ctx context.Context, image, name, file string) error {
	img, err := pull(ctx, w.Registry()+"/"+image)
	if err != nil {
		return err
	}
	rc := mutate.Extract(img)
	defer rc.Close()
	for tr := tar.NewReader(rc); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("%s holds no %s", image, name)
		}
		if err != nil {
			return err
		}
		if strings.TrimPrefix(h.Name, "/") != name {
			continue
		}
		out, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY, 0o755)
		if err != nil {
			return err
		}
		_, err = io.CopyN(out, tr, h.Size)
		return errors.Join(err, out.Close())
	}
}

// firstRPC starts the frontend as the daemon does, with gRPC on its standard input
// and output, and returns the processor time that it has used when its first call
// arrives. Neither runc nor the daemon are in it.
func firstRPC(ctx context.Context, program string) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program)
	cmd.Env = []string{"BUILDKIT_SESSION_ID=scale", "BUILDKIT_WORKERS=[]", "BUILDKIT_EXPORTEDPRODUCT=scale"}
	in, err := cmd.StdinPipe()
	if err != nil {
		return 0, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	err = awaitCall(in, out)
	used, err2 := processTime(cmd.Process.Pid)
	cancel()
	_ = cmd.Wait() // it was killed
	return used, errors.Join(err, err2)
}

// awaitCall speaks as much HTTP/2 as it takes for a client to make its first call:
// a client waits for the server's settings before that.
func awaitCall(in io.Writer, out io.Reader) error {
	const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" // RFC 9113, 3.4
	const headersFrame, settingsFrame = 1, 4           // RFC 9113, 6
	if _, err := in.Write([]byte{0, 0, 0, settingsFrame, 0, 0, 0, 0, 0}); err != nil {
		return err
	}
	got := make([]byte, len(preface))
	if _, err := io.ReadFull(out, got); err != nil || string(got) != preface {
		return fmt.Errorf("the frontend begins with %q, not as a client of HTTP/2: %w", got, err)
	}
	for {
		var header [9]byte
		if _, err := io.ReadFull(out, header[:]); err != nil {
			return fmt.Errorf("the frontend ends before its first call: %w", err)
		}
		if header[3] == headersFrame {
			return nil
		}
		length := int64(binary.BigEndian.Uint32(append([]byte{0}, header[:3]...)))
		if _, err := io.CopyN(io.Discard, out, length); err != nil {
			return err
		}
	}
}

// processTime is the processor time of all threads of a process, to the nanosecond.
func processTime(pid int) (time.Duration, error) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil {
		return 0, err
	}
	var total time.Duration
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			continue // a thread that has just ended
		}
		n, err := strconv.ParseInt(strings.Fields(string(b) + " ")[0], 10, 64)
		if err != nil {
			return 0, err
		}
		total += time.Duration(n)
	}
	if total == 0 {
		return 0, fmt.Errorf("the kernel does not say how long process %d has run (schedstat)", pid)
	}
	return total, nil
}
