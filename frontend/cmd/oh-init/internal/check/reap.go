package check

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// adoptOrphans makes us the parent of what programs leave behind: tmux and
// browsers start daemons that no process group holds. The function that it
// returns ends them all. It is for the time between two checks, when none of
// them waits for a process of its own.
func adoptOrphans() (sweep func()) {
	const setChildSubreaper = 36 // PR_SET_CHILD_SUBREAPER of linux/prctl.h
	// Where it fails, daemons live on until the container ends.
	_, _, _ = syscall.Syscall(syscall.SYS_PRCTL, setChildSubreaper, 1, 0)
	before := map[int]bool{} // of the shell that executed us in its place
	for _, pid := range children() {
		before[pid] = true
	}
	return func() {
		// An end makes its children ours, hence rounds.
		for range 100 {
			left := 0
			for _, pid := range children() {
				if before[pid] {
					continue
				}
				left++
				_ = syscall.Kill(pid, syscall.SIGKILL)
				_, _ = syscall.Wait4(pid, nil, syscall.WNOHANG, nil)
			}
			if left == 0 {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
}

// children reads /proc: no other place tells of processes that we adopted.
func children() (pids []int) {
	files, _ := filepath.Glob("/proc/[0-9]*/stat") // errs only for a bad pattern
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			continue // it has just ended
		}
		pid, parent := parseStat(string(b))
		if parent == os.Getpid() {
			pids = append(pids, pid)
		}
	}
	return pids
}

// parseStat takes the ids from "PID (NAME) STATE PARENT ...". A name may hold
// anything, also parentheses.
func parseStat(s string) (pid, parent int) {
	first, _, _ := strings.Cut(s, " ")
	f := strings.Fields(s[strings.LastIndexByte(s, ')')+1:])
	if len(f) < 2 {
		return 0, 0
	}
	pid, _ = strconv.Atoi(first)
	parent, _ = strconv.Atoi(f[1])
	return pid, parent
}
