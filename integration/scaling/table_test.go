package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// values are those of a run, as far as they matter here.
const values = `{"date": "1 May", "machine": {"cores": 2}, "results": [
 {"scenario": "bases", "way": "root", "point": {"bases": 10}, "further": {"images": 10, "wall": 90}},
 {"scenario": "bases", "way": "root", "point": {"bases": 500}, "further": {"images": 500, "wall": 60,
  "cpu": {"daemon": 50, "containers": 25, "runtime": 5, "client": 10},
  "read": {"documents": 5000000}, "new": {"layer_bytes": 1000000, "documents": 4000000},
  "store": {"content": 2000000, "traces": 1000000, "snapshots": 1500000, "databases": 500000}}},
 {"scenario": "bases", "way": "root", "point": {"bases": 500, "no_attestations": true}, "further": {"images": 500, "wall": 40}},
 {"scenario": "bases", "way": "user", "point": {"bases": 500}, "further": {"images": 500, "wall": 150, "read": {"bases": 500000000000}}},
 {"scenario": "bases", "way": "user", "point": {"bases": 500, "known": true}, "further": {"images": 500, "wall": 90}}
]}`

const want = "An image, of 500 in one bake call, on 2 cores (1 May):\n\n" +
	"| for each image | `user: root` | without attestations | a user by name | 10,000 with `user: root` |\n" +
	`|---|---|---|---|---|
| time of one daemon | 0.12 s | 0.08 s | 0.3 s | 20 min |
| CPU of the daemon, frontends and runc | 0.16 s | 0 s | 0 s | 27 min |
| CPU of the client | 0.02 s | 0 s | 0 s | 3.3 min |
| layers that the daemon reads | 0 B | 0 B | 1 GB | 0 B |
| manifests and configs that it reads | 10 kB | 0 B | 0 B | 100 MB |
| new in the registry | 10 kB | 0 B | 0 B | 100 MB |
| new in the daemon's store | 10 kB | 0 B | 0 B | 100 MB |`

func TestTable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "values.json")
	for _, tt := range []struct{ values, want, problem string }{
		{values, want, ""},
		{strings.ReplaceAll(values, `"way": "user"`, `"way": "link"`), "", "lacks the scenario bases"},
		{"[]", "", "cannot unmarshal"},
	} {
		if err := os.WriteFile(file, []byte(tt.values), 0o644); err != nil {
			t.Fatal(err)
		}
		got, err := section(file)
		if tt.problem == "" && err != nil || tt.problem != "" && (err == nil || !strings.Contains(err.Error(), tt.problem)) {
			t.Errorf("the problem is %v, want %q", err, tt.problem)
		}
		if got != tt.want {
			t.Errorf("the table is\n%s\nwant\n%s", got, tt.want)
		}
	}
	if got, err := section(filepath.Join(t.TempDir(), "none")); got != nothingYet || err != nil {
		t.Errorf("without values: %q, %v", got, err)
	}
}

// The page holds the table of the values that are kept beside it.
func TestPageHoldsTable(t *testing.T) {
	docs := filepath.Join("..", "..", "docs")
	have, err := os.ReadFile(filepath.Join(docs, docFile))
	if err != nil {
		t.Fatal(err)
	}
	got, err := document(docs)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(have) {
		t.Error("docs/scaling.md is not what its values give: go run ./scaling, in integration")
	}
}
