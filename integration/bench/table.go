package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/openhands/llb-frontend/integration/engine"
)

// table has both sides and their ratio.
func table(ours, peer *subject) string {
	var out strings.Builder
	fmt.Fprintf(&out, "| what | %s | %s | ratio |\n|---|---|---|---|\n", ours.name, peer.name)
	row := func(what, format string, a, b float64) {
		if a == 0 || b == 0 { // not measured
			return
		}
		fmt.Fprintf(&out, "| %s | %s | %s | %.2f |\n", what, fmt.Sprintf(format, a), fmt.Sprintf(format, b), a/b)
	}
	seconds := func(u engine.Usage) float64 { return u.Wall.Seconds() }
	row("cold build, until pushed", "%.0f s", seconds(ours.cold), seconds(peer.cold))
	row("its CPU time", "%.0f s", ours.cold.CPU.Seconds(), peer.cold.CPU.Seconds())
	row("its peak of memory", "%.0f MB", float64(ours.cold.Memory)/1e6, float64(peer.cold.Memory)/1e6)
	row("build with another VS Code", "%.1f s", seconds(ours.vscode), seconds(peer.vscode))
	row("its CPU time", "%.0f s", ours.vscode.CPU.Seconds(), peer.vscode.CPU.Seconds())
	row("build with a changed line of the server", "%.1f s", seconds(ours.code), seconds(peer.code))
	row("its CPU time", "%.1f s", ours.code.CPU.Seconds(), peer.code.CPU.Seconds())
	row("layers, compressed, without the base", "%.0f MB", float64(ours.size.compressed)/1e6, float64(peer.size.compressed)/1e6)
	row("layers, unpacked, without the base", "%.0f MB", float64(ours.size.unpacked)/1e6, float64(peer.size.unpacked)/1e6)
	for _, s := range []struct {
		cache      string
		ours, peer []float64
	}{{"cold", ours.startCold, peer.startCold}, {"warm", ours.startWarm, peer.startWarm}} {
		if len(s.ours) == 0 || len(s.peer) == 0 {
			continue
		}
		row("run to healthy, "+s.cache+" page cache, median", "%.1f s", median(s.ours), median(s.peer))
		if len(s.ours) == 1 {
			continue
		}
		row("run to healthy, "+s.cache+" page cache, least", "%.1f s", slices.Min(s.ours), slices.Min(s.peer))
	}
	return out.String()
}

func median(list []float64) float64 {
	sorted := slices.Sorted(slices.Values(list))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
