package engine

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestOpen(t *testing.T) {
	for name, tc := range map[string]struct {
		dir  string
		want string // part of the error, empty for none
	}{
		"plain":    {"state", ""},
		"comma":    {"a,b", "comma"},
		"too long": {strings.Repeat("d", 120), "too long"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(EnvBuildkitHost, "")
			dir := filepath.Join("/var/cache", tc.dir)
			e, err := Open(Config{Dir: dir, Log: io.Discard})
			switch {
			case tc.want == "" && err != nil:
				t.Fatal(err)
			case tc.want == "" && e.BuildkitHost() != "unix://"+dir+"/buildkitd.sock":
				t.Errorf("host %q", e.BuildkitHost())
			case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
				t.Errorf("error %v, want one with %q", err, tc.want)
			}
		})
	}
}

func TestOpenHonoursTheUsersDaemon(t *testing.T) {
	t.Setenv(EnvBuildkitHost, "tcp://127.0.0.1:1234")
	e, err := Open(Config{Dir: "/var/cache/state", Log: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(e.Env(), "BUILDKIT_HOST=tcp://127.0.0.1:1234") {
		t.Errorf("environment %q", e.Env())
	}
}

func TestOpenOutsideTheRepository(t *testing.T) {
	t.Chdir(t.TempDir())
	if _, err := Open(Config{Dir: "/var/cache/state"}); err == nil || !strings.Contains(err.Error(), "no checkout") {
		t.Errorf("error %v, want one that names the checkout", err)
	}
}

func TestPidTellsAReusedNumber(t *testing.T) {
	e := &Engine{dir: t.TempDir()}
	if err := os.Mkdir(e.path("run"), 0o755); err != nil {
		t.Fatal(err)
	}
	self := os.Getpid()
	for content, want := range map[string]int{
		"":                          0,
		"garbage":                   0,
		strconv.Itoa(self):          0, // no start time
		strconv.Itoa(self) + " 1\n": 0, // another process had this number
		strconv.Itoa(self) + " " + startTime(self): self,
		"999999999 " + startTime(self):             0,
	} {
		if err := os.WriteFile(e.pidPath("d"), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		if got := e.pid("d"); got != want {
			t.Errorf("pid of %q = %d, want %d", content, got, want)
		}
	}
}

func TestBuildArgs(t *testing.T) {
	dir := t.TempDir()
	spec := filepath.Join(dir, SpecFile)
	if err := os.WriteFile(spec, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	e := &Engine{dir: "/var/cache/state", registryAddr: "127.0.0.1:5000"}
	image := "127.0.0.1:5000/" + ExampleImage(dir)
	for _, tc := range []struct {
		path string
		args []string
		want []string
	}{
		{dir, nil, []string{"build", "-f", spec, "--push", "-t", image, dir}},
		{spec, []string{"--no-cache"}, []string{"build", "-f", spec, "--push", "-t", image, "--no-cache", dir}},
		{spec, []string{"--output=type=local,dest=out"}, []string{"build", "-f", spec, "--output=type=local,dest=out", dir}},
	} {
		got, err := e.BuildArgs(t.Context(), tc.path, tc.args)
		if err != nil {
			t.Fatal(err)
		}
		// The machine's CA certificates come where it has some.
		tc.want = slices.Insert(tc.want, 3, (&Engine{}).secretArgs()...)
		if !slices.Equal(got, tc.want) {
			t.Errorf("%s %q:\n got %q\nwant %q", tc.path, tc.args, got, tc.want)
		}
	}
}
