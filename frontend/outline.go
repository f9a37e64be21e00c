package frontend

import (
	"github.com/moby/buildkit/frontend/subrequests/outline"
	"github.com/moby/buildkit/solver/pb"

	"github.com/openhands/llb-frontend/frontend/spec"
	ohllb "github.com/openhands/llb-frontend/llb"
)

// outline answers --call=outline: what the target is, and what a build of it
// takes. It is there for args without a value, too: the answer says which.
func (r *request) outline() (*outline.Outline, error) {
	doc, err := spec.LoadOutline(r.src.Filename, r.src.Data, r.args(r.firstPlatform()))
	if err != nil {
		return nil, err
	}
	t, err := findTarget(r.Target)
	if err != nil {
		return nil, err
	}
	o := &outline.Outline{Name: t.name, Description: t.description}
	for _, a := range doc.Outline() {
		o.Args = append(o.Args, outline.Arg{Name: a.Name, Value: a.Value, Description: a.Description, Location: location(doc.Range(a.Path))})
	}
	onBase := t.name != targetDeps
	for _, s := range ohllb.Secrets(&doc.Spec, onBase) {
		o.Secrets = append(o.Secrets, outline.Secret{Name: s})
	}
	if ohllb.UsesSSH(&doc.Spec, onBase) {
		o.SSH = []outline.SSH{{Name: "default"}}
	}
	return o, nil
}

func location(rng spec.Range) *pb.Location {
	return &pb.Location{Ranges: []*pb.Range{ohllb.PBRange(rng)}}
}
