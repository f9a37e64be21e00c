package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// killCgroup ends the processes in our cgroup: containers that outlived the
// daemon that started them.
func killCgroup(name string) error {
	for _, top := range cgroupDirs(name) {
		err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.Name() != "cgroup.procs" {
				return err
			}
			pids, err := os.ReadFile(path)
			for _, field := range strings.Fields(string(pids)) {
				pid, err := strconv.Atoi(field)
				if err != nil {
					return err
				}
				if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
					return fmt.Errorf("kill container process %d: %w", pid, err)
				}
			}
			return err
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// cgroupDirs are the directories of our cgroup: one at the top of cgroup v2, or
// one per controller of v1.
func cgroupDirs(name string) []string {
	// The patterns are constant and well-formed, so Glob cannot fail.
	v2, _ := filepath.Glob("/sys/fs/cgroup/" + name)
	v1, _ := filepath.Glob("/sys/fs/cgroup/*/" + name)
	return append(v2, v1...)
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

// removeCgroups removes our cgroup from every hierarchy. A killed process
// leaves its cgroup a moment after it was killed, hence the further tries.
func removeCgroups(name string) error {
	var err error
	for range 20 {
		err = nil
		for _, top := range cgroupDirs(name) {
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
