package imageconfig

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// parse reads a config as it comes from a registry.
func parse(t *testing.T, config string) dockerspec.DockerOCIImage {
	t.Helper()
	var img dockerspec.DockerOCIImage
	if err := json.Unmarshal([]byte(config), &img); err != nil {
		t.Fatal(err)
	}
	return img
}

// marshal renders a config for comparison.
func marshal(t *testing.T, v any) string {
	t.Helper()
	dt, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(dt)
}

// fullBase sets every field that an image config has.
const fullBase = `{
	"created": "2025-05-01T10:00:00+02:00", "author": "someone",
	"architecture": "arm64", "os": "linux", "variant": "v8", "os.version": "1", "os.features": ["f"],
	"config": {
		"User": "www", "ExposedPorts": {"80/tcp": {}}, "Env": ["PATH=/app/bin:/usr/bin", "A=1"],
		"Entrypoint": ["/entry"], "Cmd": ["serve"], "Volumes": {"/data": {}}, "WorkingDir": "/app",
		"Labels": {"a": "base", "b": "base"}, "StopSignal": "SIGQUIT", "ArgsEscaped": true,
		"Healthcheck": {"Test": ["CMD", "probe"], "Interval": 5}, "OnBuild": ["RUN x"], "Shell": ["/bin/ash", "-c"]
	},
	"rootfs": {"type": "layers", "diff_ids": ["sha256:b1", "sha256:b2"]},
	"history": [
		{"created": "2025-04-01T00:00:00Z", "created_by": "rootfs", "author": "x", "comment": "y"},
		{"created": "2025-04-02T00:00:00Z", "created_by": "CMD", "empty_layer": true},
		{"created": "2025-04-03T00:00:00+02:00", "created_by": "app"}
	]
}`

func TestApply(t *testing.T) {
	epoch := time.Unix(1_700_000_000, 0).In(time.FixedZone("", 3600))
	got := Apply(parse(t, fullBase), Patch{
		Platform:  ocispecs.Platform{OS: "linux", Architecture: "amd64"},
		Created:   &epoch,
		PathFirst: []string{"/openhands/bin"}, PathLast: []string{"/openhands/tools"},
		DefaultEnv: map[string]string{"LANG": "C.UTF-8"},
		User:       "openhands", WorkingDir: "/workspace",
		Cmd:           []string{"run"},
		Labels:        map[string]string{"b": "spec", "c": "spec"},
		RequestLabels: map[string]string{"c": "request"},
		Layers:        []Layer{{CreatedBy: "deps", Comment: "c", DiffID: "sha256:d1"}, {CreatedBy: "identity"}, {CreatedBy: "code", DiffID: "sha256:x"}},
	})
	want := parse(t, `{
		"created": "2023-11-14T22:13:20Z", "author": "someone",
		"architecture": "arm64", "os": "linux", "variant": "v8", "os.version": "1", "os.features": ["f"],
		"config": {
			"User": "openhands", "ExposedPorts": {"80/tcp": {}},
			"Env": ["PATH=/openhands/bin:/app/bin:/usr/bin:/openhands/tools", "A=1", "LANG=C.UTF-8"],
			"Cmd": ["run"], "Volumes": {"/data": {}}, "WorkingDir": "/workspace",
			"Labels": {"a": "base", "b": "spec", "c": "request"}, "Shell": ["/bin/ash", "-c"]
		},
		"rootfs": {"type": "layers", "diff_ids": ["sha256:b1", "sha256:b2", "sha256:d1"]},
		"history": [
			{"created": "2025-04-01T00:00:00Z", "created_by": "rootfs", "author": "x", "comment": "y"},
			{"created": "2025-04-02T00:00:00Z", "created_by": "CMD", "empty_layer": true},
			{"created": "2025-04-03T00:00:00+02:00", "created_by": "app"},
			{"created": "2023-11-14T22:13:20Z", "created_by": "deps", "comment": "c"},
			{"created": "2023-11-14T22:13:20Z", "created_by": "identity"},
			{"created": "2023-11-14T22:13:20Z", "created_by": "code"}
		]
	}`)
	if got, want := marshal(t, got), marshal(t, want); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func TestApplyCommand(t *testing.T) {
	type argv = []string
	for _, tt := range []struct {
		name                      string
		baseEntrypoint, baseCmd   argv
		entrypoint, cmd           argv
		wantEntrypoint, wantCmd   argv
		wantHealthcheckOfTheImage bool
	}{
		{name: "base has nothing", wantHealthcheckOfTheImage: true},
		{name: "base's command stays", baseCmd: argv{"bash"}, wantCmd: argv{"bash"}, wantHealthcheckOfTheImage: true},
		{name: "base's entrypoint goes", baseEntrypoint: argv{"/e"}},
		{name: "base's entrypoint goes with its command", baseEntrypoint: argv{"/e"}, baseCmd: argv{"serve"}},
		{name: "spec's command", baseEntrypoint: argv{"/e"}, baseCmd: argv{"serve"}, cmd: argv{"run"}, wantCmd: argv{"run"}},
		{name: "spec's command is the base's", baseCmd: argv{"serve"}, cmd: argv{"serve"}, wantCmd: argv{"serve"}, wantHealthcheckOfTheImage: true},
		{name: "spec's entrypoint", baseEntrypoint: argv{"/e"}, baseCmd: argv{"serve"}, entrypoint: argv{"/o"}, wantEntrypoint: argv{"/o"}},
		{name: "spec's entrypoint, base has a command only", baseCmd: argv{"bash"}, entrypoint: argv{"/o"}, wantEntrypoint: argv{"/o"}},
		{name: "both", baseCmd: argv{"bash"}, entrypoint: argv{"/o"}, cmd: argv{"run"}, wantEntrypoint: argv{"/o"}, wantCmd: argv{"run"}},
		{name: "the base's entrypoint by the spec's wish", baseEntrypoint: argv{"/e"}, baseCmd: argv{"serve"},
			entrypoint: argv{"/e"}, cmd: argv{"serve"}, wantEntrypoint: argv{"/e"}, wantCmd: argv{"serve"}, wantHealthcheckOfTheImage: true},
		{name: "empty entrypoint is none", baseCmd: argv{"bash"}, entrypoint: argv{}, wantCmd: argv{"bash"}, wantHealthcheckOfTheImage: true},
		{name: "empty command is none", baseCmd: argv{"bash"}, cmd: argv{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			base := Empty(ocispecs.Platform{OS: "linux", Architecture: "amd64"})
			base.Config.Entrypoint, base.Config.Cmd = tt.baseEntrypoint, tt.baseCmd
			base.Config.StopSignal = "SIGQUIT"
			base.Config.Healthcheck = &dockerspec.HealthcheckConfig{Test: []string{"CMD", "probe"}}
			got := Apply(base, Patch{Entrypoint: tt.entrypoint, Cmd: tt.cmd}).Config
			if !slices.Equal(got.Entrypoint, tt.wantEntrypoint) || !slices.Equal(got.Cmd, tt.wantCmd) {
				t.Errorf("entrypoint %q, cmd %q, want %q, %q", got.Entrypoint, got.Cmd, tt.wantEntrypoint, tt.wantCmd)
			}
			if (got.Healthcheck != nil) != tt.wantHealthcheckOfTheImage {
				t.Errorf("healthcheck %v, want one: %t", got.Healthcheck, tt.wantHealthcheckOfTheImage)
			}
			if (got.StopSignal != "") != tt.wantHealthcheckOfTheImage {
				t.Errorf("stop signal %q, want the base's: %t", got.StopSignal, tt.wantHealthcheckOfTheImage)
			}
		})
	}
}

func TestApplyPlatform(t *testing.T) {
	arm := ocispecs.Platform{OS: "linux", Architecture: "arm", Variant: "v7"}
	for _, tt := range []struct {
		name       string
		base, want ocispecs.Platform
	}{
		{"filled as a whole", ocispecs.Platform{}, arm},
		{"os missing", ocispecs.Platform{Architecture: "arm64"}, ocispecs.Platform{OS: "linux", Architecture: "arm64"}},
		{"no variant of another architecture", ocispecs.Platform{OS: "linux", Architecture: "arm"}, ocispecs.Platform{OS: "linux", Architecture: "arm"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var base dockerspec.DockerOCIImage
			base.Platform = tt.base
			if got := Apply(base, Patch{Platform: arm}).Platform; !reflect.DeepEqual(got, tt.want) {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestDropVolumes(t *testing.T) {
	base := dockerspec.DockerOCIImage{}
	base.Config.Volumes = map[string]struct{}{"/o": {}, "/o/": {}, "/o/x": {}, "o/y": {}, "/../o/z/..": {}, "/": {}, "/ox": {}, "/data": {}}
	got := slices.Sorted(maps.Keys(Apply(base, Patch{DropVolumes: "/o"}).Config.Volumes))
	if want := []string{"/", "/data", "/ox"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := Apply(base, Patch{}).Config.Volumes; len(got) != len(base.Config.Volumes) {
		t.Errorf("without the option %q are left", got)
	}
}

func TestEmpty(t *testing.T) {
	got := marshal(t, Empty(ocispecs.Platform{OS: "linux", Architecture: "arm64", Variant: "v8"}))
	want := marshal(t, parse(t, `{"architecture": "arm64", "os": "linux", "variant": "v8",
		"config": {"Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"], "WorkingDir": "/"},
		"rootfs": {"type": "layers", "diff_ids": null}}`))
	if got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

// TestNoAliasing overwrites all that can be reached from a result, and looks for
// the change in what it was made of.
func TestNoAliasing(t *testing.T) {
	for _, tt := range []struct {
		name string
		make func(dockerspec.DockerOCIImage, Patch) dockerspec.DockerOCIImage
	}{{"Apply", Apply}, {"BaseFor", BaseFor}} {
		t.Run(tt.name, func(t *testing.T) {
			created := time.Unix(1, 0).UTC()
			base, patch := parse(t, fullBase), Patch{
				Created: &created, Entrypoint: []string{"/entry"}, Cmd: []string{"serve"},
				Labels: map[string]string{"l": "l"}, Env: map[string]string{"E": "e"}, PathFirst: []string{"/p"},
				Layers: []Layer{{CreatedBy: "deps", DiffID: "sha256:d"}},
			}
			// Room behind each slice: an append that does not copy would write there.
			base.History = slices.Grow(base.History, 8)
			base.RootFS.DiffIDs = slices.Grow(base.RootFS.DiffIDs, 8)
			base.Config.Env = slices.Grow(base.Config.Env, 8)
			before := marshal(t, []any{base, patch, base.History[:8], base.RootFS.DiffIDs[:8], base.Config.Env[:8]})

			got := tt.make(base, patch)
			overwrite(reflect.ValueOf(&got))
			after := marshal(t, []any{base, patch, base.History[:8], base.RootFS.DiffIDs[:8], base.Config.Env[:8]})
			if after != before {
				t.Errorf("changed from %s\nto %s", before, after)
			}
		})
	}
}

// overwrite changes every value that v leads to.
func overwrite(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if at, ok := v.Interface().(*time.Time); ok && at != nil {
			*at = time.Unix(42, 0)
		} else if !v.IsNil() {
			overwrite(v.Elem())
		}
	case reflect.Struct:
		for _, field := range v.Fields() {
			overwrite(field)
		}
	case reflect.Slice:
		for i := range v.Len() {
			overwrite(v.Index(i))
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			v.SetMapIndex(key, reflect.Value{})
		}
	case reflect.String:
		v.SetString("overwritten")
	case reflect.Int, reflect.Int64:
		v.SetInt(42)
	}
}

// TestDeterministic repeats with maps of twelve keys: with fewer, two runs can
// agree by luck.
func TestDeterministic(t *testing.T) {
	values := func(prefix string) map[string]string {
		m := map[string]string{}
		for i := range 12 {
			m[fmt.Sprintf("%s%d", prefix, i)] = "v"
		}
		return m
	}
	patch := Patch{Env: values("E"), DefaultEnv: values("D"), Labels: values("l"), RequestLabels: values("r")}
	first := marshal(t, Apply(parse(t, fullBase), patch))
	for range 25 {
		if got := marshal(t, Apply(parse(t, fullBase), patch)); got != first {
			t.Fatalf("got %s\nafter %s", got, first)
		}
	}
}
