package deps

import (
	"fmt"
	"strconv"
	"strings"
)

// actionPackages is the virtual environment of the V0 server, or of
// deps.python.requirements alone. It depends on the lock file, not on the
// server's code.
func (in graph) actionPackages() (Component, error) {
	s, err := in.venvStage("python-deps.sh")
	if err != nil {
		return Component{}, err
	}
	s.files = append(s.files, "project.py")
	if in.Server.Wanted() {
		s.text = "install what " + in.release() + " requires"
		if in.Source != nil {
			s.text = "install the packages of poetry.lock"
		}
		s.mounts = append(s.mounts, mountAt("lock", in.lock()))
	}
	return Component{Name: "python-deps", State: in.exec(s)}, nil
}

// venvStage is what every stage that makes a virtual environment has.
func (in graph) venvStage(script string) (stage, error) {
	interpreters, err := in.interpreters()
	if err != nil {
		return stage{}, err
	}
	mounts, err := in.onPython()
	s := stage{
		name: "python-deps", key: "deps.python", text: "install " + some(in.Spec.Python.Requirements),
		script: script, files: []string{"venv.sh", "sources.py", "prune.py", "openhands_user_base.py"},
		made:      map[string]string{"requirements.txt": lines(in.Spec.Python.Requirements)},
		env:       map[string]string{"PLATFORM": in.wheels(), "HOME_PYTHON": in.interpreter(), "BELOW": "python"},
		openhands: interpreters,
		mounts:    mounts,
	}
	if in.nodeForPlaywright() {
		s.env["NODE"] = "1"
	}
	return s, err
}

// nodeForPlaywright tells whether /openhands has a node that Playwright's driver
// runs on: 20 is the oldest that its releases support.
func (in graph) nodeForPlaywright() bool {
	major, _, _ := strings.Cut(in.Spec.Node.Version, ".")
	n, err := strconv.Atoi(major)
	return err == nil && n >= 20 && in.Spec.Node.Wanted()
}

// some names the first of a list, and counts the others.
func some(list []string) string {
	const shown = 6
	if more := len(list) - shown; more > 1 {
		return fmt.Sprintf("%s and %d more", strings.Join(list[:shown], ", "), more)
	}
	return strings.Join(list, ", ")
}

func lines(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return strings.Join(list, "\n") + "\n"
}
