package main

import (
	"context"
	"os"
	"strings"
)

// placer decides which files of an unpacked distribution a component keeps.
type placer func(opt options, t *tree, say func(string, ...any)) (*output, error)

// makeComponent tells the whole story of lib and tools: fetch the packages and
// all that they depend on, unpack them, keep what is wanted, seal it, write it,
// check what was written.
func makeComponent(ctx context.Context, opt options, packages []string, say func(string, ...any), place placer) error {
	return withPackages(ctx, opt, packages, say, newTree, func(t *tree) (err error) {
		out, err := place(opt, t, say)
		if err != nil {
			return err
		}
		if _, err := out.record(t); err != nil {
			return err
		}
		if err := out.write(opt.out); err != nil {
			return err
		}
		defer func() {
			if err != nil {
				err = joinRemove(err, opt.out)
			}
		}()
		say("sealed %d of %s", out.sealed, count(out.elf, "ELF file"))
		return checkComponent(opt.arch, append([]string{opt.out}, opt.libs...), say)
	})
}

// withPackages fetches packages with all that they depend on, and unpacks them
// to a place that is gone when use has returned.
func withPackages(ctx context.Context, opt options, packages []string, say func(string, ...any),
	newTree func(requested []string) *tree, use func(*tree) error) error {
	b, err := findBuilder()
	if err != nil {
		return err
	}
	requested, err := packageNames(packages)
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "oh-seal-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)

	debs, err := b.fetch(ctx, opt, packages, work, say)
	if err != nil {
		return err
	}
	say("unpack %s", count(len(debs), "package"))
	t := newTree(requested)
	for _, d := range debs {
		if err := b.unpack(ctx, d, t, work); err != nil {
			return err
		}
	}
	return use(t)
}

// packageNames strips the versions of NAME=VERSION.
func packageNames(packages []string) ([]string, error) {
	var names []string
	for _, p := range packages {
		if err := checkPackage(p); err != nil {
			return nil, err
		}
		name, _, _ := strings.Cut(p, "=")
		names = append(names, name)
	}
	return names, nil
}
