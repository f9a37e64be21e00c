package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPoetry(t *testing.T) {
	dir := image(t)
	write(t, filepath.Join(dir, realPoetry), "#!/bin/sh\necho real \"$@\" $POETRY_VIRTUALENVS_PATH $VIRTUAL_ENV\n", 0o755)
	write(t, filepath.Join(dir, "openhands/code/sub/pyproject.toml"), "", 0o644)
	if err := os.Symlink("openhands/code", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	path := "PATH=" + filepath.Join(dir, "usr/bin")
	server := "@/openhands/poetry/venv/bin/t-args"
	for _, tt := range []struct {
		cwd, args string
		want      string
	}{
		{"openhands/code", "run t-args -u -m x", server + ` ["-u" "-m" "x"] in @/openhands/code` + "\nPATH=@/usr/bin\n"},
		{"openhands/code/logs", "run t-args", server + " [] in @/openhands/code/logs\nPATH=@/usr/bin\n"},
		{"link", "run t-args", server + " [] in @/openhands/code\nPATH=@/usr/bin\n"},
		{"openhands/code", "run @/usr/bin/t-args", "@/usr/bin/t-args [] in @/openhands/code\nPATH=@/usr/bin\n"},
		{"openhands/code/sub", "run t-args", "real run t-args @/openhands/poetry\n"},
		{"usr", "run t-args", "real run t-args @/openhands/poetry\n"},
		{"openhands/code", "run", "real run @/openhands/poetry\n"},
		{"openhands/code", "run -h", "real run -h @/openhands/poetry\n"},
		{"openhands/code", "-q run t-args", "real -q run t-args @/openhands/poetry\n"},
		{"openhands/code", "", "real @/openhands/poetry\n"},
	} {
		got := launch(t, dir, tt.cwd, []string{path}, "/openhands/micromamba/envs/openhands/bin/poetry "+tt.args)
		if got != (result{0, tt.want, ""}) {
			t.Errorf("%s in %s: %+v, want\n%s", tt.args, tt.cwd, got, tt.want)
		}
	}
	if got := launch(t, dir, "openhands/code", nil, "poetry run no-such"); got.code != 127 || !strings.Contains(got.stderr, `command "no-such" is not in`) {
		t.Errorf("no such command: %+v", got)
	}
	if err := os.RemoveAll(filepath.Join(dir, serverEnv)); err != nil {
		t.Fatal(err)
	}
	if got := launch(t, dir, "openhands/code", []string{"POETRY_VIRTUALENVS_PATH=/p"}, "poetry run t-args"); got.stdout != "real run t-args /p\n" {
		t.Errorf("without a virtual environment: %+v", got)
	}
}

func TestPoetryHome(t *testing.T) {
	dir := image(t)
	write(t, filepath.Join(dir, realPoetry), "#!/bin/sh\necho $HOME\n", 0o755)
	for _, made := range []string{"home/openhands", "mine"} {
		if err := os.MkdirAll(filepath.Join(dir, made), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for home, want := range map[string]string{"": "/home/openhands\n", "/": "/home/openhands\n", "/none": "/home/openhands\n", "/mine": "/mine\n"} {
		if got := launch(t, dir, "/", []string{"HOME=" + home}, "poetry --version"); got.stdout != want {
			t.Errorf("HOME=%s: %+v, want %q", home, got, want)
		}
	}
}

func TestNoPoetry(t *testing.T) {
	got := launch(t, image(t), "/", nil, "poetry install")
	if got.code != 1 || !strings.Contains(got.stderr, "only `poetry run COMMAND` in /openhands/code is there") {
		t.Errorf("%+v", got)
	}
}
