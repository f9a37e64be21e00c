package integration

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// traffic is what one daemon asks of the registry, and is granted.
type traffic struct {
	mu     sync.Mutex
	tags   []string        // that were written, in order
	pulled map[string]bool // digests of blobs that were asked for
	pushed map[string]bool // digests of manifests that were written
	counts
	requests int
	broken   error // of images that were not whole when a tag began to name them
}

// counts are what was written.
type counts struct {
	manifests int // by a tag or a digest
	uploads   int // blobs that were sent
	mounts    int // blobs that the registry took from another repository
}

// watch notes the requests of a daemon. A tag begins to name an image when the
// manifest is written, so that is when the image has to be whole; the daemon hears of
// it afterwards.
func (f *traffic) watch(registry http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		repository, reference, isManifest := strings.Cut(strings.TrimPrefix(r.URL.Path, "/v2/"), "/manifests/")
		if r.Method == http.MethodGet && !isManifest {
			f.mu.Lock()
			f.pulled[path.Base(r.URL.Path)] = true
			f.mu.Unlock()
		}
		answer := &answer{ResponseWriter: w}
		registry.ServeHTTP(answer, r)
		created := answer.status == http.StatusCreated
		isTag := isManifest && created && !strings.Contains(reference, ":")
		var fault error
		if isTag {
			fault = whole(r.Context(), repository, reference)
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		f.requests++
		f.broken = errors.Join(f.broken, fault)
		switch {
		case !created:
		case r.Method == http.MethodPost:
			f.mounts++
		case !isManifest:
			f.uploads++
		default:
			f.manifests++
			f.pushed[w.Header().Get("Docker-Content-Digest")] = true
			if isTag {
				f.tags = append(f.tags, reference)
			}
		}
	})
}

// answer remembers the status of an answer.
type answer struct {
	http.ResponseWriter
	status int
}

func (a *answer) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

// Unwrap lets a proxy flush.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// taken gives the tags and the counts of writes since its last call. A tag that has
// named an image that was not whole is an error.
func (f *traffic) taken(t *testing.T) ([]string, counts) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.broken != nil {
		t.Errorf("when its tag was written an image was not whole: %v", f.broken)
	}
	tags, c := f.tags, f.counts
	f.tags, f.counts, f.requests, f.broken = nil, counts{}, 0, nil
	return tags, c
}

// tagged is how many tags were written since the last call of taken.
func (f *traffic) tagged() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.tags)
}

// asked is how many requests there were since the last call of taken.
func (f *traffic) asked() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.requests
}

// has tells whether the daemon has written the manifest of a digest.
func (f *traffic) has(digest string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.pushed[digest]
}

// read tells whether the daemon has read any of some blobs.
func (f *traffic) read(digests []string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.ContainsFunc(digests, func(d string) bool { return f.pulled[d] })
}

// whole is an error unless the registry has all that a tag or a digest leads to.
func whole(ctx context.Context, repository, reference string) error {
	resp, err := ask(ctx, http.MethodGet, repository+"/manifests/"+reference)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	type descriptor struct{ Digest string }
	var document struct {
		Manifests, Layers []descriptor
		Config            *descriptor
	}
	if err := json.NewDecoder(resp.Body).Decode(&document); err != nil {
		return fmt.Errorf("%s:%s: %w", repository, reference, err)
	}
	for _, m := range document.Manifests {
		if err := whole(ctx, repository, m.Digest); err != nil {
			return err
		}
	}
	blobs := document.Layers
	if document.Config != nil {
		blobs = append(blobs, *document.Config)
	}
	for _, b := range blobs {
		resp, err := ask(ctx, http.MethodHead, repository+"/blobs/"+b.Digest)
		if err != nil {
			return err
		}
		resp.Body.Close()
	}
	return nil
}

// ask asks the registry for what it must have.
func ask(ctx context.Context, method, path string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(context.WithoutCancel(ctx), method, "http://"+eng.Registry()+"/v2/"+path, http.NoBody)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json")
	resp, err := http.DefaultClient.Do(req)
	if err == nil && resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		return nil, fmt.Errorf("%s: %s", path, resp.Status)
	}
	return resp, err
}

// tagsOf lists the tags of a repository of the local registry, which may be new.
func tagsOf(t *testing.T, repository string) []string {
	t.Helper()
	r, err := name.NewRepository(eng.Registry()+"/"+repository, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	tags, err := remote.List(r)
	if fault := (*transport.Error)(nil); errors.As(err, &fault) && fault.StatusCode == http.StatusNotFound {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return tags
}
