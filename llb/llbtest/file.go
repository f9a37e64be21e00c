package llbtest

import (
	"fmt"

	"github.com/moby/buildkit/solver/pb"
)

// fileAction writes one action of a file vertex. Inputs below the number of
// the vertex's inputs are those; others are results of actions before.
func (r *renderer) fileAction(op *pb.Op, a *pb.FileAction, brief bool) {
	if f := a.GetMkfile(); f != nil && brief {
		r.line("   mkfile %s", f.Path)
		return
	}
	switch f := a.Action.(type) {
	case *pb.FileAction_Mkdir:
		r.line("   mkdir %s %04o %s%s", f.Mkdir.Path, f.Mkdir.Mode, owner(f.Mkdir.Owner), at(f.Mkdir.Timestamp))
	case *pb.FileAction_Mkfile:
		r.line("   mkfile %s %04o %s%s %q", f.Mkfile.Path, f.Mkfile.Mode, owner(f.Mkfile.Owner), at(f.Mkfile.Timestamp), f.Mkfile.Data)
	case *pb.FileAction_Symlink:
		r.line("   symlink %s -> %s %s%s", f.Symlink.Newpath, f.Symlink.Oldpath, owner(f.Symlink.Owner), at(f.Symlink.Timestamp))
	case *pb.FileAction_Copy:
		from := "above"
		if n := int(a.SecondaryInput); n < len(op.Inputs) {
			from = r.input(op.Inputs[n])
		}
		mode := ""
		if f.Copy.Mode >= 0 {
			mode = fmt.Sprintf(" %04o", f.Copy.Mode)
		}
		r.line("   copy %s %s to %s%s %s%s", from, f.Copy.Src, f.Copy.Dest, mode, owner(f.Copy.Owner), at(f.Copy.Timestamp))
	default:
		r.line("   %T", f)
	}
}

func owner(o *pb.ChownOpt) string {
	if o == nil {
		return "-"
	}
	return fmt.Sprintf("%d:%d", o.User.GetByID(), o.Group.GetByID())
}

func at(ns int64) string {
	if ns < 0 {
		return ""
	}
	return fmt.Sprintf(" at %d", ns/1e9)
}
