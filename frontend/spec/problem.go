package spec

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/moby/buildkit/util/suggest"
)

// Problem is one mistake in a spec file, or a warning about it.
type Problem struct {
	Path    string // the key at fault, such as "deps.tools[2]"; empty for the whole file
	Range   Range
	Message string // the rule and its remedy, without the position
}

// NewProblem words a problem as one printable line in which no value takes much
// room.
func NewProblem(path string, at Range, text string, args ...any) Problem {
	return Problem{Path: path, Range: at, Message: format(text, args...)}
}

// Error says that a spec file is at fault. It holds every problem, in file order.
type Error struct {
	Filename string
	Problems []Problem
}

// Error returns one line "file:line:col: message" for each problem.
func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = fmt.Sprintf("%s:%d:%d: %s", e.Filename, p.Range.Start.Line, p.Range.Start.Column, p.Message)
	}
	return strings.Join(lines, "\n")
}

// With returns an error that holds more problems of the same file.
func (e *Error) With(more ...Problem) *Error {
	all := slices.Concat(e.Problems, more)
	sortProblems(all)
	return &Error{Filename: e.Filename, Problems: all}
}

// sortProblems puts problems in file order, those of one place in the order in
// which they were found.
func sortProblems(problems []Problem) {
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(
			cmp.Compare(a.Range.Start.Line, b.Range.Start.Line),
			cmp.Compare(a.Range.Start.Column, b.Range.Start.Column),
		)
	})
}

// didYouMean returns `, did you mean "x"?` for the nearest option, or nothing.
func didYouMean(word string, options []string) string {
	if lower := strings.ToLower(word); lower != word && slices.Contains(options, lower) {
		return fmt.Sprintf(", did you mean %q?", lower)
	}
	if match, ok := suggest.Search(word, options, true); ok {
		return fmt.Sprintf(", did you mean %q?", match)
	}
	return ""
}

// didYouMeanOr is didYouMean with a remedy for a word that is near to no option.
func didYouMeanOr(word string, options []string, remedy string) string {
	return cmp.Or(didYouMean(word, options), remedy)
}
