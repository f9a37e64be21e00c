package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/openhands/llb-frontend/llb/seal"
)

// checkTree walks the /openhands of one or several components that belong
// together. Every program must name our loader, and every needed library must
// be found inside; each violation is an error.
func checkTree(arch seal.Arch, roots []string) error {
	var errs []error
	if !anyHas(roots, seal.Interpreter) {
		errs = append(errs, fmt.Errorf("loader %s is missing", seal.Interpreter))
	}
	for _, root := range roots {
		top := filepath.Join(root, "openhands")
		err := filepath.WalkDir(top, func(name string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			inside := strings.TrimPrefix(name, filepath.Clean(root))
			errs = append(errs, checkFile(arch, roots, name, inside)...)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return errors.Join(errs...)
}

func checkFile(arch seal.Arch, roots []string, name, inside string) []error {
	r, err := os.Open(name)
	if err != nil {
		return []error{err}
	}
	defer r.Close()
	f, err := seal.Inspect(r, arch)
	if err != nil {
		return []error{fmt.Errorf("%s: %w", inside, err)}
	}
	var errs []error
	if f.Interp != "" && f.Interp != seal.Interpreter {
		errs = append(errs, fmt.Errorf("%s: interpreter %s is outside", inside, f.Interp))
	}
	for _, lib := range f.Needed {
		if lib != arch.Loader && !libraryInside(arch, roots, f, path.Dir(inside), lib) {
			errs = append(errs, fmt.Errorf("%s: needed library %s is not inside", inside, lib))
		}
	}
	return errs
}

// libraryInside looks where the sealed loader will. Directories of DT_RUNPATH
// that lie outside do not count.
func libraryInside(arch seal.Arch, roots []string, f seal.File, origin, lib string) bool {
	for _, dir := range f.Runpath {
		dir = path.Clean(expandOrigin(dir, origin))
		if strings.HasPrefix(dir, "/openhands/") && anyHas(roots, path.Join(dir, lib)) {
			return true
		}
	}
	return anyHas(roots, path.Join(arch.LibDir(), lib))
}

func anyHas(roots []string, p string) bool {
	for _, root := range roots {
		if info, err := os.Stat(filepath.Join(root, p)); err == nil && info.Mode().IsRegular() {
			return true
		}
	}
	return false
}
