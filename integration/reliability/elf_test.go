package reliability

import (
	"fmt"
	"testing"

	"github.com/openhands/llb-frontend/llb/seal/sealtest"
)

// What comes of each is tested where the seal is: in llb/seal and
// frontend/cmd/oh-seal, which have a test for every row.
func TestProgramsTable(t *testing.T) {
	table := Table{Header: []string{"program", "files", "what comes of it"}}
	files := 0
	for _, c := range sealtest.Hostile() {
		table.Rows = append(table.Rows, []string{c.Name, fmt.Sprint(len(c.Files)), c.Outcome})
		files += len(c.Files)
	}
	for _, c := range sealtest.HostileFiles() {
		table.Rows = append(table.Rows, []string{c.Name, "1", c.Outcome})
		files++
	}
	rows := fmt.Sprintf("**%d in all**", len(table.Rows))
	table.Rows = append(table.Rows, []string{rows, fmt.Sprint(files), "never a panic, never a byte outside of the file"})
	Check(t, "../../docs", "elf", table)
}
