// Package engine runs a local build engine for tests, examples and
// benchmarks: the real buildkitd, buildctl, buildx and distribution registry,
// compiled from the tool lines of integration/go.mod, with base images made
// from Debian's archive. It needs root, Go and a Linux kernel with overlayfs;
// what it needs beyond that it installs with apt-get.
//
// Everything that it writes is below one state directory. [Engine.Up] starts
// what is not running yet, so that calling it again costs almost nothing;
// [Engine.Down] leaves no process, mount or cgroup behind.
//
// The registry listens on loopback only. buildkitd is told to look for images
// of docker.io and ghcr.io there first, so a spec that says alpine:3.22 or
// ghcr.io/openhands/llb-frontend:1 builds unchanged.
package engine
