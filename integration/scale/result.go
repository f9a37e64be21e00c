package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// report is all that one run has measured.
type report struct {
	Date     string   `json:"date"`
	Command  string   `json:"command"`
	Seconds  float64  `json:"seconds"`
	Machine  machine  `json:"machine"`
	Frontend figures  `json:"frontend"`
	Results  []result `json:"results"`
}

// result is one way at one point of one scenario.
type result struct {
	Scenario string `json:"scenario"`
	Way      string `json:"way"`
	Point    point  `json:"point"`
	// Repeated says that these are the values of an earlier scenario.
	Repeated bool `json:"repeated,omitempty"`
	// Lock is the writing of the lock that a way wants, before.
	Lock *collection `json:"lock,omitempty"`
	// First is the first image on a daemon that knows nothing.
	First   cost `json:"first"`
	Further cost `json:"further"`
}

// at is what was measured of a way at a point, in whatever scenario.
func (r *report) at(way string, p point) (*result, bool) {
	for _, res := range r.Results {
		if res.Way == way && res.Point == p {
			return &res, true
		}
	}
	return nil, false
}

// cost is what the building of some images took.
type cost struct {
	Images   int       `json:"images"`
	Wall     float64   `json:"wall"`    // seconds, all together
	Seconds  []float64 `json:"seconds"` // of each image
	Settle   float64   `json:"settle"`  // seconds that the daemon worked on behind them
	Failures int       `json:"failures"`
	Errors   []string  `json:"errors,omitempty"`
	// Phases are the mean seconds of an image.
	Phases map[phase]float64 `json:"phases"`
	CPU    processors        `json:"cpu"`
	Read   reads             `json:"read"`
	New    additions         `json:"new"`
	Store  growth            `json:"store"`
	// FrontendPeak is the memory of the largest frontend process, in bytes.
	FrontendPeak int64 `json:"frontend_peak"`
}

// processors are seconds of processor time.
type processors struct {
	Daemon     float64 `json:"daemon"`
	Containers float64 `json:"containers"` // frontends, RUN steps
	Runtime    float64 `json:"runtime"`    // runc
	Client     float64 `json:"client"`
}

func (p processors) sum() float64 { return p.Daemon + p.Containers + p.Runtime + p.Client }

// reads are bytes that the daemon read from the registry.
type reads struct {
	Bases     int64 `json:"bases"`    // layers
	Deps      int64 `json:"deps"`     // layers
	Frontend  int64 `json:"frontend"` // layers
	Documents int64 `json:"documents"`
}

// additions are what the registry has got.
type additions struct {
	Layers     int   `json:"layers"`
	LayerBytes int64 `json:"layer_bytes"`
	Documents  int64 `json:"documents"` // bytes of manifests, configs and attestations
}

func (a additions) bytes() int64 { return a.LayerBytes + a.Documents }

// growth is what the daemon has got, in bytes.
type growth struct {
	Content   int64 `json:"content"`   // layers, documents, records of builds
	Traces    int64 `json:"traces"`    // of builds: kept with their records for two days
	Snapshots int64 `json:"snapshots"` // files
	Databases int64 `json:"databases"` // disk that they have written to for the first time
}

func (g growth) bytes() int64 { return g.Content + g.Traces + g.Snapshots + g.Databases }

// each is how long all images took together, for each of them.
func (c cost) each() float64 { return c.Wall / float64(max(1, c.Images)) }

// per is a sum for each image.
func (c cost) per(n int64) float64 { return float64(n) / float64(max(1, c.Images)) }

// quantile is a value of a list of which the share q is not above it (nearest rank).
func quantile(list []float64, q float64) float64 {
	if len(list) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(list))
	return sorted[max(0, int(math.Ceil(q*float64(len(sorted))))-1)]
}

// means are those of a list of maps; what a map lacks is zero.
func means(list []map[phase]float64) map[phase]float64 {
	sums := map[phase]float64{}
	for _, m := range list {
		for k, v := range m {
			sums[k] += v / float64(len(list))
		}
	}
	for k, v := range sums {
		sums[k] = round(v)
	}
	return sums
}

// failed is an error if any build has failed.
func (r *report) failed() error {
	var err error
	for _, res := range r.Results {
		if n := res.First.Failures + res.Further.Failures; n > 0 {
			err = errors.Join(err, fmt.Errorf("%s, %s: %d builds failed: %s", res.Scenario, res.Way, n,
				strings.Join(append(res.First.Errors, res.Further.Errors...), "; ")))
		}
	}
	return err
}

// save writes all values as JSON.
func (r *report) save(file string) error {
	b, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, append(b, '\n'), 0o644)
}

// load reads what save has written.
func load(file string) (*report, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	r := &report{}
	return r, json.Unmarshal(b, r)
}

// round keeps milliseconds.
func round(seconds float64) float64 { return math.Round(seconds*1000) / 1000 }

func rounded(list []float64) []float64 {
	var out []float64
	for _, v := range list {
		out = append(out, round(v))
	}
	return out
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// formatBytes is a size as people write it.
func formatBytes[T int64 | float64](n T) string {
	v := float64(n)
	for _, unit := range []struct {
		name string
		size float64
	}{{"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}} {
		if v >= unit.size*0.9995 {
			return strconv.FormatFloat(v/unit.size, 'g', 3, 64) + " " + unit.name
		}
	}
	return fmt.Sprintf("%.0f B", v)
}

// parseBytes reads a size such as 20MB.
func parseBytes(text string) (int64, error) {
	for unit, size := range map[string]float64{"MB": megabyte, "GB": gigabyte} {
		if number, ok := strings.CutSuffix(strings.ToUpper(text), unit); ok {
			n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
			if err == nil && n > 0 {
				return int64(n * size), nil
			}
		}
	}
	return 0, fmt.Errorf("%q is no size such as 20MB or 0.5GB", text)
}
