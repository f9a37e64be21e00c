package engine

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sys/unix"
)

const (
	whiteoutPrefix = ".wh."          // image-spec, layer.md
	opaqueWhiteout = ".wh..wh..opq"  // the directory hides all that lies below it
	xattrRecord    = "SCHILY.xattr." // prefix of extended attributes in PAX records
	overlayOpaque  = "trusted.overlay.opaque"
)

// mountImage mounts the root filesystem of an image at dir/rootfs, writable,
// with all changes below dir. Unpacked layers are kept by diffID and shared by
// all images.
func (e *Engine) mountImage(ctx context.Context, img v1.Image, dir string) (rootfs string, err error) {
	layers, err := img.Layers()
	if err != nil {
		return "", err
	}
	var lower []string // overlayfs wants the topmost first
	for i, layer := range layers {
		unpacked, err := e.unpackLayer(ctx, layer, i == 0)
		if err != nil {
			return "", err
		}
		// overlayfs takes no directory twice. A layer that an image holds twice
		// (a runtime put on a runtime) hides all of its lower self.
		lower = slices.DeleteFunc(lower, func(dir string) bool { return dir == unpacked })
		lower = append([]string{unpacked}, lower...)
	}
	if len(lower) == 0 {
		return "", errors.New("image has no layers")
	}
	rootfs = dir + "/rootfs"
	for _, d := range []string{rootfs, dir + "/upper", dir + "/work"} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return "", err
		}
	}
	options := fmt.Sprintf("lowerdir=%s,upperdir=%s/upper,workdir=%s/work", strings.Join(lower, ":"), dir, dir)
	if err := unix.Mount("overlay", rootfs, "overlay", 0, options); err != nil {
		return "", fmt.Errorf("mount %d layers: %w", len(lower), err)
	}
	return rootfs, nil
}

// unpackLayer returns the directory that holds a layer in overlayfs's form.
func (e *Engine) unpackLayer(ctx context.Context, layer v1.Layer, lowest bool) (string, error) {
	diffID, err := layer.DiffID()
	if err != nil {
		return "", err
	}
	// 16 digits keep the mount options of many layers within the one page that
	// the kernel allows.
	dir := e.path("layers", diffID.Hex[:16])
	unlock, err := e.lockFile("layers.lock")
	if err != nil {
		return "", err
	}
	defer unlock()
	if _, err := os.Stat(dir); err == nil {
		return dir, used(dir)
	}
	part := dir + ".part"
	if err := os.RemoveAll(part); err != nil {
		return "", err
	}
	if err := os.MkdirAll(part, 0o755); err != nil {
		return "", err
	}
	r, err := layer.Uncompressed()
	if err != nil {
		return "", err
	}
	defer r.Close()
	if err := unpack(ctx, r, part, lowest); err != nil {
		return "", fmt.Errorf("unpack layer %s: %w", diffID, err)
	}
	return dir, errors.Join(os.Rename(part, dir), used(dir))
}

// unpack writes a layer's tar below dir. Every path is resolved inside dir: a
// layer whose symlinks lead outside is refused.
//
// Layers are unpacked one by one, not onto each other, so a layer above the
// lowest must name the directories of its files: one that we invented would
// hide the mode and owner of the real one below.
func unpack(ctx context.Context, r io.Reader, dir string, lowest bool) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	u := &unpacker{root: root, lowest: lowest}
	tr := tar.NewReader(r)
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return u.finish()
		}
		if err == nil {
			err = ctx.Err()
		}
		if err == nil {
			err = u.entry(h, tr)
		}
		if err != nil {
			return err
		}
	}
}

type unpacker struct {
	root   *os.Root
	lowest bool
	dirs   []*tar.Header // their times are set when their files are there
}

func (u *unpacker) entry(h *tar.Header, r io.Reader) error {
	name := strings.TrimPrefix(path.Clean("/"+h.Name), "/")
	if name == "" {
		name = "."
	}
	h.Name = name
	if err := u.parent(path.Dir(name)); err != nil {
		return err
	}
	base := path.Base(name)
	switch {
	case base == opaqueWhiteout:
		return u.at(path.Dir(name), func(fd int) error { return unix.Fsetxattr(fd, overlayOpaque, []byte("y"), 0) })
	case strings.HasPrefix(base, whiteoutPrefix):
		return u.mknod(path.Join(path.Dir(name), strings.TrimPrefix(base, whiteoutPrefix)), unix.S_IFCHR, 0)
	}
	if err := u.create(h, r); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if h.Typeflag == tar.TypeLink {
		return nil // shares everything with what it links to
	}
	return u.attributes(h)
}

// parent makes sure that a directory is there.
func (u *unpacker) parent(dir string) error {
	if _, err := u.root.Stat(dir); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if !u.lowest {
		return fmt.Errorf("the layer holds files in %q, but not the directory itself", dir)
	}
	return u.root.MkdirAll(dir, 0o755)
}

func (u *unpacker) create(h *tar.Header, r io.Reader) error {
	if old, err := u.root.Lstat(h.Name); err == nil && (!old.IsDir() || h.Typeflag != tar.TypeDir) {
		if err := u.root.RemoveAll(h.Name); err != nil {
			return err
		}
	}
	switch h.Typeflag {
	case tar.TypeDir:
		u.dirs = append(u.dirs, h)
		if err := u.root.Mkdir(h.Name, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		return nil
	case tar.TypeReg:
		f, err := u.root.OpenFile(h.Name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		if _, err := io.Copy(f, r); err != nil {
			f.Close()
			return err
		}
		return f.Close()
	case tar.TypeSymlink:
		return u.root.Symlink(h.Linkname, h.Name)
	case tar.TypeLink:
		return u.root.Link(strings.TrimPrefix(path.Clean("/"+h.Linkname), "/"), h.Name)
	case tar.TypeChar:
		return u.mknod(h.Name, unix.S_IFCHR, unix.Mkdev(uint32(h.Devmajor), uint32(h.Devminor)))
	case tar.TypeBlock:
		return u.mknod(h.Name, unix.S_IFBLK, unix.Mkdev(uint32(h.Devmajor), uint32(h.Devminor)))
	case tar.TypeFifo:
		return u.mknod(h.Name, unix.S_IFIFO, 0)
	default:
		return fmt.Errorf("tar entry of unknown type %q", h.Typeflag)
	}
}

// attributes sets owner, mode, extended attributes and time, in the order in
// which none undoes another.
func (u *unpacker) attributes(h *tar.Header) error {
	if err := u.root.Lchown(h.Name, h.Uid, h.Gid); err != nil {
		return err
	}
	if h.Typeflag == tar.TypeSymlink {
		return u.times(h)
	}
	mode := fs.FileMode(h.Mode & 0o777)
	for bit, m := range map[int64]fs.FileMode{0o4000: fs.ModeSetuid, 0o2000: fs.ModeSetgid, 0o1000: fs.ModeSticky} {
		if h.Mode&bit != 0 {
			mode |= m
		}
	}
	if err := u.root.Chmod(h.Name, mode); err != nil {
		return err
	}
	for record, value := range h.PAXRecords {
		attr, ok := strings.CutPrefix(record, xattrRecord)
		if !ok {
			continue
		}
		if err := u.at(h.Name, func(fd int) error { return unix.Fsetxattr(fd, attr, []byte(value), 0) }); err != nil {
			return fmt.Errorf("%s: set %s: %w", h.Name, attr, err)
		}
	}
	return u.times(h)
}

// times sets an entry's times, of a symlink itself and not of what it leads to.
func (u *unpacker) times(h *tar.Header) error {
	return u.at(path.Dir(h.Name), func(fd int) error {
		t := unix.NsecToTimespec(h.ModTime.UnixNano())
		return unix.UtimesNanoAt(fd, path.Base(h.Name), []unix.Timespec{t, t}, unix.AT_SYMLINK_NOFOLLOW)
	})
}

func (u *unpacker) finish() error {
	for _, h := range u.dirs {
		err := u.times(h)
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // a later entry may have replaced it
			return err
		}
	}
	return nil
}

// at runs f on an open file below the root.
func (u *unpacker) at(name string, f func(fd int) error) error {
	file, err := u.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	return f(int(file.Fd()))
}

func (u *unpacker) mknod(name string, mode uint32, dev uint64) error {
	return u.at(path.Dir(name), func(fd int) error {
		return unix.Mknodat(fd, path.Base(name), mode|0o600, int(dev))
	})
}
