package engine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// killBelow ends the processes whose root directory lies below dir: containers
// that outlived their runc. No other process can have such a root.
func killBelow(dir string) error {
	roots, err := filepath.Glob("/proc/[0-9]*/root")
	if err != nil {
		return err
	}
	for _, link := range roots {
		root, err := os.Readlink(link)
		if err != nil || !below(root, dir) {
			continue // gone, a kernel thread, or not ours
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(link)))
		if err != nil {
			return err
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("kill container process %d: %w", pid, err)
		}
	}
	return nil
}

// unmountBelow detaches every mount below dir, deepest first.
func unmountBelow(dir string) error {
	mounts, err := mountsBelow(dir)
	if err != nil {
		return err
	}
	for _, mount := range slices.Backward(mounts) {
		if err := syscall.Unmount(mount, syscall.MNT_DETACH); err != nil && !errors.Is(err, syscall.EINVAL) {
			return fmt.Errorf("unmount %q: %w", mount, err)
		}
	}
	return nil
}

// mountsBelow lists mount points below dir in the order in which they were
// mounted.
func mountsBelow(dir string) ([]string, error) {
	b, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	var mounts []string
	for line := range strings.Lines(string(b)) {
		// Field 5 is the mount point (proc(5)). The state directory holds no
		// character that the kernel would escape.
		if fields := strings.Fields(line); len(fields) > 4 && below(fields[4], dir) {
			mounts = append(mounts, fields[4])
		}
	}
	return mounts, nil
}

func below(path, dir string) bool { return strings.HasPrefix(path, dir+"/") }

// removeCgroups removes our cgroup from every hierarchy: cgroup v2 at the top,
// or v1 with one directory per controller. A killed process leaves its cgroup a
// moment after its parent has seen it end, hence the second try.
func removeCgroups(name string) error {
	var tops []string
	for _, pattern := range []string{"/sys/fs/cgroup/" + name, "/sys/fs/cgroup/*/" + name} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			return err
		}
		tops = append(tops, found...)
	}
	var err error
	for range 20 {
		err = nil
		for _, top := range tops {
			err = errors.Join(err, removeCgroup(top))
		}
		if err == nil {
			return nil
		}
		time.Sleep(pollInterval)
	}
	return err
}

func removeCgroup(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.IsDir() {
			if err := removeCgroup(filepath.Join(dir, entry.Name())); err != nil {
				return err
			}
		}
	}
	if err := syscall.Rmdir(dir); err != nil && !errors.Is(err, syscall.ENOENT) {
		return fmt.Errorf("remove cgroup %q: %w", dir, err)
	}
	return nil
}
