package integration

import (
	"archive/tar"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/openhands/llb-frontend/integration/engine"
)

// TestCompatResults: what comes out, and where to.
func TestCompatResults(t *testing.T) {
	t.Run("exporters", exporters)
	t.Run("BUILDKIT_MULTI_PLATFORM", multiPlatform)
	t.Run("base config", baseConfig)
	t.Run("context epoch", contextEpoch)
}

// exporters: every output has the base's program and /openhands.
func exporters(t *testing.T) {
	deps := writeFiles(t, map[string]string{"openhands/bin/mine": "x"})
	file := writeSpec(t, "base_image: "+eng.BaseImage("distroless:latest")+"\ndeps_image: my-deps\nuser: root\n")
	export := func(output string, more ...string) {
		t.Helper()
		args := append([]string{"build", "-f", file, "--provenance=false", "--build-context=my-deps=" + deps, "--output=" + output}, more...)
		buildx(t, filepath.Dir(file), nil, append(args, ".")...)
	}
	out := t.TempDir()
	for _, tt := range []struct {
		output string
		want   []string
		more   []string
	}{
		{"type=oci,dest=oci.tar", []string{"index.json", "oci-layout"}, nil},
		{"type=docker,name=mine:1,dest=docker.tar", []string{"manifest.json", "index.json"}, nil},
		{"type=tar,dest=files.tar", []string{"bin/base-program", "openhands/bin/mine"}, nil},
		{"type=local,dest=files", []string{"bin/base-program", "openhands/bin/mine"}, nil},
		{"type=local,dest=both", []string{"linux_amd64/openhands/bin/mine", "linux_arm64/openhands/bin/mine"}, []string{"--platform=linux/amd64,linux/arm64"}},
	} {
		_, dest, _ := strings.Cut(tt.output, "dest=")
		export(strings.Replace(tt.output, "dest=", "dest="+out+"/", 1), tt.more...)
		got := namesIn(t, filepath.Join(out, dest))
		for _, want := range tt.want {
			if !slices.Contains(got, want) {
				t.Errorf("%s has no %s: %q", tt.output, want, got)
			}
		}
	}
	ref := eng.Registry() + "/" + imageName(t)
	export("type=image,push=true,name=" + ref)
	if got := flat(t, ref); got["/bin/base-program"] == "" || got["/openhands/bin/mine"] == "" {
		t.Errorf("the image holds %q", slices.Sorted(maps.Keys(got)))
	}
}

// namesIn lists the files of an archive or below a directory.
func namesIn(t *testing.T, path string) (names []string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil {
		t.Fatal(err)
	} else if info.IsDir() {
		err := filepath.WalkDir(path, func(file string, _ os.DirEntry, err error) error {
			rel, relErr := filepath.Rel(path, file)
			names = append(names, rel)
			return errors.Join(err, relErr)
		})
		if err != nil {
			t.Fatal(err)
		}
		return names
	}
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return names
		}
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, h.Name)
	}
}

// multiPlatform: an index for one platform, as builders of several nodes want.
func multiPlatform(t *testing.T) {
	yaml := plain(t, "")
	for _, tt := range []struct {
		args  []string
		index bool
	}{
		{[]string{"--provenance=false"}, false},
		{[]string{"--provenance=false", "--build-arg=BUILDKIT_MULTI_PLATFORM=1"}, true},
	} {
		ref, err := name.ParseReference(build(t, yaml, tt.args...).Ref, name.Insecure)
		if err != nil {
			t.Fatal(err)
		}
		desc, err := remote.Head(ref)
		if err != nil {
			t.Fatal(err)
		}
		if desc.MediaType.IsIndex() != tt.index {
			t.Errorf("%q gives a %s", tt.args, desc.MediaType)
		}
	}
}

// baseConfig: what the base's config says stays, all of it where the base's
// command does.
func baseConfig(t *testing.T) {
	base := changedImage(t, eng.BaseImage("distroless:latest"), func(c *v1.ConfigFile) {
		c.Config.Env = append(c.Config.Env, "MINE=yes")
		c.Config.Labels = map[string]string{"mine": "yes"}
		c.Config.Volumes = map[string]struct{}{"/data": {}}
		c.Config.ExposedPorts = map[string]struct{}{"8080/tcp": {}}
		c.Config.Entrypoint, c.Config.Cmd = nil, []string{"/bin/base-program"}
		c.Config.StopSignal = "SIGINT"
		c.Config.Healthcheck = &v1.HealthConfig{Test: []string{"CMD", "/bin/base-program"}, Interval: time.Minute}
	})
	res := build(t, "base_image: "+base+"\ndeps_image: "+prebuilt(t)+"\nuser: root\n")
	was, is := configOf(t, pulled(t, base, "amd64")), configOf(t, pulled(t, res.Ref, "amd64"))
	for _, pair := range [][2]any{
		{is.Config.Volumes, was.Config.Volumes},
		{is.Config.ExposedPorts, was.Config.ExposedPorts},
		{is.Config.Cmd, was.Config.Cmd},
		{is.Config.StopSignal, was.Config.StopSignal},
		{is.Config.Healthcheck, was.Config.Healthcheck},
		{is.Config.Labels["mine"], "yes"},
		{slices.Contains(is.Config.Env, "MINE=yes"), true},
		{is.History[:len(was.History)], was.History},
		{is.RootFS.DiffIDs[:len(was.RootFS.DiffIDs)], was.RootFS.DiffIDs},
	} {
		if !reflect.DeepEqual(pair[0], pair[1]) {
			t.Errorf("got %v, want %v", pair[0], pair[1])
		}
	}
}

// contextEpoch: the time of a commit, of a file that is fetched, or none.
func contextEpoch(t *testing.T) {
	files := map[string]string{engine.SpecFile: syntaxLine + plain(t, "")}
	archive := tarOf(t, files, time.Unix(1_500_000_000, 0))
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(archive) }))
	defer srv.Close()
	for context, want := range map[string]int64{
		repository(t, files):     committed,
		srv.URL + "/context.tar": 1_500_000_000,
		writeFiles(t, files):     0,
	} {
		ref, args := destination(t)
		args = append([]string{"build", "--build-arg=SOURCE_DATE_EPOCH=context"}, args...)
		if want == 0 {
			args = append(args, "-f", filepath.Join(context, engine.SpecFile))
		} else {
			args = append(args, "-f", engine.SpecFile)
		}
		buildx(t, t.TempDir(), nil, append(args, context)...)
		created := configOf(t, pulled(t, ref, "amd64")).Created
		if want != 0 && created.Unix() != want {
			t.Errorf("%s: created %v, want %d", context, created, want)
		}
		if want == 0 && created.Unix() == 0 {
			t.Errorf("%s: created %v", context, created)
		}
	}
}
