package integration

import (
	"bytes"
	"strings"
	"testing"

	"github.com/moby/buildkit/client/llb"

	"github.com/openhands/llb-frontend/integration/mirror"
)

// What `oh-seal fetch` leaves is, to BuildKit, what llb.HTTP leaves: a command
// that has run on the one comes from the cache on the other.
func TestFetchEqualsHTTP(t *testing.T) {
	m, err := eng.Mirror(t.Context(), mirror.Node)
	if err != nil {
		t.Fatal(err)
	}
	const file = "node.tar.gz"
	path := m.Versions.NodeArchive("amd64")
	address := m.URL + "/" + path
	builder := llb.Image("debian:trixie-slim")
	byDaemon := llb.HTTP(address, llb.Filename(file))
	byCommand := builder.Run(
		llb.Args([]string{"/helpers/oh-seal", "fetch", "--sha256", strings.TrimPrefix(m.Content[path], "sha256:"), "--out", "/out/" + file, address}),
		llb.AddMount("/helpers", llb.Image(eng.FrontendRef()), llb.SourcePath("/helpers"), llb.Readonly),
	).AddMount("/out", llb.Scratch())

	nonce := random(t) // an earlier run of this test must not answer
	const step = "[use] an archive"
	use := func(archive llb.State) string {
		t.Helper()
		return solveGraph(t, builder.Run(
			llb.Args([]string{"/bin/sh", "-c", "ls -ln /archive"}),
			llb.AddEnv("NONCE", nonce),
			llb.AddMount("/archive", archive, llb.Readonly),
			llb.WithCustomName(step),
		).Root())
	}
	if log := use(byDaemon); cached(t, log, step) {
		t.Fatalf("the first use comes from the cache, and proves nothing\n%s", log)
	}
	if log := use(byCommand); !cached(t, log, step) {
		t.Errorf("the second use runs again\n%s", log)
	}
}

// solveGraph builds a graph without a frontend, and returns what was said.
func solveGraph(t *testing.T, st llb.State) string {
	t.Helper()
	def, err := st.Marshal(t.Context(), llb.LinuxAmd64)
	if err != nil {
		t.Fatal(err)
	}
	var graph bytes.Buffer
	if err := llb.WriteTo(def, &graph); err != nil {
		t.Fatal(err)
	}
	cmd := eng.Buildctl(t.Context(), "build", "--progress=plain")
	cmd.Stdin = &graph
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}
