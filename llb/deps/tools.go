package deps

import (
	"strings"

	"github.com/moby/buildkit/client/llb"
)

// tools holds the wanted distribution packages. It sees the lib component and
// adds only the libraries that lib lacks.
func (in graph) tools(lib Component) Component {
	step := in.Step("tools", "deps.tools", "install "+strings.Join(in.Spec.Tools, ", "))
	args := append([]string{"tools", "--lib", libMount}, in.Spec.Tools...)
	return Component{
		Name:  "tools",
		State: in.seal(step, args, llb.AddMount(libMount, lib.State, llb.Readonly)),
	}
}
