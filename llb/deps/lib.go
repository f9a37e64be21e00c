package deps

// lib is the lowest layer and changes least: the loader, libc and the
// libraries and data that several components share.
func (in Input) lib() Component {
	step := in.Step("lib", "deps.builder", "fetch and seal the loader, libc and shared data")
	return Component{Name: "lib", State: in.seal(step, []string{"lib"})}
}
