package integration

import (
	"strings"
	"testing"
)

// TestCompatArgs: --build-arg in values, in commands, and not in the image.
func TestCompatArgs(t *testing.T) {
	t.Run("declared", func(t *testing.T) {
		yaml := "args: {WHAT: default}\n" + plain(t, "labels: {what: $WHAT}\n")
		for want, args := range map[string][]string{"default": nil, "given": {"--build-arg=WHAT=given"}} {
			if got := label(t, build(t, yaml, args...).Ref, "what"); got != want {
				t.Errorf("with %q the label is %q", args, got)
			}
		}
	})
	t.Run("undeclared", func(t *testing.T) {
		log := build(t, "args: {VERSION: 1}\n"+plain(t, "labels: {v: $VERSION}\n"), "--build-arg=VERSOIN=2").Log
		contains(t, log, `build arg "VERSOIN" is not declared, did you mean "VERSION"?`)
	})
	t.Run("platform", platformArgs)
	t.Run("proxies", proxyArgs)
}

// TARGETARCH and the like choose images, labels and what a command does.
func platformArgs(t *testing.T) {
	for _, arch := range []string{"amd64", "arm64"} {
		push(t, pulled(t, prebuilt(t), arch), eng.Registry()+"/test/compat-deps-"+arch+":latest")
	}
	yaml := "base_image: " + eng.BaseImage("alpine:3.22") + "\ndeps_image: " + eng.Registry() + "/test/compat-deps-${TARGETARCH}\n" +
		"user: root\nlabels: {for: \"$TARGETPLATFORM $TARGETOS$TARGETVARIANT\", on: \"$BUILDPLATFORM $BUILDOS $BUILDARCH$BUILDVARIANT\"}\n"
	res := build(t, yaml, "--platform=linux/amd64,linux/arm64")
	for _, arch := range []string{"amd64", "arm64"} {
		img := pulled(t, res.Ref, arch)
		labels := configOf(t, img).Config.Labels
		if got, want := labels["for"]+" on "+labels["on"], "linux/"+arch+" linux on linux/amd64 linux amd64"; got != want {
			t.Errorf("the labels are %q, want %q", got, want)
		}
	}
	log := build(t, plain(t, "extra_deps: echo \"it is $TARGETPLATFORM\"\n"), "--no-cache-filter=run").Log
	contains(t, log, "it is linux/amd64")
}

// Commands get the client's proxies; image, history and provenance do not.
func proxyArgs(t *testing.T) {
	const secret = "http://user:hunter2@proxy.example.com:3128"
	yaml := plain(t, "extra_deps: 'echo \"proxies: $HTTPS_PROXY $https_proxy $NO_PROXY\"'\n")
	res := build(t, yaml, "--no-cache-filter=run", "--build-arg=HTTPS_PROXY="+secret, "--build-arg=no_proxy=example.com")
	contains(t, res.Log, "proxies: "+secret+" "+secret+" example.com")
	if again := build(t, yaml, "--build-arg=HTTPS_PROXY=http://other.example.com:3128"); !fromCache(again.Log, "run") {
		t.Errorf("with another proxy the command runs again\n%s", again.Log)
	}
	raw, err := pulled(t, res.Ref, "amd64").RawConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(raw), "hunter2") || strings.Contains(strings.ToLower(string(raw)), "_proxy") {
		t.Errorf("the image's config knows of the proxy: %s", raw)
	}
}

// TestCompatImage: options that change the image alone.
func TestCompatImage(t *testing.T) {
	res := build(t, plain(t, "labels: {mine: spec, other: spec}\n"), "--label=mine=request", "--annotation=org.example.note=hello")
	img := pulled(t, res.Ref, "amd64")
	t.Run("--label", func(t *testing.T) {
		labels := configOf(t, img).Config.Labels
		if labels["mine"] != "request" || labels["other"] != "spec" {
			t.Errorf("the labels are %q", labels)
		}
	})
	t.Run("--annotation", func(t *testing.T) {
		m, err := img.Manifest()
		if err != nil {
			t.Fatal(err)
		}
		if m.Annotations["org.example.note"] != "hello" {
			t.Errorf("the annotations are %q", m.Annotations)
		}
	})
}
