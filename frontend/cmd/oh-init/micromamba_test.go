package main

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestParseRun(t *testing.T) {
	python := []string{"python", "-u", "-n", "x"}
	for _, tt := range []struct {
		args string
		want mambaRun
	}{
		{"-n openhands python -u -n x", mambaRun{name: "openhands", command: python}},
		{"-nopenhands python -u -n x", mambaRun{name: "openhands", command: python}},
		{"-n=openhands python -u -n x", mambaRun{name: "openhands", command: python}},
		{"--name openhands python -u -n x", mambaRun{name: "openhands", command: python}},
		{"--name=openhands -- python -u -n x", mambaRun{name: "openhands", command: python}},
		{"-p /env -- -x", mambaRun{prefix: "/env", command: []string{"-x"}}},
		{"--prefix=/env -r /root --cwd /dir a", mambaRun{prefix: "/env", rootPrefix: "/root", cwd: "/dir", command: []string{"a"}}},
		{"--root-prefix /root a", mambaRun{rootPrefix: "/root", command: []string{"a"}}},
		{"-e A=1 --env B=x=y -eC --env=D= a", mambaRun{env: []string{"A=1", "B=x=y", "C", "D="}, command: []string{"a"}}},
		{"--clean-env --no-capture-output --live-stream a", mambaRun{clean: true, command: []string{"a"}}},
		{"-a stdout,stderr --attach= -n e a --clean-env", mambaRun{name: "e", command: []string{"a", "--clean-env"}}},
	} {
		got, err := parseRun(strings.Fields(tt.args))
		if err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %+v, %v, want %+v", tt.args, got, err, tt.want)
		}
	}
}

func TestParseRunRefuses(t *testing.T) {
	for _, tt := range []struct{ args, want string }{
		{"", "has no command"},
		{"-n openhands", "has no command"},
		{"-n openhands --", "has no command"},
		{"-n", "option -n has no value"},
		{"--name= a", "option --name has an empty value"},
		{"-n a -p /b c", `-n "a" and -p "/b" both name an environment`},
		{"-d a", `has no option "-d"`},
		{"--detach a", `has no option "--detach"`},
		{"--frob=1 a", `has no option "--frob"`},
		{"--clean-env=yes a", "option --clean-env takes no value"},
		{"-e =x a", `option -e has "=x"`},
	} {
		if _, err := parseRun(strings.Fields(tt.args)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.args, err, tt.want)
		}
	}
}

// image is a root with two environments and what servers are started by.
func image(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{
		"openhands/micromamba/envs/openhands/bin/t-args",
		"openhands/micromamba/envs/other/bin/python",
		"openhands/micromamba/bin/t-args",
		"openhands/poetry/venv/bin/t-args",
		"usr/bin/t-args",
	} {
		link(t, filepath.Join(dir, name))
	}
	write(t, filepath.Join(dir, "openhands/code/pyproject.toml"), "", 0o644)
	if err := os.Mkdir(filepath.Join(dir, "openhands/code/logs"), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// launch calls a launcher in an image, with @ in the arguments for its root.
func launch(t *testing.T, dir, cwd string, env []string, args string) result {
	t.Helper()
	cmd := program(t, strings.Fields(strings.ReplaceAll(args, "@", dir))...)
	cmd.Dir = filepath.Join(dir, cwd)
	cmd.Env = append([]string{"TEST_ROOT=" + dir}, env...)
	got := run(t, cmd)
	got.stdout = strings.ReplaceAll(got.stdout, dir, "@")
	got.stderr = strings.ReplaceAll(got.stderr, dir, "@")
	return got
}

func TestMicromambaRuns(t *testing.T) {
	dir := image(t)
	path := "PATH=" + filepath.Join(dir, "usr/bin")
	base := "\nMAMBA_ROOT_PREFIX=@/openhands/micromamba\n"
	active := "CONDA_DEFAULT_ENV=openhands\nCONDA_PREFIX=@/openhands/micromamba/envs/openhands"
	for _, tt := range []struct {
		args string
		env  []string
		want string
	}{
		{"run -n openhands t-args -m x", []string{path, "A=1"},
			`@/openhands/micromamba/envs/openhands/bin/t-args ["-m" "x"] in @` + "\nA=1\n" + active + base + "PATH=@/usr/bin\n"},
		{"run -n other t-args", []string{path, "CONDA_PREFIX=/x", "CONDA_DEFAULT_ENV=y"},
			`@/usr/bin/t-args [] in @` + "\nCONDA_DEFAULT_ENV=other\nCONDA_PREFIX=@/openhands/micromamba/envs/other" + base + "PATH=@/usr/bin\n"},
		{"run -n base t-args", nil,
			`@/openhands/micromamba/bin/t-args [] in @` + "\nCONDA_DEFAULT_ENV=base\nCONDA_PREFIX=@/openhands/micromamba" + base},
		{"run -p openhands/micromamba/envs/openhands t-args", nil,
			`@/openhands/micromamba/envs/openhands/bin/t-args [] in @` + "\n" + active + base},
		{"run -p @/usr t-args", nil,
			`@/usr/bin/t-args [] in @` + "\nCONDA_DEFAULT_ENV=@/usr\nCONDA_PREFIX=@/usr" + base},
		{"run t-args", []string{"CONDA_PREFIX=" + dir + "/openhands/micromamba/envs/openhands"},
			`@/openhands/micromamba/envs/openhands/bin/t-args [] in @` + "\n" + active + base},
		{"run -n openhands --cwd openhands @/usr/bin/t-args", nil,
			`@/usr/bin/t-args [] in @/openhands` + "\n" + active + base},
		{"run -n openhands --clean-env -e B -e C=2 -e TEST_ROOT t-args", []string{path, "A=1", "B=b"},
			`@/openhands/micromamba/envs/openhands/bin/t-args [] in @` + "\nB=b\nC=2\n" + active + base},
		{"run -n venv t-args", []string{"MAMBA_ROOT_PREFIX=" + dir + "/m", path},
			""},
	} {
		got := launch(t, dir, "/", tt.env, "/openhands/micromamba/bin/micromamba "+tt.args)
		if got.stdout != tt.want || (tt.want != "") != (got.code == 0 && got.stderr == "") {
			t.Errorf("%s: %+v, want\n%s", tt.args, got, tt.want)
		}
	}
}

func TestMicromambaFails(t *testing.T) {
	dir := image(t)
	for _, tt := range []struct {
		args string
		code int
		want string
	}{
		{"run -n nope t-args", 1, `no environment is at "@/openhands/micromamba/envs/nope": use one of ["openhands" "other"] by -n`},
		{"run -r @/usr -n nope t-args", 1, `no environment is at "@/usr/envs/nope", and none below "@/usr": this image has no Python`},
		{"run -n a/b t-args", 1, `-n "a/b" is a path`},
		{"run -n openhands --cwd /no/such t-args", 1, "--cwd must be a directory"},
		{"run t-args", 1, "names no environment"},
		{"run -n openhands no-such", 127, `command "no-such" is not in "@/openhands/micromamba/envs/openhands/bin"`},
		{"run -n openhands /", 126, "is a directory"},
		{"--version", 1, "this image's Python does not come from micromamba"},
		{"", 1, "only `micromamba run` is there"},
	} {
		got := launch(t, dir, "/", nil, "micromamba "+tt.args)
		if got.code != tt.code || !strings.Contains(got.stderr, tt.want) || strings.Count(got.stderr, "\n") != 1 || got.stdout != "" {
			t.Errorf("%s: %+v, want %d %q", tt.args, got, tt.code, tt.want)
		}
	}
}

func TestRealMicromamba(t *testing.T) {
	dir := image(t)
	write(t, filepath.Join(dir, realMicromamba), "#!/bin/sh\necho real \"$@\"\n", 0o755)
	for args, want := range map[string]string{"--version": "real --version\n", "env list": "real env list\n", "": "real\n"} {
		if got := launch(t, dir, "/", nil, "micromamba "+args); got != (result{0, want, ""}) {
			t.Errorf("%s: %+v, want %q", args, got, want)
		}
	}
	if got := launch(t, dir, "/", nil, "micromamba run -n openhands t-args"); !strings.HasPrefix(got.stdout, "@/openhands/micromamba/envs/openhands/bin/t-args") {
		t.Errorf("run: %+v", got)
	}
}
