package integration

import (
	"slices"
	"testing"
	"time"
)

// A builder of two nodes, one for each platform: each daemon makes its own, and one
// index holds both. Nothing is executed, so no daemon has to run what is not of its
// kind.
func TestNodeForEachPlatform(t *testing.T) {
	nodes := newNodes(t, "amd64", "arm64")
	d := newDesk(t, map[string]string{"openhands.yaml": syntaxLine + plain(t, "")})
	d.builder(t, "both", nodes, "linux/amd64", "linux/arm64")
	ref := eng.Registry() + "/" + newRepository() + ":1"
	d.run(t, "docker buildx build --builder both -f openhands.yaml --platform linux/amd64,linux/arm64 --push -t "+ref+" .")
	for i, arch := range []string{"amd64", "arm64"} {
		img := pulled(t, ref, arch)
		below := layers(t, pulled(t, eng.BaseImage("alpine:3.22"), arch))
		if got := layers(t, img); !slices.Equal(got[:len(below)], below) {
			t.Errorf("%s stands on the layers %q, want %q", arch, got[:len(below)], below)
		}
		digest, err := img.Digest()
		if err != nil {
			t.Fatal(err)
		}
		for j, n := range nodes {
			if got := n.has(digest.String()); got != (i == j) {
				t.Errorf("node %d has made the image for %s: %t, want %t", j, arch, got, i == j)
			}
		}
		if nodes[i].read(append(below, layerBlobs(t, prebuilt(t))...)) {
			t.Errorf("the node for %s has pulled layers, want none", arch)
		}
	}
}

// Of two nodes for one platform buildx takes one, for all targets of a bake.
// share.sh gives both something to do.
func TestNodesOfOnePlatform(t *testing.T) {
	nodes := newNodes(t, "first", "second")
	f := newFleet(t, nodes, 6)
	f.builder(t, "pool", nodes, "linux/amd64", "linux/amd64")
	for _, tt := range []struct {
		line string
		want []int // images of a node, the fewest first
	}{
		{"docker buildx bake --builder pool --push", []int{0, 6}},
		{"docker buildx bake --builder pool --push --set '*.platform=linux/amd64'", []int{0, 6}},
		{shareOut, []int{3, 3}},
	} {
		f.rename(t)
		f.run(t, tt.line)
		var got []int
		for _, n := range nodes {
			tags, _ := n.taken(t)
			got = append(got, len(tags))
		}
		if slices.Sort(got); !slices.Equal(got, tt.want) {
			t.Errorf("%s: the nodes have made %d images, want %d", tt.line, got, tt.want)
		}
		f.complete(t)
	}
	onPage(t, shareOut)
	f.run(t, shareOut)
	for i, n := range nodes {
		if tags, c := n.taken(t); len(tags) > 0 || c != (counts{}) {
			t.Errorf("nothing is missing, and node %d writes %q, %+v", i, tags, c)
		}
	}
}

// What one daemon has built for /openhands comes to another through a cache in the
// registry. The other could not build it: it reaches nothing but the registry.
func TestNodesShareDeps(t *testing.T) {
	const spec = "base_image: scratch\n" // of which another test may have built the deps
	cache := "type=registry,ref=" + eng.Registry() + "/test/nodes-cache"
	first := buildAs(t, "test/nodes-deps:first", spec, "--target=deps", "--cache-to="+cache+",mode=max")
	other := newNodes(t, "other")[0]
	d := newDesk(t, map[string]string{"openhands.yaml": syntaxLine + spec})
	d.builder(t, "other", []*node{other}, "")
	second := eng.Registry() + "/test/nodes-deps:second"
	log := d.run(t, "docker buildx build --builder other -f openhands.yaml --target deps --cache-from "+cache+" --push -t "+second+" .")
	if found, ran := depsSteps(log); found == 0 || ran > 0 {
		t.Errorf("of %d steps the other node has run %d, want none:\n%s", found, ran, log)
	}
	want := layers(t, pulled(t, first.Ref, "amd64"))
	if got := layers(t, pulled(t, second, "amd64")); !slices.Equal(got, want) {
		t.Errorf("one node gives the layers %q, the other %q", want, got)
	}
	if other.read(want) {
		t.Error("the other node has pulled layers, want none")
	}
}

// bakeAll and bakeMissing are what the page says for all images, and for those that
// the registry lacks.
const (
	bakeAll     = "docker buildx bake -j 8 --push"
	bakeMissing = "sh missing.sh | xargs -r docker buildx bake -j 8 --push"
	shareOut    = "sh missing.sh | bash share.sh first second"
)

// A daemon is killed in the middle of a bake. The bake is finished by the daemon when
// it runs again, or by another one, and at no time does a tag name an image that is
// not whole.
func TestKilledNode(t *testing.T) {
	nodes := newNodes(t, "first", "second")
	onPage(t, bakeAll)
	onPage(t, bakeMissing)
	t.Run("the same daemon", func(t *testing.T) {
		const images = 100
		f := newFleet(t, nodes, images)
		there := f.killed(t, nodes[0], 20)
		if err := nodes[0].StartDaemon(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.run(t, calmly(bakeAll))
		tags, c := nodes[0].taken(t)
		// An index and an attestation of each, and the image itself where it was missing.
		// One that had come when the daemon died may lack its tag.
		if most := 3*images - len(there); len(tags) != images || c.manifests > most || c.manifests <= 2*images {
			t.Errorf("%d images were there, and written are %d tags of all and %d manifests, want at most %d", len(there), len(tags), c.manifests, most)
		}
		f.complete(t)
	})
	t.Run("another daemon, only what is missing", func(t *testing.T) {
		const images = 40
		f := newFleet(t, nodes, images)
		there := f.killed(t, nodes[0], 20)
		f.use(t, "second")
		f.run(t, calmly(bakeMissing))
		tags, _ := nodes[1].taken(t)
		for _, tag := range tags {
			if slices.Contains(there, tag) {
				t.Errorf("%s was there, and is written again", tag)
			}
		}
		f.complete(t)
	})
}

// killed begins a bake on the first node, and kills the daemon when so many images are
// there. It gives the tags that are.
func (f *fleet) killed(t *testing.T, n *node, after int) []string {
	t.Helper()
	f.use(t, "first")
	f.rename(t)
	client := f.command(t, calmly(bakeAll))
	if err := client.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- client.Wait() }()
	for n.tagged() < after {
		select {
		case err := <-ended:
			t.Fatalf("the bake has ended with %d images: %v", n.tagged(), err)
		case <-time.After(10 * time.Millisecond):
		}
	}
	if err := n.KillDaemon(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err == nil {
		t.Error("the client does not say that its daemon has died")
	}
	n.taken(t)
	there := tagsOf(t, f.repository)
	if len(there) < after || len(there) == len(f.bases) {
		t.Fatalf("%d of %d images are there when the daemon has died, want some of them", len(there), len(f.bases))
	}
	return there
}

// What further images of a repository cost the registry, and what is written for images
// that are there.
func TestBakedAgain(t *testing.T) {
	const images = 3
	nodes := newNodes(t, "first", "second")
	f := newFleet(t, nodes, 2*images)
	half := func(builder, part string) string {
		return "docker buildx bake --builder " + builder + " --push $(jq -r '.group.default.targets[" + part + "][]' docker-bake.json)"
	}
	f.run(t, half("first", ":3"))
	nodes[0].taken(t)
	for _, tt := range []struct {
		line string
		node int
		tags int
		want counts // for each image
	}{
		// A config, an attestation; the layer that the base has alone.
		{half("first", "3:"), 0, images, counts{manifests: 3, uploads: 2, mounts: 1}},
		{half("first", "3:"), 0, images, counts{manifests: 2, uploads: 1}},
		{half("second", "3:"), 1, images, counts{manifests: 2, uploads: 1}},
		{half("first", "3:") + " --provenance=false", 0, images, counts{manifests: 1}},
		{half("first", "3:") + " --provenance=false", 0, 0, counts{}},
		{half("second", "3:") + " --provenance=false", 1, 0, counts{}},
	} {
		f.run(t, tt.line)
		n := nodes[tt.node]
		asked := n.asked()
		tags, c := n.taken(t)
		want := counts{manifests: images * tt.want.manifests, uploads: images * tt.want.uploads, mounts: images * tt.want.mounts}
		if len(tags) != tt.tags || c != want {
			t.Errorf("%s: written are %d tags and %+v, want %d and %+v", tt.line, len(tags), c, tt.tags, want)
		}
		if asked > 30*images { // docs/scaling.md says 24 for an image
			t.Errorf("%s: %d requests for %d images", tt.line, asked, images)
		}
	}
}
