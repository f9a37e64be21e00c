package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// report is what this program reads of a run of integration/scale, which explains
// the fields.
type report struct {
	Date    string `json:"date"`
	Machine struct {
		Cores int `json:"cores"`
	} `json:"machine"`
	Results []result `json:"results"`
}

type result struct {
	Scenario string `json:"scenario"`
	Way      string `json:"way"`
	Point    struct {
		Bases          int  `json:"bases"`
		NoAttestations bool `json:"no_attestations"`
		Known          bool `json:"known"`
	} `json:"point"`
	Further cost `json:"further"`
}

type cost struct {
	Images int     `json:"images"`
	Wall   float64 `json:"wall"` // seconds, of all images together
	CPU    struct {
		Daemon     float64 `json:"daemon"`
		Containers float64 `json:"containers"`
		Runtime    float64 `json:"runtime"`
		Client     float64 `json:"client"`
	} `json:"cpu"` // seconds
	Read struct {
		Bases     int64 `json:"bases"`
		Deps      int64 `json:"deps"`
		Frontend  int64 `json:"frontend"`
		Documents int64 `json:"documents"`
	} `json:"read"` // bytes
	New struct {
		LayerBytes int64 `json:"layer_bytes"`
		Documents  int64 `json:"documents"`
	} `json:"new"` // bytes
	Store struct {
		Content   int64 `json:"content"`
		Traces    int64 `json:"traces"`
		Snapshots int64 `json:"snapshots"`
		Databases int64 `json:"databases"`
	} `json:"store"` // bytes
}

// many is the number of images that the last column is for.
const many = 10_000

// largest is the bake of most images by a way.
func (r *report) largest(way string, noAttestations bool) (cost, bool) {
	var found result
	for _, res := range r.Results {
		p := res.Point
		if res.Scenario == "bases" && res.Way == way && p.NoAttestations == noAttestations && !p.Known && p.Bases > found.Point.Bases {
			found = res
		}
	}
	return found.Further, found.Further.Images > 0
}

// row is one kind of cost.
type row struct {
	name   string
	of     func(cost) float64 // of all images together
	format func(float64) string
}

var rows = []row{
	{"time of one daemon", func(c cost) float64 { return c.Wall }, formatSeconds},
	{"CPU of the daemon, frontends and runc", func(c cost) float64 { return c.CPU.Daemon + c.CPU.Containers + c.CPU.Runtime }, formatSeconds},
	{"CPU of the client", func(c cost) float64 { return c.CPU.Client }, formatSeconds},
	{"layers that the daemon reads", func(c cost) float64 { return float64(c.Read.Bases + c.Read.Deps + c.Read.Frontend) }, formatBytes},
	{"manifests and configs that it reads", func(c cost) float64 { return float64(c.Read.Documents) }, formatBytes},
	{"new in the registry", func(c cost) float64 { return float64(c.New.LayerBytes + c.New.Documents) }, formatBytes},
	{"new in the daemon's store", func(c cost) float64 {
		return float64(c.Store.Content + c.Store.Traces + c.Store.Snapshots + c.Store.Databases)
	}, formatBytes},
}

// table is what an image costs by each way, and what many cost by the first.
func (r *report) table() (string, error) {
	root, ok1 := r.largest("root", false)
	plain, ok2 := r.largest("root", true)
	user, ok3 := r.largest("user", false)
	if !ok1 || !ok2 || !ok3 {
		return "", errors.New("the run lacks the scenario bases for root, with and without attestations, or for user: run all of it")
	}
	var b strings.Builder
	fmt.Fprintf(&b, "An image, of %d in one bake call, on %d cores (%s):\n\n", root.Images, r.Machine.Cores, r.Date)
	fmt.Fprintf(&b, "| for each image | `user: root` | without attestations | a user by name | %s with `user: root` |\n|---|---|---|---|---|\n", group(many))
	for _, row := range rows {
		each := func(c cost) float64 { return row.of(c) / float64(c.Images) }
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", row.name, row.format(each(root)), row.format(each(plain)), row.format(each(user)), row.format(many*each(root)))
	}
	return strings.TrimSpace(b.String()), nil
}

// formatSeconds is a time as people write it.
func formatSeconds(s float64) string {
	switch {
	case s >= 2*3600:
		return short(s/3600) + " h"
	case s >= 120:
		return short(s/60) + " min"
	}
	return short(s) + " s"
}

// formatBytes is a size as people write it.
func formatBytes(n float64) string {
	for _, unit := range []struct {
		name string
		size float64
	}{{"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}} {
		if n >= unit.size*0.9995 {
			return short(n/unit.size) + " " + unit.name
		}
	}
	return short(n) + " B"
}

// short has two digits, or all before the point.
func short(v float64) string {
	if v >= 10 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 2, 64)
}

// group writes thousands apart.
func group(n int) string { return fmt.Sprintf("%d,%03d", n/1000, n%1000) }
