package frontend

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/gateway/client"
	gwpb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/apicaps"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	fstypes "github.com/tonistiigi/fsutil/types"

	"github.com/openhands/llb-frontend/frontend/lock"
)

// stub is a gateway without BuildKit: images are configs and file systems in
// memory, and a solve only records the definition.
type stub struct {
	client.Client // methods that are not stubbed panic

	spec   string
	lock   string // the file beside the spec; "" for none
	list   string // the list of bases beside it; "" for none
	opts   map[string]string
	images map[string]stubImage // by familiar reference
	// checkout is what every source holds that is neither the spec nor an image.
	checkout fstest.MapFS
	without  []apicaps.CapID // caps that this engine lacks
	// resolving is called with each image that is asked for, if set.
	resolving func(ref string)
	// noDigest is an image that has none.
	noDigest string

	mu       sync.Mutex
	solved   []*pb.Definition // those that have an image
	all      []*pb.Definition
	read     []string // images whose files were read
	warnings []string
	// warningSteps are the warnings that are shown as steps.
	warningSteps []string
}

type stubImage struct {
	config dockerspec.DockerOCIImage
	files  fstest.MapFS
	err    error
	digest digest.Digest // "" for one of the name
	only   string        // the architecture that there is; "" for all
}

func config(arch string, labels map[string]string) dockerspec.DockerOCIImage {
	var img dockerspec.DockerOCIImage
	img.OS, img.Architecture = "linux", arch
	img.RootFS = ocispecs.RootFS{Type: "layers", DiffIDs: []digest.Digest{digest.FromString(arch)}}
	img.Config.Labels = labels
	return img
}

func (s *stub) BuildOpts() client.BuildOpts {
	list := pb.Caps.All()
	for _, c := range list {
		if slices.Contains(s.without, apicaps.CapID(c.ID)) {
			c.Enabled = false
		}
	}
	caps := pb.Caps.CapSet(list)
	gwList := gwpb.Caps.All()
	for _, c := range gwList {
		if slices.Contains(s.without, apicaps.CapID(c.ID)) {
			c.Enabled = false
		}
	}
	opts := map[string]string{"filename": "openhands.yaml", "source": "example.com/frontend:1"}
	for k, v := range s.opts {
		opts[k] = v
	}
	return client.BuildOpts{
		Opts:      opts,
		SessionID: "session",
		Workers:   []client.WorkerInfo{{Platforms: []ocispecs.Platform{{OS: "linux", Architecture: "amd64"}}}},
		LLBCaps:   caps,
		Caps:      gwpb.Caps.CapSet(gwList),
	}
}

func (s *stub) Inputs(context.Context) (map[string]llb.State, error) { return nil, nil }

func (s *stub) Warn(_ context.Context, _ digest.Digest, msg string, _ client.WarnOpts) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.warnings = append(s.warnings, msg)
	return nil
}

func (s *stub) ResolveImageConfig(_ context.Context, ref string, opt sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	if s.resolving != nil {
		s.resolving(ref)
	}
	ref, dgst, _ := strings.Cut(ref, "@")
	img, ok := s.images[strings.TrimPrefix(ref, "docker.io/library/")]
	if !ok {
		return "", "", nil, fmt.Errorf("%s: not found", ref)
	}
	if img.err != nil {
		return "", "", nil, img.err
	}
	if got := opt.ImageOpt.Platform.Architecture; img.only != "" && img.only != got {
		return "", "", nil, fmt.Errorf("%s: no match for platform in manifest: not found", ref)
	}
	c := img.config
	if c.Architecture == "" {
		c = config(opt.ImageOpt.Platform.Architecture, c.Config.Labels)
	}
	dt, err := json.Marshal(c)
	if strings.HasSuffix(ref, "/"+s.noDigest) {
		return ref, "", dt, err
	}
	if dgst != "" {
		return ref + "@" + dgst, digest.Digest(dgst), dt, err
	}
	if img.digest != "" {
		return ref, img.digest, dt, err
	}
	return ref, digest.FromString(ref), dt, err
}

func (s *stub) Solve(_ context.Context, req client.SolveRequest) (*client.Result, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range req.Definition.Metadata {
		if msg, ok := strings.CutPrefix(m.Description["llb.customname"], "[warning] "); ok {
			s.warningSteps = append(s.warningSteps, msg)
		}
	}
	res := client.NewResult()
	ref := &stubRef{stub: s}
	for _, dt := range req.Definition.Def {
		var op pb.Op
		if err := op.Unmarshal(dt); err != nil {
			return nil, err
		}
		id := op.GetSource().GetIdentifier()
		switch {
		case strings.HasPrefix(id, "local://dockerfile"), strings.HasPrefix(id, "git://"):
			ref.files = fstest.MapFS{"openhands.yaml": {Data: []byte(s.spec)}}
			if s.lock != "" {
				ref.files[lock.Name] = &fstest.MapFile{Data: []byte(s.lock)}
			}
			if s.list != "" {
				ref.files[lock.ListName] = &fstest.MapFile{Data: []byte(s.list)}
			}
		case strings.HasPrefix(id, "local://"):
			ref.files = s.checkout
		case strings.HasPrefix(id, "docker-image://docker.io/library/"):
			name, _, _ := strings.Cut(strings.TrimPrefix(id, "docker-image://docker.io/library/"), "@")
			ref.name, ref.files = name, s.images[name].files
		}
	}
	s.all = append(s.all, req.Definition)
	if ref.name != "" {
		s.solved = append(s.solved, req.Definition)
	}
	res.SetRef(ref)
	return res, nil
}

// stubRef serves the files of the last image in a definition.
type stubRef struct {
	client.Reference
	stub  *stub
	name  string
	files fstest.MapFS
}

func (r *stubRef) note() {
	if r.name != "" {
		r.stub.mu.Lock()
		defer r.stub.mu.Unlock()
		r.stub.read = append(r.stub.read, r.name)
	}
}

func (r *stubRef) ReadFile(_ context.Context, req client.ReadRequest) ([]byte, error) {
	r.note()
	f, ok := r.files[strings.TrimPrefix(req.Filename, "/")]
	if !ok {
		return nil, fmt.Errorf("open %s: no such file or directory", req.Filename)
	}
	if r := req.Range; r != nil {
		return f.Data[r.Offset:min(r.Offset+r.Length, len(f.Data))], nil
	}
	return f.Data, nil
}

func (r *stubRef) StatFile(_ context.Context, req client.StatRequest) (*fstypes.Stat, error) {
	st, err := fs.Stat(r.files, strings.TrimPrefix(req.Path, "/"))
	if err != nil {
		return nil, fmt.Errorf("lstat %s: no such file or directory", req.Path)
	}
	return &fstypes.Stat{Mode: uint32(st.Mode()), Size: st.Size()}, nil
}

func (r *stubRef) ReadDir(_ context.Context, req client.ReadDirRequest) ([]*fstypes.Stat, error) {
	r.note()
	seen := map[string]*fstypes.Stat{}
	dir := strings.Trim(req.Path, "/")
	for name, f := range r.files {
		rest := name
		if dir != "" {
			var ok bool
			if rest, ok = strings.CutPrefix(name, dir+"/"); !ok {
				continue
			}
		}
		first, _, deeper := strings.Cut(rest, "/")
		if req.IncludePattern != "" && first != req.IncludePattern {
			continue
		}
		switch {
		case deeper && seen[first] == nil:
			seen[first] = &fstypes.Stat{Path: first, Mode: uint32(fs.ModeDir | 0o755)}
		case !deeper:
			st := &fstypes.Stat{Path: path.Base(name), Mode: uint32(f.Mode), Size: int64(len(f.Data))}
			st.Xattrs, _ = f.Sys.(map[string][]byte)
			if f.Mode&fs.ModeSymlink != 0 {
				st.Linkname = string(f.Data)
			}
			seen[first] = st
		}
	}
	var list []*fstypes.Stat
	for _, st := range seen {
		list = append(list, st)
	}
	return list, nil
}

func run(t *testing.T, s *stub) (*client.Result, error) {
	t.Helper()
	return Build(t.Context(), s)
}
