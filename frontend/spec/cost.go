package spec

import "strings"

// Limits of what the substitution of one value may cost, and that of all values of
// a file, see [arguments.cost]; and of how deep "${" lies in "${".
const (
	maxCost    = 256 << 10
	maxCosts   = 4 << 20
	maxNesting = 10
)

// affordable refuses a value whose substitution could take long or make a text of
// any size: "${A//a/${A//a/$A}}" has the third power of an arg's length.
func (l *loader) affordable(text, path string) bool {
	if l.args.costs <= maxCosts {
		cost := l.args.cost(text, 0)
		l.args.costs += cost
		if cost <= maxCost {
			return true
		}
	}
	l.problem(path, "%s takes too much to substitute; use args less often, and shorter words in ${NAME/pattern/word}, ${NAME#pattern} and ${NAME%%pattern}", path)
	return false
}

// cost bounds the length of a text after substitution, and the work for it: the
// length of every arg that it uses, once more for each character of a pattern or
// word that the arg is matched with or replaced by. It is maxCost+1 for all that is
// beyond.
func (a *arguments) cost(text string, depth int) int {
	if depth > maxNesting {
		return maxCost + 1
	}
	total := 0
	for i := 0; i < len(text) && total <= maxCost; i++ {
		if text[i] != '$' {
			if text[i] == '\\' {
				i++
			}
			total++
			continue
		}
		inner, braced := strings.CutPrefix(text[i+1:], "{")
		name := inner[:nameLength(inner)]
		value := len(a.values[name]) + 1
		if !braced {
			total += value
			i += len(name)
			continue
		}
		word := inner[len(name):closing(inner)]
		cost := a.cost(word, depth+1)
		if plain := word == "" || word[0] == ':' || word[0] == '-' || word[0] == '+' || word[0] == '?'; plain {
			total += value + cost
		} else {
			total += value * (cost + 1)
		}
		i += len("{") + len(name) + len(word) + len("}")
	}
	return min(total, maxCost+1)
}

// nameLength is the length of the name that a text begins with.
func nameLength(text string) int {
	end := strings.IndexFunc(text, func(c rune) bool {
		return c != '_' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9')
	})
	if end < 0 {
		return len(text)
	}
	return end
}

// closing finds the brace that ends what "${" has begun, or the end.
func closing(text string) int {
	for i, depth := 0, 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return len(text)
}
