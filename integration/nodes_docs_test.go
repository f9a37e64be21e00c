package integration

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/cmd/buildkitd/config"
	"github.com/pelletier/go-toml/v2"
	"gopkg.in/yaml.v3"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// scalingPage is docs/scaling.md.
func scalingPage(t *testing.T) []block {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(eng.Repo(), "docs", "scaling.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks, err := parsePage(string(text))
	if err != nil {
		t.Fatalf("docs/scaling.md:%v", err)
	}
	return blocks
}

// scalingFiles are the files that the page holds.
func scalingFiles(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, b := range scalingPage(t) {
		if b.file != "" {
			files[b.file] = b.text
		}
	}
	return files
}

// manifest is docs/scaling.md's for Kubernetes.
type manifest struct {
	config  corev1.ConfigMap
	service corev1.Service
	daemons appsv1.StatefulSet
}

// readManifest knows every field, as Kubernetes does.
func readManifest(t *testing.T) *manifest {
	t.Helper()
	m := &manifest{}
	documents := yaml.NewDecoder(strings.NewReader(scalingFiles(t)["buildkitd.yaml"]))
	for _, to := range []any{&m.config, &m.service, &m.daemons} {
		var document any
		if err := documents.Decode(&document); err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(document)
		if err != nil {
			t.Fatal(err)
		}
		strict := json.NewDecoder(bytes.NewReader(b))
		strict.DisallowUnknownFields()
		if err := strict.Decode(to); err != nil {
			t.Fatalf("%T: %v\n%s", to, err, b)
		}
	}
	if err := documents.Decode(new(any)); !errors.Is(err, io.EOF) {
		t.Errorf("the manifest goes on: %v", err)
	}
	return m
}

// What belongs together in the manifest has the same names.
func TestKubernetesManifest(t *testing.T) {
	m := readManifest(t)
	spec := m.daemons.Spec
	pod := spec.Template
	for what, selector := range map[string]map[string]string{"StatefulSet": spec.Selector.MatchLabels, "Service": m.service.Spec.Selector} {
		if !labels.SelectorFromSet(selector).Matches(labels.Set(pod.Labels)) || len(selector) == 0 {
			t.Errorf("the %s selects %v, the pods have %v", what, selector, pod.Labels)
		}
	}
	kinds := []string{m.config.Kind, m.service.Kind, m.daemons.Kind}
	if want := []string{"ConfigMap", "Service", "StatefulSet"}; !slices.Equal(kinds, want) {
		t.Errorf("the kinds are %q, want %q", kinds, want)
	}
	if m.service.Name != spec.ServiceName || m.service.Namespace != m.daemons.Namespace || m.config.Namespace != m.daemons.Namespace {
		t.Errorf("Service %s/%s and ConfigMap in %s are not those of %s in %s", m.service.Namespace, m.service.Name, m.config.Namespace, spec.ServiceName, m.daemons.Namespace)
	}
	daemon := pod.Spec.Containers[0]
	if port := m.service.Spec.Ports[0].Port; port != daemon.Ports[0].ContainerPort || !strings.Contains(strings.Join(daemon.Args, " "), ":1234") {
		t.Errorf("the Service has port %d, the container %d and %q", port, daemon.Ports[0].ContainerPort, daemon.Args)
	}
	if daemon.ReadinessProbe.Exec == nil || daemon.LivenessProbe.Exec == nil {
		t.Error("a probe has no command")
	}
	var volumes, mounts []string
	for _, v := range pod.Spec.Volumes {
		volumes = append(volumes, v.Name)
		if v.ConfigMap != nil && v.ConfigMap.Name != m.config.Name {
			t.Errorf("the ConfigMap is %q, the volume has %q", m.config.Name, v.ConfigMap.Name)
		}
	}
	for _, c := range spec.VolumeClaimTemplates {
		volumes = append(volumes, c.Name)
	}
	for _, v := range daemon.VolumeMounts {
		mounts = append(mounts, v.Name)
	}
	slices.Sort(volumes)
	if slices.Sort(mounts); !slices.Equal(volumes, mounts) {
		t.Errorf("the volumes are %q, mounted are %q", volumes, mounts)
	}
	if want := "moby/buildkit:" + buildkitVersion(t); daemon.Image != want {
		t.Errorf("the image is %q, tested is %q", daemon.Image, want)
	}
}

// The daemon's configuration has no key that BuildKit does not know.
func TestKubernetesDaemonConfig(t *testing.T) {
	text := readManifest(t).config.Data["buildkitd.toml"]
	var c config.Config
	if err := toml.NewDecoder(strings.NewReader(text)).DisallowUnknownFields().Decode(&c); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if gc := c.Workers.OCI.GCConfig; gc.GCReservedSpace.Bytes == 0 || gc.GCMaxUsedSpace.Bytes <= gc.GCReservedSpace.Bytes || gc.GCMinFreeSpace.Bytes == 0 {
		t.Errorf("garbage collection is %+v", gc)
	}
	if c.History == nil || c.History.MaxAge.Duration == 0 || c.System == nil || c.System.MaxRegistryConcurrency == nil {
		t.Errorf("history is %+v, system %+v", c.History, c.System)
	}
}

// buildx takes the page's commands that make builders, with all their options. No
// daemon is asked for.
func TestScalingBuilders(t *testing.T) {
	d := newDesk(t, map[string]string{
		"buildkitd.toml": readManifest(t).config.Data["buildkitd.toml"],
		"kubeconfig": `{"apiVersion": "v1", "kind": "Config", "current-context": "a",
 "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
 "clusters": [{"name": "a", "cluster": {"server": "http://127.0.0.1:9"}}], "users": [{"name": "a", "user": {}}]}`,
	})
	t.Setenv("KUBECONFIG", filepath.Join(d.dir, "kubeconfig"))
	made := 0
	for _, b := range scalingPage(t) {
		for _, c := range b.commands {
			if strings.HasPrefix(c.text, "docker buildx create ") {
				d.run(t, c.text)
				made++
			}
		}
	}
	if made < 5 {
		t.Errorf("the page makes %d builders, want one of each kind", made)
	}
}

// onPage asks that the page shows a command that a test runs.
func onPage(t *testing.T, line string) {
	t.Helper()
	for _, b := range scalingPage(t) {
		if slices.ContainsFunc(b.commands, func(c pageCommand) bool { return c.text == line }) {
			return
		}
	}
	t.Errorf("docs/scaling.md does not show %q", line)
}
