package imageconfig

import (
	"slices"
	"testing"
)

func TestPatchEnv(t *testing.T) {
	type env = map[string]string
	ours := Patch{PathFirst: []string{"/o/bin"}, PathLast: []string{"/o/tools"}}
	const defaultOurs = "PATH=/o/bin:" + defaultPath + ":/o/tools"
	for _, tt := range []struct {
		name  string
		base  []string
		patch Patch
		want  []string
	}{
		{"no PATH", nil, ours, []string{defaultOurs}},
		{"empty PATH", []string{"PATH="}, ours, []string{defaultOurs}},
		{"PATH of nothing", []string{"PATH=::"}, ours, []string{defaultOurs}},
		{"base's PATH, in its place", []string{"A=1", "PATH=/x:/y", "B=2"}, ours, []string{"A=1", "PATH=/o/bin:/x:/y:/o/tools", "B=2"}},
		{"our directories are there", []string{"PATH=/x:/o/tools:/y:/o/bin"}, ours, []string{"PATH=/o/bin:/x:/y:/o/tools"}},
		{"only our directories are there", []string{"PATH=/o/tools"}, ours, []string{"PATH=/o/bin:/o/tools"}},
		{"empty and repeated entries", []string{"PATH=:/x::/y:/x:"}, ours, []string{"PATH=/o/bin:/x:/y:/o/tools"}},
		{"first wins over last", []string{"PATH=/x"}, Patch{PathFirst: []string{"/o", "/p"}, PathLast: []string{"/p", "/q"}}, []string{"PATH=/o:/p:/x:/q"}},
		{"nothing of ours", []string{"PATH=/x"}, Patch{}, []string{"PATH=/x"}},
		{
			"spec's PATH stands for the base's", []string{"PATH=/x"},
			Patch{PathFirst: []string{"/o/bin"}, Env: env{"PATH": "/s:/t"}}, []string{"PATH=/o/bin:/s:/t"},
		},
		{
			"replaced in place, new ones sorted", []string{"B=1", "PATH=/x", "A=1"},
			Patch{Env: env{"A": "2", "Z": "2", "C": "2", "LC": "a=b"}}, []string{"B=1", "PATH=/x", "A=2", "C=2", "LC=a=b", "Z=2"},
		},
		{"last of equal keys wins", []string{"A=1", "PATH=/x", "A=2"}, Patch{}, []string{"A=2", "PATH=/x"}},
		{"entry without a value", []string{"A", "PATH=/x", "B="}, Patch{}, []string{"A=", "PATH=/x", "B="}},
		{"entry without a name", []string{"=1", "A=2", "=", "PATH=/x", ""}, Patch{}, []string{"A=2", "PATH=/x"}},
		{"keys that are prefixes", []string{"PATHS=/p", "PATH=/x"}, Patch{Env: env{"PAT": "1"}}, []string{"PATHS=/p", "PATH=/x", "PAT=1"}},
		{"default", []string{"PATH=/x"}, Patch{DefaultEnv: env{"LANG": "C.UTF-8", "D": "1"}}, []string{"PATH=/x", "D=1", "LANG=C.UTF-8"}},
		{"default that the base sets", []string{"PATH=/x", "LANG="}, Patch{DefaultEnv: env{"LANG": "C.UTF-8"}}, []string{"PATH=/x", "LANG="}},
		{"default that the spec sets", []string{"PATH=/x"}, Patch{DefaultEnv: env{"D": "1"}, Env: env{"D": "2"}}, []string{"PATH=/x", "D=2"}},
		{"LANG where the base has LC_ALL", []string{"PATH=/x", "LC_ALL=de"}, Patch{DefaultEnv: env{"LANG": "C.UTF-8"}}, []string{"PATH=/x", "LC_ALL=de"}},
		{
			"LANG where the spec has LC_ALL", []string{"PATH=/x"},
			Patch{DefaultEnv: env{"LANG": "C.UTF-8"}, Env: env{"LC_ALL": "C"}}, []string{"PATH=/x", "LC_ALL=C"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := patchEnv(tt.base, tt.patch); !slices.Equal(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}
