// Package lint holds the rules that a valid spec may still break. A rule warns;
// a request can leave rules out, and can make a warning an error.
package lint

import (
	"cmp"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/openhands/llb-frontend/frontend/lock"
	"github.com/openhands/llb-frontend/frontend/spec"
)

// page describes every rule, each under its name.
const page = "https://github.com/openhands/llb-frontend/blob/main/docs/checks.md"

// Input is what rules look at.
type Input struct {
	*spec.Document
	// IsContext tells whether the request has a build context of that name: then
	// a reference names no image of a registry.
	IsContext func(name string) bool

	// Locks says that the request has a lock file, or writes one.
	Locks bool
	// Lock is that file; nil if there is none.
	Lock *lock.Lock
	// Stale is what the lock file lacks, LockCommand what writes it.
	Stale       []spec.Problem
	LockCommand string
}

// Rule is one thing that a spec should not do. Strict rules are checked only
// when a request asks for them: they forbid what many use on purpose.
type Rule struct {
	Name        string
	Description string
	Strict      bool
	check       func(Input) []spec.Problem
}

// URL is where the rule is explained.
func (r Rule) URL() string { return page + "#" + strings.ToLower(r.Name) }

// Finding is a place in a spec that breaks a rule.
type Finding struct {
	Rule
	spec.Problem
}

// ConfigOf says which rules to check. The request's build arg
// BUILDKIT_DOCKERFILE_CHECK wins over the file's own line "# check=": the syntax
// and the precedence are those of Dockerfiles
// (https://docs.docker.com/reference/dockerfile/#check), and strict rules are
// their experimental ones.
func ConfigOf(request *linter.Config, file []byte) (linter.Config, error) {
	if request != nil {
		return *request, nil
	}
	line, _, _, _ := parser.ParseDirective("check", file)
	config, err := linter.ParseLintOptions(line)
	if err != nil {
		return linter.Config{}, err
	}
	return *config, nil
}

// Run checks all rules that the config wants, and gives what they found in file
// order. The error says that the config makes it one.
func Run(in Input, config linter.Config) ([]Finding, error) {
	var found []Finding
	var rule Rule
	var problem spec.Problem
	config.Warn = func(_, _, _, _ string, _ []parser.Range) {
		found = append(found, Finding{rule, problem})
	}
	l := linter.New(&config)
	for _, rule = range Rules() {
		for _, problem = range rule.check(in) {
			l.Run(&linter.LinterRule[struct{}]{Name: rule.Name, Experimental: rule.Strict}, nil, problem.Message)
		}
	}
	slices.SortStableFunc(found, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Range.Start.Line, b.Range.Start.Line), cmp.Compare(a.Range.Start.Column, b.Range.Start.Column))
	})
	return found, l.Error()
}
