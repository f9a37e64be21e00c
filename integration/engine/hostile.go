package engine

import (
	"context"
	_ "embed" // the preloaded library's source
	"fmt"
	"path"
)

// The layers below put in the way of foreign programs what images in use have.

// cudaLayer is what images of CUDA and conda do: a directory of libraries that
// LD_LIBRARY_PATH names. It holds the base's own glibc and more, which the
// base's programs can load and those of another glibc cannot.
var cudaLayer = layerRecipe{key: "cuda-like", make: func(ctx context.Context, e *Engine, arch string) (tree, error) {
	triplet := debianTriplet(arch)
	loader := map[string]string{"amd64": "ld-linux-x86-64.so.2", "arm64": "ld-linux-aarch64.so.1"}[arch]
	names := []string{
		loader, "libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1", "libresolv.so.2",
		"libgcc_s.so.1", "libstdc++.so.6", "libtinfo.so.6", "libz.so.1", "libpcre2-8.so.0",
	}
	packages, err := e.debianPackages(ctx, arch, "bookworm", "libc6", "libstdc++6", "libtinfo6", "zlib1g", "libpcre2-8-0")
	if err != nil {
		return nil, err
	}
	t := tree{}
	for _, name := range names {
		library, err := packages.library(triplet, name)
		if err != nil {
			return nil, err
		}
		t.file("usr/local/cuda/lib64/"+name, 0o755, library)
	}
	return t, nil
}}

// library is the content of a library of Debian, found through its links.
func (t tree) library(triplet, name string) (string, error) {
	for _, dir := range []string{"usr/lib/", "lib/"} {
		p := dir + triplet + "/" + name
		for e, ok := t[p]; ok; e, ok = t[p] {
			if e.header.Linkname == "" {
				return string(e.data), nil
			}
			p = path.Join(path.Dir(p), e.header.Linkname)
		}
	}
	return "", fmt.Errorf("no library %q in the layer", name)
}

func debianTriplet(arch string) string {
	return map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[arch] + "-linux-gnu"
}

const jemalloc = "usr/local/lib/libjemalloc.so.2"

// jemallocLayer holds an allocator that LD_PRELOAD names, with the library that
// it needs and the smallest Debian lacks.
var jemallocLayer = layerRecipe{key: "jemalloc-libstdc++", make: func(ctx context.Context, e *Engine, arch string) (tree, error) {
	packages, err := e.debianPackages(ctx, arch, "bookworm", "libjemalloc2")
	if err != nil {
		return nil, err
	}
	triplet := debianTriplet(arch)
	t := tree{}
	for name, to := range map[string]string{
		"libjemalloc.so.2": jemalloc,
		"libstdc++.so.6":   "usr/lib/" + triplet + "/libstdc++.so.6",
	} {
		library, err := packages.library(triplet, name)
		if err != nil {
			return nil, err
		}
		t.file(to, 0o644, library)
	}
	return t, nil
}}

//go:embed musl_preload.txt
var muslPreload string

const muslPreloadPath = "usr/lib/libpreload.so"

// muslPreloadLayer holds a library linked against musl that LD_PRELOAD names.
var muslPreloadLayer = layerRecipe{key: "musl-preload", make: func(ctx context.Context, e *Engine, _ string) (tree, error) {
	library, err := e.compileMusl(ctx, muslPreload, "-shared", "-fPIC")
	if err != nil {
		return nil, err
	}
	t := tree{}
	t.file(muslPreloadPath, 0o755, library)
	return t, nil
}}

// lib64Layer makes /lib64 a symlink where no glibc is.
var lib64Layer = layerRecipe{key: "lib64", make: func(context.Context, *Engine, string) (tree, error) {
	t := tree{}
	t.symlink("lib64", "lib")
	return t, nil
}}

// nsswitchLayer names services whose modules nobody has, and breaks the syntax
// of nsswitch.conf(5).
var nsswitchLayer = layerRecipe{key: "nsswitch", make: func(context.Context, *Engine, string) (tree, error) {
	t := tree{}
	t.file("etc/nsswitch.conf", 0o644, "passwd: sss winbind files\ngroup sss\n]hosts: [\nhosts: mdns4_minimal nosuch files dns\n")
	return t, nil
}}
