package deps

import "strings"

// pythonDeps is the virtual environment. It depends on the lock file, not on
// the server's code.
func (in graph) pythonDeps() (Component, error) {
	interpreters, err := in.interpreters()
	if err != nil {
		return Component{}, err
	}
	mounts, err := in.onPython()
	if err != nil {
		return Component{}, err
	}
	s := stage{
		name: "python-deps", key: "deps.python", text: "install the Python packages",
		script: "python-deps.sh", files: []string{"project.py", "openhands_user_base.py"},
		made:      map[string]string{"requirements.txt": lines(in.Spec.Python.Requirements)},
		env:       map[string]string{"PLATFORM": in.wheels(), "HOME_PYTHON": in.interpreter(), "BELOW": "python"},
		openhands: interpreters,
		mounts:    mounts,
	}
	if in.Server.Wanted() {
		s.text = "install the packages of poetry.lock"
		s.mounts = append(s.mounts, mountAt("lock", in.lock()))
	}
	return Component{Name: "python-deps", State: in.exec(s)}, nil
}

func lines(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return strings.Join(list, "\n") + "\n"
}
