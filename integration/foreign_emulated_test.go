package integration

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/session/secrets/secretsprovider"
	"github.com/tonistiigi/fsutil"

	"github.com/openhands/llb-frontend/frontend/spec"
	"github.com/openhands/llb-frontend/integration/engine"
	"github.com/openhands/llb-frontend/llb/deps"
	"github.com/openhands/llb-frontend/llb/secret"
)

// emulate lets this test run programs for arm64. The machine is as before when
// the test ends: no other may depend on emulation.
func emulate(t *testing.T) {
	t.Helper()
	stop, err := eng.Emulate(t.Context(), "arm64")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// emulatedBuild makes components of /openhands as a machine for arm64 would: the
// builder, oh-seal and all programs of the stages are for arm64. Emulation must
// be on.
type emulatedBuild struct {
	components map[string]llb.State
	helpers    string
}

func newEmulatedBuild(t *testing.T, yaml string) *emulatedBuild {
	t.Helper()
	needBase(t, "builder:trixie")
	adapted, err := eng.WithMirrors(t.Context(), []byte(yaml))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := spec.Load(engine.SpecFile, adapted, nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &emulatedBuild{components: map[string]llb.State{}, helpers: t.TempDir()}
	crossCompile(t, filepath.Join(b.helpers, deps.HelpersDir, "oh-seal"), "arm64")
	components, err := deps.Build(deps.Input{
		Builder:           llb.Image("docker.io/library/builder:trixie", llb.LinuxArm64).Platform(platformARM64()),
		Helpers:           llb.Local("helpers"),
		Architecture:      "arm64",
		BuildArchitecture: "arm64",
		Spec:              doc.Spec.Deps,
		Server:            doc.Spec.Server,
		Mirrors:           doc.Spec.Mirrors,
		Times:             llb.WithCreatedTime(time.Unix(0, 0)),
		Step: func(name, _, text string) []llb.ConstraintsOpt {
			return []llb.ConstraintsOpt{llb.WithCustomNamef("[emulated %s] %s", name, text)}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range components {
		b.components[c.Name] = c.State
	}
	return b
}

// files are those of one component, as they were before they became a layer.
func (b *emulatedBuild) files(t *testing.T, component string) fileTree {
	t.Helper()
	st, ok := b.components[component]
	if !ok {
		t.Fatalf("there is no component %q", component)
	}
	def, err := st.Marshal(t.Context(), llb.LinuxArm64)
	if err != nil {
		t.Fatal(err)
	}
	helpers, err := fsutil.NewFS(b.helpers)
	if err != nil {
		t.Fatal(err)
	}
	r, w := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := solveTar(t.Context(), def, helpers, w)
		_ = w.CloseWithError(err) // an end without an error is io.EOF
		ended <- err
	}()
	files, err := readTree(r)
	_ = r.CloseWithError(err) // ends a solve that nobody reads
	if err := errors.Join(err, <-ended); err != nil {
		t.Fatalf("%s: %v", component, err)
	}
	return files
}

func solveTar(ctx context.Context, def *llb.Definition, helpers fsutil.FS, to io.WriteCloser) error {
	c, err := client.New(ctx, eng.BuildkitHost())
	if err != nil {
		return err
	}
	defer c.Close()
	opt := client.SolveOpt{
		LocalMounts: map[string]fsutil.FS{"helpers": helpers},
		Exports: []client.ExportEntry{{
			Type:   client.ExporterTar,
			Output: func(map[string]string) (io.WriteCloser, error) { return to, nil },
		}},
	}
	if file := os.Getenv("SSL_CERT_FILE"); file != "" { // as Engine.Build
		store, err := secretsprovider.NewStore([]secretsprovider.Source{{ID: secret.CA, FilePath: file}})
		if err != nil {
			return err
		}
		opt.Session = []session.Attachable{secretsprovider.NewSecretProvider(store)}
	}
	status := make(chan *client.SolveStatus)
	log := make(chan string)
	go func() { log <- lastSaid(status, 40) }()
	_, err = c.Solve(ctx, def, opt, status)
	if said := <-log; err != nil {
		return fmt.Errorf("%w\n%s", err, said)
	}
	return nil
}

// lastSaid is the end of what the programs of a build say.
func lastSaid(status <-chan *client.SolveStatus, most int) string {
	var last []byte
	for s := range status {
		for _, l := range s.Logs {
			last = append(last, l.Data...)
		}
		lines := 0
		for i := len(last) - 1; i >= 0; i-- {
			if last[i] == '\n' {
				lines++
			}
			if lines > most {
				last = last[i+1:]
				break
			}
		}
	}
	return string(last)
}
