package mirror

import (
	"archive/zip"
	"context"
	"crypto/md5" //nolint:gosec // conda's index has it beside the sha256
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// poetryVersion is of PyPI.
const poetryVersion = "2.2.1"

// condaDir is the channel below the mirror's root.
const condaDir = "conda/conda-forge"

// condaIndex is info/index.json of a package, which repodata.json repeats.
type condaIndex struct {
	Name      string   `json:"name"`
	Version   string   `json:"version"`
	Build     string   `json:"build"`
	Number    int      `json:"build_number"`
	Depends   []string `json:"depends"`
	Arch      string   `json:"arch,omitempty"`
	Platform  string   `json:"platform,omitempty"`
	Subdir    string   `json:"subdir"`
	License   string   `json:"license"`
	Timestamp int64    `json:"timestamp"`
}

func (c condaIndex) dist() string { return c.Name + "-" + c.Version + "-" + c.Build }

// condaRecord is a package in repodata.json.
type condaRecord struct {
	condaIndex
	MD5    string `json:"md5"`
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"`
}

// conda makes a channel with the CPython of the other parts and with poetry,
// whose package also holds all that poetry depends on.
func (w *work) conda(ctx context.Context) error {
	version, _, _ := strings.Cut(w.Versions.Python, "+")
	for _, a := range archs() {
		python, poetry := w.path("python-"+a.name), w.path("poetry-"+a.name)
		if err := w.pythonTree(ctx, a, python); err != nil {
			return err
		}
		if err := w.poetryTree(ctx, a, poetry); err != nil {
			return err
		}
		records := map[string]condaRecord{}
		for _, p := range []struct {
			dir   string
			index condaIndex
		}{
			{python, condaIndex{Name: "python", Version: version, Build: "0_cp313", License: "Python-2.0", Depends: []string{}}},
			{poetry, condaIndex{Name: "poetry", Version: poetryVersion, Build: "py313_0", License: "MIT", Depends: []string{"python 3.13.*"}}},
		} {
			p.index.Arch, p.index.Platform, p.index.Subdir, p.index.Timestamp = a.gnu, "linux", a.conda, epoch().UnixMilli()
			record, err := w.putConda(p.index, p.dir)
			if err != nil {
				return err
			}
			records[p.index.dist()+".conda"] = record
		}
		if err := w.putRepodata(a.conda, records); err != nil {
			return err
		}
	}
	return w.putRepodata("noarch", map[string]condaRecord{})
}

func (w *work) putRepodata(subdir string, records map[string]condaRecord) error {
	b, err := json.MarshalIndent(map[string]any{
		"info": map[string]string{"subdir": subdir}, "packages": map[string]any{}, "packages.conda": records, "repodata_version": 1,
	}, "", "  ")
	if err != nil {
		return err
	}
	return w.put(path.Join(condaDir, subdir, "repodata.json"), func(out io.Writer) error {
		_, err := out.Write(b)
		return err
	})
}

// poetryTree installs poetry as pip would into a CPython of that architecture.
func (w *work) poetryTree(ctx context.Context, a arch, dir string) error {
	if err := w.NeedPrograms(ctx, "pip3"); err != nil {
		return err
	}
	site := filepath.Join(dir, "lib/python3.13/site-packages")
	args := []string{
		"install", "--quiet", "--no-compile", "--only-binary=:all:", "--ignore-requires-python",
		"--implementation=cp", "--python-version=3.13", "--target", site,
	}
	for _, tag := range []string{"manylinux_2_28_", "manylinux_2_17_", "manylinux2014_"} {
		args = append(args, "--platform="+tag+a.wheel)
	}
	if err := w.run(ctx, w.dir, nil, "pip3", append(args, "poetry=="+poetryVersion)...); err != nil {
		return err
	}
	// pip's own scripts name the interpreter that ran pip.
	if err := os.RemoveAll(filepath.Join(site, "bin")); err != nil {
		return err
	}
	return writeScript(filepath.Join(dir, "bin/poetry"), "from poetry.console.application import main\nsys.exit(main())\n")
}

// putConda puts a directory into the channel as a package in conda's newer
// format: a zip that holds a tar with the files and one that describes them.
func (w *work) putConda(index condaIndex, dir string) (condaRecord, error) {
	parts, info := w.path("conda"), w.path("info")
	for _, d := range []string{parts, info} {
		if err := os.RemoveAll(d); err != nil {
			return condaRecord{}, err
		}
		if err := os.MkdirAll(d, 0o755); err != nil {
			return condaRecord{}, err
		}
	}
	if err := writeInfo(info, index, dir); err != nil {
		return condaRecord{}, err
	}
	if err := os.WriteFile(filepath.Join(parts, "metadata.json"), []byte(`{"conda_pkg_format_version": 2}`), 0o644); err != nil {
		return condaRecord{}, err
	}
	for name, part := range map[string]struct{ top, dir string }{"info": {"info", info}, "pkg": {"", dir}} {
		if err := writeTarZst(filepath.Join(parts, name+"-"+index.dist()+".tar.zst"), part.top, part.dir); err != nil {
			return condaRecord{}, err
		}
	}
	name := path.Join(condaDir, index.Subdir, index.dist()+".conda")
	record := condaRecord{condaIndex: index}
	sum := md5.New() //nolint:gosec // as above
	err := w.put(name, func(out io.Writer) error {
		size := &counter{}
		err := writeZip(io.MultiWriter(out, sum, size), parts, zip.Store)
		record.Size = size.n
		return err
	})
	record.MD5 = hex.EncodeToString(sum.Sum(nil))
	record.SHA256 = strings.TrimPrefix(w.content[name], "sha256:")
	return record, err
}

type counter struct{ n int64 }

func (c *counter) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return len(p), nil
}

// writeInfo writes what a package says about itself and its files.
func writeInfo(info string, index condaIndex, dir string) error {
	type file struct {
		Path   string `json:"_path"`
		Type   string `json:"path_type"`
		SHA256 string `json:"sha256"`
		Size   int64  `json:"size_in_bytes"`
	}
	files, names := []file{}, ""
	err := items(dir, func(i item) error {
		if i.info.IsDir() {
			return nil
		}
		f, sum := file{Path: i.name, Type: "hardlink", Size: i.info.Size()}, sha256.New()
		if i.target != "" {
			f.Type, f.Size = "softlink", 0
		} else if err := i.copyTo(sum); err != nil {
			return err
		}
		f.SHA256 = hex.EncodeToString(sum.Sum(nil))
		files, names = append(files, f), names+i.name+"\n"
		return nil
	})
	if err != nil {
		return err
	}
	for name, value := range map[string]any{
		"index.json": index,
		"paths.json": map[string]any{"paths": files, "paths_version": 1},
		"about.json": map[string]any{"license": index.License},
	} {
		b, err := json.MarshalIndent(value, "", "  ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(info, name), b, 0o644); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(info, "files"), []byte(names), 0o644)
}

func writeTarZst(file, top, dir string) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer f.Close()
	zw, err := zstd.NewWriter(f, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return err
	}
	if err := writeTar(zw, top, dir); err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(file), err)
	}
	if err := zw.Close(); err != nil {
		return err
	}
	return f.Close()
}
