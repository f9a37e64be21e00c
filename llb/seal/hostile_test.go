package seal

import (
	"bytes"
	"strings"
	"testing"

	"github.com/openhands/llb-frontend/llb/seal/sealtest"
)

func TestHostileFiles(t *testing.T) {
	a := arch(t, "amd64")
	for _, tt := range sealtest.Hostile() {
		t.Run(tt.Name, func(t *testing.T) {
			for i, before := range tt.Files {
				b := bytes.Clone(before)
				changed := false
				f, err := Inspect(bytes.NewReader(b), a)
				if err == nil {
					changed, err = Seal(b, f, a)
				}
				switch {
				case tt.Error == "" && err != nil, tt.Error != "" && (err == nil || !strings.Contains(err.Error(), tt.Error)):
					t.Errorf("file %d: got %v, want an error with %q", i, err, tt.Error)
				case changed != tt.Sealed, !changed && !bytes.Equal(b, before):
					t.Errorf("file %d: bytes change: %t, want %t", i, changed, tt.Sealed)
				case changed:
					sealedRightly(t, before, b, a)
				}
			}
		})
	}
}

// sealedRightly checks that a file has our interpreter, no directory outside, and
// all other bytes as before.
func sealedRightly(t *testing.T, before, b []byte, a Arch) {
	t.Helper()
	f, err := Inspect(bytes.NewReader(b), a)
	if err != nil || f.Interp != Interpreter {
		t.Errorf("interpreter %q, %v", f.Interp, err)
	}
	for _, dir := range f.Runpath {
		if !Inside(dir) {
			t.Errorf("search directory %q", dir)
		}
	}
	padded := append([]byte(Interpreter), make([]byte, len(a.interp)-len(Interpreter))...)
	want := bytes.Replace(bytes.Replace(before, []byte(a.interp), padded, 1), []byte("/usr/lib/x\x00"), []byte("/-oh/lib/x\x00"), 1)
	if !bytes.Equal(bytes.ReplaceAll(b, []byte("/usr/lib/x\x00"), []byte("/-oh/lib/x\x00")), want) {
		t.Errorf("got\n%q, want\n%q", b, want)
	}
}
