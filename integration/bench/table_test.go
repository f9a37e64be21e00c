package main

import (
	"strings"
	"testing"
	"time"

	"github.com/openhands/llb-frontend/integration/engine"
)

func TestTable(t *testing.T) {
	side := func(n float64) *subject {
		u := engine.Usage{Wall: time.Duration(n * float64(time.Second)), CPU: time.Duration(2 * n * float64(time.Second)), Memory: int64(n * 1e9)}
		return &subject{
			name: "side", cold: u, vscode: u, code: u, size: size{compressed: int64(n * 1e6), unpacked: int64(3 * n * 1e6)},
			startCold: []float64{9 * n, n, 2 * n}, startWarm: []float64{n, 2 * n},
		}
	}
	text := table(side(10), side(40))
	for _, want := range []string{
		"| cold build, until pushed | 10 s | 40 s | 0.25 |\n", "| its peak of memory | 10000 MB | 40000 MB | 0.25 |\n",
		"| layers, unpacked, without the base | 30 MB | 120 MB | 0.25 |\n",
		"| run to healthy, cold page cache, median | 20.0 s | 80.0 s | 0.25 |\n", "| run to healthy, warm page cache, median | 15.0 s | 60.0 s | 0.25 |\n",
		"| run to healthy, cold page cache, least | 10.0 s | 40.0 s | 0.25 |\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
}
