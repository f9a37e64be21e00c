package frontend

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/frontend/gateway/client"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/openhands/llb-frontend/frontend/spec"
	"github.com/openhands/llb-frontend/frontend/tags"
)

// tagsResult answers --call=openhands.tags.
type tagsResult struct {
	// Tags are those of the image or, for several platforms, of the index.
	Tags tags.Set `json:"tags"`
	// Names are the tags behind the repository that the request names.
	Names []string `json:"names,omitempty"`
	// Platforms has the tags of each platform's image.
	Platforms map[string]tags.Set `json:"platforms"`
	// Missing says why there is no tag of a kind.
	Missing map[tags.Kind]string `json:"missing,omitempty"`
}

// tags answers a request for the tags of a target: it reads what a build with
// RUNTIME_IMAGE_REPO would read for them, and builds no image.
func (r *request) tags(ctx context.Context, doc *spec.Document) (*client.Result, error) {
	if err := r.prepare(doc); err != nil {
		return nil, err
	}
	if r.target.name != targetRuntime && r.target.name != targetDeps {
		return nil, fmt.Errorf("target %q gives no image that tags could name: ask for those of %q or %q", r.target.name, targetRuntime, targetDeps)
	}
	res := tagsResult{Platforms: map[string]tags.Set{}, Missing: map[tags.Kind]string{}}
	for _, p := range r.TargetPlatforms {
		one, err := r.on(p)
		if err != nil {
			return nil, err
		}
		t, err := one.platformTags(ctx, p)
		if err != nil {
			return nil, err
		}
		res.Platforms[platforms.Format(p)] = t.set
		for k, reason := range t.missing {
			res.Missing[k] = reason
		}
	}
	res.Tags = tags.Join(res.Platforms)
	if r.repository != "" {
		res.Names = res.Tags.Names(r.repository)
	}
	return res.result()
}

// platformTags reads what the tags of one platform's image need.
func (r *request) platformTags(ctx context.Context, p ocispecs.Platform) (tagging, error) {
	in := r.input(p)
	var err error
	if r.target.name == targetRuntime {
		if in.Base, err = r.base(ctx, p); err != nil {
			return tagging{}, err
		}
	}
	if in, err = r.openhands(ctx, in); err != nil {
		return tagging{}, err
	}
	return r.tagsOf(ctx, in, true)
}

func (t tagsResult) result() (*client.Result, error) {
	dt, err := json.MarshalIndent(t, "", "  ")
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	if err := t.print(&text); err != nil {
		return nil, err
	}
	return answer(tagsRequest(), dt, text.Bytes()), nil
}

// print writes a line for each tag, with its kind, and behind them why others are
// missing.
func (t tagsResult) print(w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	_, _ = fmt.Fprint(tw, "KIND\tTAG\n")
	names := t.Names
	for _, k := range tags.Kinds() {
		tag, ok := t.Tags[k]
		if !ok {
			continue
		}
		if len(names) > 0 {
			tag, names = names[0], names[1:]
		}
		_, _ = fmt.Fprintf(tw, "%s\t%s\n", k, tag)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	for _, reason := range (tagging{missing: t.Missing}).reasons() {
		if _, err := fmt.Fprintf(w, "\n%s\n", reason); err != nil {
			return err
		}
	}
	return nil
}
