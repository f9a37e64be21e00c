package integration

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/client"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	gwpb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/apicaps"
)

// dockerName is Docker Engine 20.10 in docs/engines.md.
const dockerName = "Docker Engine 20.10"

// engineName is a release of BuildKit in docs/engines.md.
func engineName(release string) string { return "BuildKit " + strings.TrimPrefix(release, "v") }

// holdsEngineTable compares a column of docs/engines.md with what the daemon
// says of itself.
func holdsEngineTable(t *testing.T, column string, c *client.Client) {
	t.Helper()
	header, rows := docsTable(t, "engines.md", "capability")
	at, ids := slices.Index(header, column), slices.Index(header, "capability")
	if at < 0 {
		t.Fatalf("docs/engines.md has no column %q, it has %q", column, header)
	}
	has := capabilities(t, c)
	for _, row := range rows {
		id := strings.Trim(row[ids], "`")
		want, known := has[id]
		switch said := row[at]; {
		case !known:
			t.Errorf("docs/engines.md: there is no capability %q", id)
		case said == "yes" && !want, said == "no" && want, said != "yes" && said != "no":
			t.Errorf("docs/engines.md says %q of %s and %s; the daemon has it: %t", said, column, id, want)
		}
	}
}

// capabilities are those that a daemon offers to a frontend, by name.
func capabilities(t *testing.T, c *client.Client) map[string]bool {
	t.Helper()
	has := map[string]bool{}
	_, err := c.Build(t.Context(), client.SolveOpt{}, "", func(_ context.Context, gw gwclient.Client) (*gwclient.Result, error) {
		opts := gw.BuildOpts()
		for _, known := range pb.Caps.All() {
			has[known.ID] = opts.LLBCaps.Supports(apicaps.CapID(known.ID)) == nil
		}
		for _, known := range gwpb.Caps.All() {
			has[known.ID] = opts.Caps.Supports(apicaps.CapID(known.ID)) == nil
		}
		return gwclient.NewResult(), nil
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return has
}

// docsTable reads the table of a page of docs that has a column of that name.
func docsTable(t *testing.T, page, column string) (header []string, rows [][]string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(eng.Repo(), "docs", page))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		cells := tableCells(line)
		switch {
		case header == nil && slices.Contains(cells, column):
			header = cells
		case header != nil && cells == nil:
			return header, rows
		case header != nil && !strings.HasPrefix(cells[0], "---"):
			rows = append(rows, cells)
		}
	}
	if header == nil {
		t.Fatalf("docs/%s has no table with a column %q", page, column)
	}
	return header, rows
}

// tableCells splits a line of a table; nil means that it is none.
func tableCells(line string) []string {
	line = strings.TrimSpace(line)
	if !strings.HasPrefix(line, "|") {
		return nil
	}
	cells := strings.Split(strings.Trim(line, "|"), "|")
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	return cells
}
