package engine

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("owners, device nodes and overlayfs attributes need root")
	}
}

func layerOf(t *testing.T, headers ...tar.Header) *bytes.Buffer {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range headers {
		content := ""
		if h.Typeflag == tar.TypeReg {
			content = "content of " + h.Name
			h.Size = int64(len(content))
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &b
}

func TestUnpackKeepsAttributes(t *testing.T) {
	needRoot(t)
	dir := t.TempDir()
	when := time.Unix(1_000_000_000, 0)
	layer := layerOf(t,
		tar.Header{Name: "./home/", Typeflag: tar.TypeDir, Mode: 0o1777, Uid: 5, Gid: 6, ModTime: when},
		tar.Header{Name: "./home/su", Typeflag: tar.TypeReg, Mode: 0o4755, Uid: 7, Gid: 8, ModTime: when},
		tar.Header{Name: "./home/link", Typeflag: tar.TypeSymlink, Linkname: "/etc/shadow", Uid: 9, Gid: 9, ModTime: when},
		tar.Header{Name: "./home/.wh.gone", Typeflag: tar.TypeReg},
		tar.Header{Name: "./home/.wh..wh..opq", Typeflag: tar.TypeReg},
	)
	if err := unpack(t.Context(), layer, dir, true); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]struct {
		mode     uint32
		uid, gid uint32
	}{
		"home":      {unix.S_IFDIR | 0o1777, 5, 6},
		"home/su":   {unix.S_IFREG | 0o4755, 7, 8},
		"home/link": {unix.S_IFLNK | 0o777, 9, 9},
	} {
		var st unix.Stat_t
		if err := unix.Lstat(filepath.Join(dir, name), &st); err != nil {
			t.Fatal(err)
		}
		if st.Mode != want.mode || st.Uid != want.uid || st.Gid != want.gid || st.Mtim.Sec != when.Unix() {
			t.Errorf("%s: mode %o owner %d:%d time %d, want %o %d:%d %d", name, st.Mode, st.Uid, st.Gid, st.Mtim.Sec, want.mode, want.uid, want.gid, when.Unix())
		}
	}
	var st unix.Stat_t
	if err := unix.Lstat(filepath.Join(dir, "home/gone"), &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFCHR || st.Rdev != 0 {
		t.Errorf("whiteout: mode %o device %d, error %v; want a character device 0:0", st.Mode, st.Rdev, err)
	}
	value := make([]byte, 8)
	if n, err := unix.Getxattr(filepath.Join(dir, "home"), overlayOpaque, value); err != nil || string(value[:n]) != "y" {
		t.Errorf("opaque attribute %q, error %v; want y", value[:max(n, 0)], err)
	}
}

func TestUnpackRefuses(t *testing.T) {
	needRoot(t)
	for name, tc := range map[string]struct {
		lowest  bool
		headers []tar.Header
		want    string
	}{
		"path through an absolute symlink": {true, []tar.Header{
			{Name: "out", Typeflag: tar.TypeSymlink, Linkname: "/OUTSIDE"},
			{Name: "out/file", Typeflag: tar.TypeReg, Mode: 0o644},
		}, "escapes"},
		"path through a relative symlink": {true, []tar.Header{
			{Name: "out", Typeflag: tar.TypeSymlink, Linkname: "../outside"},
			{Name: "out/file", Typeflag: tar.TypeReg, Mode: 0o644},
		}, "escapes"},
		"hard link to the outside": {true, []tar.Header{
			{Name: "out", Typeflag: tar.TypeSymlink, Linkname: "../outside"},
			{Name: "copy", Typeflag: tar.TypeLink, Linkname: "out/secret"},
		}, "escapes"},
		"upper layer without the directory": {false, []tar.Header{
			{Name: "etc/passwd", Typeflag: tar.TypeReg, Mode: 0o644},
		}, "not the directory itself"},
	} {
		t.Run(name, func(t *testing.T) {
			top := t.TempDir()
			outside, dir := filepath.Join(top, "outside"), filepath.Join(top, "layer")
			for _, d := range []string{outside, dir} {
				if err := os.Mkdir(d, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.WriteFile(filepath.Join(outside, "secret"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			for i := range tc.headers {
				tc.headers[i].Linkname = strings.Replace(tc.headers[i].Linkname, "/OUTSIDE", outside, 1)
			}
			err := unpack(t.Context(), layerOf(t, tc.headers...), dir, tc.lowest)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want one with %q", err, tc.want)
			}
			if files, _ := os.ReadDir(outside); len(files) != 1 {
				t.Errorf("wrote outside: %v", files)
			}
		})
	}
}

func TestUnpackStaysInside(t *testing.T) {
	needRoot(t)
	top := t.TempDir()
	dir := filepath.Join(top, "layer")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	layer := layerOf(t, tar.Header{Name: "../../up", Typeflag: tar.TypeReg, Mode: 0o644})
	if err := unpack(t.Context(), layer, dir, true); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "up")); err != nil {
		t.Errorf("a path above the root must end at the root: %v", err)
	}
}
