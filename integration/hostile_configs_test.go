package integration

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// configured is an image whose config somebody has changed.
func configured(change func(*v1.ConfigFile)) hostileImage {
	h := based()
	h.config = change
	return h
}

// historyOf checks that each layer has one entry.
func historyOf(t *testing.T, c composed) {
	t.Helper()
	n := 0
	for _, h := range c.config.History {
		if !h.EmptyLayer {
			n++
		}
	}
	if n != len(c.digest) || len(c.config.RootFS.DiffIDs) != len(c.digest) {
		t.Errorf("%d layers, %d history entries that are not empty, %d diffIDs", len(c.digest), n, len(c.config.RootFS.DiffIDs))
	}
}

func history(n int, empty bool) []v1.History {
	list := make([]v1.History, n)
	for i := range list {
		list[i] = v1.History{CreatedBy: fmt.Sprint("step ", i), EmptyLayer: empty}
	}
	return list
}

// configRows are about the image's config.
func configRows() []*hostileRow {
	var many []string
	for i := range 10_000 {
		many = append(many, fmt.Sprintf("VARIABLE_%d=value %d", i, i))
	}
	long := strings.Repeat("x", 500_000)
	controls := "a\x1b[2J\r\n#1 DONE\x00b\u202e"
	env := func(list ...string) hostileImage {
		return configured(func(c *v1.ConfigFile) { c.Config.Env = list })
	}
	has := func(want ...string) func(*testing.T, composed) {
		return func(t *testing.T, c composed) {
			for _, kv := range want {
				if !slices.Contains(c.config.Config.Env, kv) {
					t.Errorf("the environment has no %.200q", kv)
				}
			}
		}
	}
	return []*hostileRow{
		{input: "a config without history", outcome: "composes: every layer gets an entry", image: configured(func(c *v1.ConfigFile) { c.History = nil }), check: historyOf},
		{input: "history of five layers for one", outcome: "composes: every layer has one entry", image: configured(func(c *v1.ConfigFile) { c.History = history(5, false) }), check: historyOf},
		{input: "history of 1,000 entries that are all empty", outcome: "composes: every layer has one entry that is not", image: configured(func(c *v1.ConfigFile) { c.History = history(1000, true) }), check: historyOf},
		{input: "10,000 variables", outcome: "composes: all stay, in their order", image: env(many...), check: func(t *testing.T, c composed) {
			if got := c.config.Config.Env; len(got) < len(many) || !slices.Equal(got[:len(many)], many) {
				t.Errorf("of %d variables %d are left, or in another order", len(many), len(got))
			}
		}},
		{input: "a variable of 500 kB", outcome: composes, image: env("LONG=" + long), check: has("LONG=" + long)},
		{input: "variables without `=`, without a name, and twice", outcome: "composes: one without a name goes, of two the last counts", image: env("BARE", "=nameless", "TWICE=1", "TWICE=2"), check: func(t *testing.T, c composed) {
			has("BARE=", "TWICE=2")(t, c)
			for _, kv := range c.config.Config.Env {
				if strings.HasPrefix(kv, "=") || kv == "TWICE=1" {
					t.Errorf("the environment has %q", kv)
				}
			}
		}},
		{input: "a `PATH` of 20,000 directories and empty entries", outcome: "composes: each once, between ours", image: env("PATH=::" + strings.Repeat("/a:/b::", 100) + manyPaths(20_000)), check: func(t *testing.T, c composed) {
			has("PATH=/openhands/bin:/a:/b"+strings.TrimSuffix(manyPaths(20_000), ":")+":/openhands/tools")(t, c)
		}},
		{input: "`HEALTHCHECK`, `ONBUILD`, `STOPSIGNAL` and a foreign `USER`", outcome: "composes: all go, `USER` is ours", spec: asRootOf, image: configured(func(c *v1.ConfigFile) {
			c.Config.Healthcheck = &v1.HealthConfig{Test: []string{"CMD-SHELL", "curl evil"}}
			c.Config.OnBuild = []string{"RUN evil"}
			c.Config.StopSignal, c.Config.User, c.Config.Entrypoint = "SIGKILL", "nobody:nogroup", []string{"/evil"}
		}), check: func(t *testing.T, c composed) {
			if got := c.config.Config; got.Healthcheck != nil || got.OnBuild != nil || got.StopSignal != "" || got.User != "0" || got.Entrypoint != nil {
				t.Errorf("the config is %+v", got)
			}
		}},
		{input: "`VOLUME` on `/openhands`, below it and on `/workspace`", outcome: "composes: those that would hide `/openhands` go", image: configured(func(c *v1.ConfigFile) {
			c.Config.Volumes = map[string]struct{}{"/openhands": {}, "/openhands/": {}, "/openhands/tools": {}, "/workspace": {}, "/openhandsome": {}}
		}), check: func(t *testing.T, c composed) {
			if got := c.config.Config.Volumes; len(got) != 2 {
				t.Errorf("the volumes are %v", got)
			}
		}},
		{input: "labels with control characters and NUL", outcome: "composes: they stay, no line of the build's output is made of them", image: configured(func(c *v1.ConfigFile) {
			c.Config.Labels = map[string]string{"evil": controls, "e\x1bvil": "x"}
		}), check: func(t *testing.T, c composed) {
			if got := c.config.Config.Labels; got["evil"] != controls || got["e\x1bvil"] != "x" {
				t.Errorf("the labels are %q", got)
			}
		}},
		{input: "a label of 1 MB", outcome: composes, image: labelOf(1_000_000)},
		{input: "a label of 3 MB", outcome: "refused: larger than 1 MB", image: labelOf(3_000_000), refused: []string{atBase, "its config is too large: shorten labels and environment"}},
		{input: "a label of 20 MB", outcome: "refused: more than BuildKit hands over", image: labelOf(20_000_000), refused: []string{atBase, "its config is too large: shorten labels and environment"}},
		{input: "no platform", outcome: "composes: for the build's", image: configured(func(c *v1.ConfigFile) { c.OS, c.Architecture = "", "" }), check: func(t *testing.T, c composed) {
			if c.config.OS != "linux" || c.config.Architecture != "amd64" {
				t.Errorf("the platform is %s/%s", c.config.OS, c.config.Architecture)
			}
		}},
		{input: "Windows", outcome: "refused: another platform", image: configured(func(c *v1.ConfigFile) { c.OS = "windows" }), refused: []string{atBase, "is for windows/amd64, not for linux/amd64: name an image that has this platform"}},
		{input: "Windows, without an architecture", outcome: "refused: another platform", image: configured(func(c *v1.ConfigFile) { c.OS, c.Architecture = "windows", "" }), refused: []string{atBase, "is for windows/amd64, not for linux/amd64"}},
		{input: "an architecture that nobody knows", outcome: "refused: another platform", image: configured(func(c *v1.ConfigFile) { c.Architecture = "pdp11" }), refused: []string{atBase, "is for linux/pdp11, not for linux/amd64"}},
		{input: "no `rootfs`", outcome: "refused by BuildKit", image: configured(func(c *v1.ConfigFile) { c.RootFS = v1.RootFS{} }), refused: []string{atBase, "mismatched image rootfs and manifest layers"}},
		{input: "`rootfs` with the digest of another layer", outcome: "refused by BuildKit", image: configured(func(c *v1.ConfigFile) {
			c.RootFS.DiffIDs[0] = v1.Hash{Algorithm: "sha256", Hex: strings.Repeat("0", 64)}
		}), refused: []string{atBase, "expected diffID"}},
		{input: "a config that is no JSON", outcome: "refused: cannot be read", image: raw([]byte("{\"os\": ")), refused: []string{atBase, "base image"}},
		{input: "a config whose `Env` is text", outcome: "refused: cannot be read", image: raw(withEnv(`"A=b"`)), refused: []string{atBase, "base image"}},
		{input: "a config that is a list", outcome: "refused: cannot be read", image: raw([]byte("[]")), refused: []string{atBase, "base image"}},
	}
}

func manyPaths(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, ":/d%d", i)
	}
	return b.String() + ":"
}

func labelOf(size int) hostileImage {
	return configured(func(c *v1.ConfigFile) { c.Config.Labels = map[string]string{"long": strings.Repeat("x", size)} })
}

func raw(config []byte) hostileImage {
	h := based()
	h.rawConfig = config
	return h
}

// withEnv is a config with a value in place of the list of variables.
func withEnv(value string) []byte {
	config, _ := json.Marshal(map[string]any{
		"os": "linux", "architecture": "amd64", "rootfs": map[string]any{"type": "layers"},
		"config": map[string]any{"Env": json.RawMessage(value)},
	})
	return config
}
