package check

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// state is the outcome of a row, as the table shows it.
type state string

const (
	ok     state = "ok"
	fail   state = "FAIL"
	absent state = "absent"
	// skipped is for what another failure keeps from being checked.
	skipped state = "-"
)

// result is a row of the table.
type result struct {
	name   string
	state  state
	detail string
	took   time.Duration
	// output and remedy explain a failure: what was printed, and what to do.
	output string
	remedy string
}

// check finds out one or several rows and hands each over when it is known.
type check func(ctx context.Context, add func(result))

// row is a check of one row. It takes the time.
func row(name string, run func(context.Context) result) check {
	return func(ctx context.Context, add func(result)) {
		start := time.Now()
		r := run(ctx)
		r.name, r.took = name, time.Since(start)
		add(r)
	}
}

func works(format string, args ...any) result {
	return result{state: ok, detail: fmt.Sprintf(format, args...)}
}

func missing(format string, args ...any) result {
	return result{state: absent, detail: fmt.Sprintf(format, args...)}
}

// broken is a failure; output is what was printed, of which the end is shown.
func broken(remedy, output, format string, args ...any) result {
	return result{state: fail, detail: fmt.Sprintf(format, args...), output: output, remedy: remedy}
}

// report prints rows as they come and remembers the failures.
type report struct {
	w      io.Writer
	width  int // of names
	expect []string
	seen   []string
	failed []result
}

func newReport(w io.Writer, expect []string) *report {
	r := &report{w: w, width: len("server-ipython"), expect: expect}
	for _, name := range expect {
		r.width = max(r.width, len(name))
	}
	r.line("check", "result", "seconds", "detail")
	return r
}

func (r *report) line(name, state, seconds, detail string) {
	text := fmt.Sprintf("%-*s  %-6s  %7s  %s", r.width, name, state, seconds, detail)
	fmt.Fprintln(r.w, strings.TrimRight(text, " "))
}

func (r *report) add(res result) {
	if res.state == absent && slices.Contains(r.expect, res.name) {
		res = result{
			name: res.name, state: fail, took: res.took,
			detail: "not in this image: " + res.detail,
			remedy: "add the component that brings it, or take " + res.name + " out of --expect",
		}
	}
	if res.state == skipped && slices.Contains(r.expect, res.name) {
		res.state = fail
	}
	r.seen = append(r.seen, res.name)
	if res.state == fail {
		r.failed = append(r.failed, res)
	}
	r.line(res.name, string(res.state), fmt.Sprintf("%.1f", res.took.Seconds()), oneLine(res.detail))
}

// finish adds what was expected and never came, explains the failures and
// returns their number.
func (r *report) finish() int {
	for _, name := range r.expect {
		if !slices.Contains(r.seen, name) {
			r.add(result{name: name, state: absent, detail: "nothing in it has this check"})
		}
	}
	for _, res := range r.failed {
		fmt.Fprintf(r.w, "\n%s: %s\n", res.name, oneLine(res.detail))
		for _, line := range lastLines(res.output, 20) {
			fmt.Fprintln(r.w, "  | "+line)
		}
		if res.remedy != "" {
			fmt.Fprintln(r.w, "  to do: "+res.remedy)
		}
	}
	fmt.Fprintln(r.w)
	if n := len(r.failed); n > 0 {
		fmt.Fprintf(r.w, "%d of %d checks failed\n", n, len(r.seen))
	} else {
		fmt.Fprintf(r.w, "%d checks, no failure\n", len(r.seen))
	}
	return len(r.failed)
}

// oneLine is the first line of a text that is not empty, fit for a terminal.
func oneLine(s string) string {
	const most = 200
	for line := range strings.Lines(s) {
		line = strings.TrimSpace(printable(line))
		if line == "" {
			continue
		}
		if runes := []rune(line); len(runes) > most {
			line = string(runes[:most]) + "..."
		}
		return line
	}
	return ""
}

// lastLines returns the end of a text without empty lines.
func lastLines(s string, n int) []string {
	var lines []string
	for line := range strings.Lines(s) {
		if line = strings.TrimRight(printable(line), " "); line != "" {
			lines = append(lines, line)
		}
	}
	return lines[max(0, len(lines)-n):]
}

// printable takes out what would move a terminal's cursor.
func printable(s string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c == '\t':
			return ' '
		case c < ' ' || c == 0x7f:
			return -1
		}
		return c
	}, s)
}
