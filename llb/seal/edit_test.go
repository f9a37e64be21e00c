package seal

import (
	"bytes"
	"debug/elf"
	"strings"
	"testing"

	"github.com/openhands/llb-frontend/llb/seal/sealtest"
)

func TestSealSearchDirectories(t *testing.T) {
	for in, want := range map[string]string{
		"/usr/lib/x86_64-linux-gnu/pulseaudio": "/-oh/lib/x86_64-linux-gnu/pulseaudio",
		"$ORIGIN/../lib:${ORIGIN}":             "$ORIGIN/../lib:${ORIGIN}",
		"$ORIGIN:/opt/x:/openhands/python/lib": "$ORIGIN:/-oh/x:/openhands/python/lib",
		"/home/conda/lib:/srv":                 "/-ohe/conda/lib:/-oh",
		"/openhandsome":                        "/-ohnhandsome",
		"$ORIGINAL":                            "",
		"/a":                                   "",
		"$ORIGIN::/usr/lib":                    "",
		"lib":                                  "",
	} {
		for _, rpath := range []bool{false, true} {
			file := sealtest.ELF{Machine: elf.EM_X86_64, Type: elf.ET_DYN, Soname: "libz.so.1", Runpath: in, Data: "rest" + in}
			if rpath {
				file.Rpath, file.Runpath = in, ""
			}
			before := file.Bytes()
			b := bytes.Clone(before)
			changed, err := sealBytes(t, b, "amd64")
			switch {
			case want == "":
				if err == nil || !strings.Contains(err.Error(), "search directory") || !bytes.Equal(b, before) {
					t.Errorf("%q: got %v, want an error and no change", in, err)
				}
			case err != nil || changed != (in != want):
				t.Errorf("%q: got %v, %v", in, changed, err)
			case !bytes.Equal(b, bytes.Replace(before, []byte(in), []byte(want), 1)):
				t.Errorf("%q: got %q, want %q", in, b, want)
			}
		}
	}
}

// The loader path alone serves trees outside /openhands: a person's own
// programs keep their directories.
func TestInterpreterEditsLeaveSearchPath(t *testing.T) {
	b := sealtest.ELF{Machine: elf.EM_X86_64, Type: elf.ET_DYN, Interp: glibcAMD64, Runpath: "/opt/conda/lib"}.Bytes()
	a := arch(t, "amd64")
	f, err := Inspect(bytes.NewReader(b), a)
	if err != nil {
		t.Fatal(err)
	}
	edits, err := InterpreterEdits(f, a)
	if err != nil || len(edits) != 1 {
		t.Fatalf("got %d edits, %v, want 1", len(edits), err)
	}
	if want := Interpreter + "\x00\x00"; string(edits[0].Data) != want || !bytes.HasPrefix(b[edits[0].Offset:], []byte(glibcAMD64)) {
		t.Errorf("got %q at %#x, want %q over the old path", edits[0].Data, edits[0].Offset, want)
	}
}
