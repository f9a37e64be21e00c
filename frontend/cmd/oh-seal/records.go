package main

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Where a component says which packages of the distribution its files are of. Syft
// looks for dpkg's records below any directory, in a file for each package as images
// without a package manager have them (its pkg/cataloger/debian).
const (
	recordsDir = "/openhands/lib/dpkg/status.d"
	termsDir   = "/openhands/doc"
)

// The same in a root of unpacked packages, with dpkg's lists of their files.
const (
	rootRecords = "/var/lib/dpkg/status.d"
	rootLists   = "/var/lib/dpkg/info"
	rootTerms   = "/usr/share/doc"
)

// terms is where a package has its licence and whose work it is (Debian Policy 12.5).
func terms(pkg string) string { return path.Join(rootTerms, pkg, "copyright") }

// isTerms says that p leads to a package's terms: the directory may be a link to
// another package's.
func isTerms(pkg, p string) bool { return p == terms(pkg) || p == path.Dir(terms(pkg)) }

// record plans what is known of the packages that files of the component are of, but
// for what a component below says already. It returns the paths that this adds.
func (o *output) record(t *tree) (added []string, err error) {
	packages := map[string]bool{}
	for _, pkg := range o.madeOf {
		packages[pkg] = true
	}
	for _, it := range o.items {
		if it.src != nil {
			packages[it.src.pkg] = true
		}
	}
	for _, pkg := range slices.Sorted(maps.Keys(packages)) {
		control, ok := t.control[pkg]
		if !ok {
			continue // no package: files of a script
		}
		texts := map[string][]byte{path.Join(recordsDir, pkg): control}
		if e := t.resolve(terms(pkg)); e != nil {
			if texts[path.Join(termsDir, pkg, "copyright")], err = os.ReadFile(e.data.disk); err != nil {
				return nil, err
			}
		}
		for _, p := range slices.Sorted(maps.Keys(texts)) {
			if _, there := o.items[p]; there || o.below(p, texts[p]) {
				continue
			}
			o.items[p] = item{data: texts[p]}
			added = append(added, p)
		}
	}
	return added, nil
}

// below says whether a component below has the same file.
func (o *output) below(p string, data []byte) bool {
	return slices.ContainsFunc(o.libs, func(lib string) bool {
		theirs, err := os.ReadFile(filepath.Join(lib, p))
		return err == nil && bytes.Equal(theirs, data)
	})
}

// writeRecords writes dpkg's records of the packages, and which files are whose.
func (t *tree) writeRecords(root string) error {
	for _, pkg := range slices.Sorted(maps.Keys(t.control)) {
		var list strings.Builder
		for _, e := range t.of(pkg) {
			list.WriteString(e.path + "\n")
		}
		for name, data := range map[string][]byte{
			path.Join(rootRecords, pkg):       t.control[pkg],
			path.Join(rootLists, pkg+".list"): []byte(list.String()),
		} {
			file := filepath.Join(root, name)
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				return err
			}
			if err := os.WriteFile(file, data, 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

// readRecords is the reverse of writeRecords. It returns the packages of paths.
func (t *tree) readRecords(root string) (owner map[string]string, err error) {
	owner = map[string]string{}
	records, err := os.ReadDir(filepath.Join(root, rootRecords))
	if errors.Is(err, fs.ErrNotExist) {
		return owner, nil // not a root of unpackPackages
	}
	if err != nil {
		return nil, err
	}
	for _, record := range records {
		pkg := record.Name()
		if t.control[pkg], err = os.ReadFile(filepath.Join(root, rootRecords, pkg)); err != nil {
			return nil, err
		}
		list, err := os.ReadFile(filepath.Join(root, rootLists, pkg+".list"))
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(string(list)) {
			owner[strings.TrimSuffix(line, "\n")] = pkg
		}
	}
	docs := filepath.Join(root, rootTerms)
	if _, err := os.Stat(docs); errors.Is(err, fs.ErrNotExist) {
		return owner, nil
	}
	return owner, t.readDir(docs, rootTerms)
}

// telling is the size, in bytes, from which a file says whose it is. Smaller ones are
// alike in packages that have nothing to do with each other, such as two builds of a
// browser.
const telling = 1024

// taken lists the packages that whoever laid the component out has taken files of:
// those that have a file of the same name and content.
func taken(component []*entry, root string, owner map[string]string) ([]string, error) {
	type look struct {
		name string
		size int64
	}
	candidates := map[look][]string{}
	for _, e := range component {
		if e.data == nil {
			continue
		}
		info, err := os.Lstat(e.data.disk)
		if err != nil {
			return nil, err
		}
		l := look{path.Base(e.path), info.Size()}
		candidates[l] = append(candidates[l], e.data.disk)
	}
	var found []string
	for _, p := range slices.Sorted(maps.Keys(owner)) {
		name := filepath.Join(root, p)
		info, err := os.Lstat(name)
		if err != nil || !info.Mode().IsRegular() || info.Size() < telling || slices.Contains(found, owner[p]) {
			continue // a script may move what it takes
		}
		for _, other := range candidates[look{path.Base(p), info.Size()}] {
			same, err := sameContent(name, other)
			if err != nil {
				return nil, err
			}
			if same {
				found = append(found, owner[p])
				break
			}
		}
	}
	return found, nil
}

func sameContent(a, b string) (bool, error) {
	one, err := os.ReadFile(a)
	if err != nil {
		return false, err
	}
	other, err := os.ReadFile(b)
	return bytes.Equal(one, other), err
}
