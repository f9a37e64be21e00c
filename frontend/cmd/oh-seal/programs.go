package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"github.com/openhands/llb-frontend/llb/seal"
)

// programs seals executables of other people's trees, where they lie.
type programs struct {
	archs []seal.Arch

	mu      sync.Mutex
	linked  map[fileID][]string // names of files with several, which wait for the others
	sealed  int
	skipped map[string]string // path -> why it was left alone
	errs    map[string]error
}

// sealPrograms seals the executables below paths. Libraries stay as they are,
// and with them every directory that a file names: such a tree lies outside
// /openhands and may well need its own. A file that cannot be sealed does not
// keep the others from it.
func sealPrograms(archs []seal.Arch, paths []string, say func(string, ...any)) error {
	p := &programs{archs: archs, linked: map[fileID][]string{}, skipped: map[string]string{}, errs: map[string]error{}}
	names := make(chan string, 1024)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for name := range names {
				p.program(name)
			}
		})
	}
	for _, top := range paths {
		p.walk(top, names)
	}
	close(names)
	workers.Wait()
	p.sealLinked()

	for _, name := range slices.Sorted(maps.Keys(p.skipped)) {
		say("left alone: %s: %s", name, p.skipped[name])
	}
	say("sealed %s", count(p.sealed, "program"))
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(p.errs)) {
		errs = append(errs, p.errs[name])
	}
	return errors.Join(errs...)
}

// walk sends the regular files below top. Symbolic links are not followed: what
// they lead to may be anybody's.
func (p *programs) walk(top string, names chan<- string) {
	info, err := os.Lstat(top)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		p.fail(top, fmt.Errorf("%q is neither a command nor a path that exists\n%s", top, usage))
		return
	case err == nil && info.Mode()&fs.ModeSymlink != 0:
		p.fail(top, fmt.Errorf("%s is a symbolic link: name what it leads to", top))
		return
	}
	// The function given to WalkDir returns no error, so WalkDir does not.
	_ = filepath.WalkDir(top, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			p.fail(name, err)
		} else if d.Type().IsRegular() {
			names <- name
		}
		return nil
	})
}

func (p *programs) program(name string) {
	f, info, err := openRegular(name)
	if err != nil {
		p.fail(name, err)
		return
	}
	defer f.Close()
	file, edits, err := p.inspect(f)
	if err != nil {
		p.skip(name, err.Error())
		return
	}
	switch {
	case file.Kind == seal.Foreign:
		p.skip(name, "for another machine, "+file.Machine)
	case file.Kind == seal.Static, file.Kind == seal.StaticPIE:
		p.skip(name, file.Kind.String()+", needs no loader")
	case file.Interp == seal.Interpreter:
		p.skip(name, "sealed already")
	case len(edits) == 0: // no program
	case info.Mode()&(fs.ModeSetuid|fs.ModeSetgid) != 0:
		p.skip(name, "setuid or setgid: our loader must not get its rights")
	default:
		if id, links := idOf(info); links > 1 {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.linked[id] = append(p.linked[id], name)
			return
		}
		p.write(name, f)
	}
}

// sealLinked seals files with several names when all of them are known. One that
// has a name elsewhere is somebody else's too.
func (p *programs) sealLinked() {
	for id, names := range p.linked {
		for _, name := range names {
			f, info, err := openRegular(name)
			if err != nil {
				p.fail(name, err)
				continue
			}
			if now, links := idOf(info); now == id && links > uint64(len(names)) {
				p.skip(name, "a hard link to a file outside: name that too, or make a copy of it")
			} else {
				p.write(name, f)
			}
			f.Close()
		}
	}
}

// inspect reads a file as one of the architectures that are to be sealed.
func (p *programs) inspect(f *os.File) (file seal.File, edits []seal.Edit, err error) {
	for _, arch := range p.archs {
		file, err = seal.Inspect(f, arch)
		if err == nil && file.Kind == seal.Foreign {
			continue
		}
		if err == nil {
			edits, err = seal.InterpreterEdits(file, arch)
		}
		break
	}
	return file, edits, err
}

// write looks again before it writes: a hard link may have been sealed under
// its other name since.
func (p *programs) write(name string, f *os.File) {
	info, err := f.Stat()
	if err != nil {
		p.fail(name, err)
		return
	}
	_, edits, err := p.inspect(f)
	if err == nil && len(edits) > 0 {
		err = overwrite(f, info, edits)
	}
	switch {
	case err != nil:
		p.fail(name, err)
	case len(edits) > 0:
		p.mu.Lock()
		defer p.mu.Unlock()
		p.sealed++
	}
}

func (p *programs) skip(name, why string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.skipped[name] = why
}

func (p *programs) fail(name string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.errs[name] = err
}
