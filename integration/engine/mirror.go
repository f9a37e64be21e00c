package engine

import (
	"context"
	"os"

	"github.com/openhands/llb-frontend/integration/mirror"
)

// Mirror is a local stand-in for the places that a build downloads from.
type Mirror struct {
	URL      string // of its root
	Versions mirror.Versions
	Content  mirror.Content // digests of all files of the parts that were asked for
}

// Addresses are the values of a spec's mirrors, by key.
func (m *Mirror) Addresses() map[string]string {
	return map[string]string{
		"node":       m.URL + "/node",
		"github":     m.URL + "/github",
		"playwright": m.URL + "/playwright",
		"conda":      m.URL + "/conda",
	}
}

// Mirror makes the wanted parts of the mirror (mirror.Node and so on) in their
// default versions, and starts it when it does not run.
func (e *Engine) Mirror(ctx context.Context, parts ...string) (*Mirror, error) {
	return e.MirrorOf(ctx, mirror.DefaultVersions(), parts...)
}

// MirrorOf is Mirror with the versions given.
func (e *Engine) MirrorOf(ctx context.Context, versions mirror.Versions, parts ...string) (*Mirror, error) {
	content, err := e.mirrorContent(ctx, versions, parts)
	if err != nil {
		return nil, err
	}
	unlock, err := e.lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	if e.pid("mirror") == 0 {
		if err := e.buildTools(ctx); err != nil {
			return nil, err
		}
	}
	if err := e.startMirror(ctx); err != nil {
		return nil, err
	}
	return &Mirror{URL: e.mirrorURL(), Versions: versions, Content: content}, nil
}

// mirrorContent has a lock of its own: making it takes minutes.
func (e *Engine) mirrorContent(ctx context.Context, versions mirror.Versions, parts []string) (mirror.Content, error) {
	unlock, err := e.lockFile("mirror.lock")
	if err != nil {
		return nil, err
	}
	defer unlock()
	maker := &mirror.Maker{Dir: e.path("mirror"), Versions: versions, NeedPrograms: e.NeedPrograms, Logf: e.logf}
	return maker.Make(ctx, parts...)
}

func (e *Engine) mirrorURL() string { return "http://" + e.address("mirror", defaultMirror) }

// startMirror serves what has been made and what will be.
func (e *Engine) startMirror(ctx context.Context) error {
	if err := e.chooseAddress(ctx, "mirror", e.address("mirror", defaultMirror), ""); err != nil {
		return err
	}
	addr := e.address("mirror", defaultMirror)
	files := (&mirror.Maker{Dir: e.path("mirror")}).Files()
	if err := os.MkdirAll(files, 0o755); err != nil {
		return err
	}
	return e.start(ctx, daemon{
		name:   "mirror",
		argv:   []string{e.Bin("mirror"), "-listen", addr, "-dir", files},
		config: addr + " " + files + "\n", // for start, to see a change
		ready:  func(ctx context.Context) error { return ping(ctx, "http://"+addr+"/") },
	})
}
