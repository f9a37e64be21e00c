package spec

import "testing"

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"":                         "",
		"bäse «a» 漢":               "bäse «a» 漢",
		"a\nb\tc\r":                `a\nb\tc\r`,
		"\x1b[2K\u009b\a":          `\x1b[2K\u009b\a`,
		"\u202e\u2066\u2028\ue000": `\u202e\u2066\u2028\ue000`,
		"\xff":                     "\ufffd",
	} {
		if got := Printable(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestPrintableText(t *testing.T) {
	for in, want := range map[string]string{
		"a\r\n\tb\n":     "a\r\n\tb\n",
		"\ufeffa":        "\ufeffa",
		"a\rb\r":         "a\ufffdb\ufffd",
		"\x1b\x00\u202e": "\ufffd\ufffd\ufffd",
	} {
		if got := PrintableText(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestCost(t *testing.T) {
	a := &arguments{values: map[string]string{"A": "1234"}}
	for text, want := range map[string]int{
		"":               0,
		"abc":            3,
		`\$A`:            2, // the escape counts once, and the letter
		"$A":             5,
		"x${A}y":         7,
		"${A:-bc}":       5 + 4,
		"${A/x/yz}":      5 * 6,
		"${A//a/$A}":     5 * 10,
		"${A//a/${A#b}}": 5 * (4 + 5*3 + 1),
		"$B":             1,
		"${A":            5,
		"${A:-\\}}":      5 + 3,
		"${A:-{}x}":      5 + 5,
	} {
		if got := a.cost(text, 0); got != want {
			t.Errorf("%s: got %d, want %d", text, got, want)
		}
	}
}
