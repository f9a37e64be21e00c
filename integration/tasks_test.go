package integration

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// The pages of docs/tasks hold what they show: their files are written, their
// commands run in order by a shell, and what is printed below a command is looked
// for in its output.
func TestTaskPages(t *testing.T) {
	prebuilt(t) // the stages that the pages build too
	pages, err := filepath.Glob(filepath.Join(eng.Repo(), "docs", "tasks", "*.md"))
	if err != nil || len(pages) == 0 {
		t.Fatalf("no pages: %v", err)
	}
	bin := shims(t)
	for _, page := range pages {
		t.Run(filepath.Base(page), func(t *testing.T) {
			text, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			blocks, err := parsePage(string(text))
			if err != nil {
				t.Fatalf("%s:%v", page, err)
			}
			runPage(t, page, bin, blocks)
		})
	}
}

// here replaces the names that pages have for the reader's registry and for this
// repository by what stands for them, and back.
func here() (to, from *strings.Replacer) {
	pairs := []string{
		"registry.example.com", eng.Registry(),
		"https://github.com/openhands/llb-frontend.git", "file://" + eng.Repo(),
	}
	var back []string
	for i := 0; i < len(pairs); i += 2 {
		back = append(back, pairs[i+1], pairs[i])
	}
	return strings.NewReplacer(pairs...), strings.NewReplacer(back...)
}

// shims makes a directory with a docker that is this engine's: `docker buildx` is
// the real buildx, `docker run` starts a container by runc.
func shims(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(dir, "engine"), "./cmd/engine")
	cmd.Dir = filepath.Join(eng.Repo(), "integration")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	docker := `#!/bin/bash
case $1 in
  buildx) shift; exec ` + eng.Bin("buildx") + ` "$@" ;;
  run) shift ;;
  *) echo "docker $1 is not known here" >&2; exit 1 ;;
esac
flags=()
while [[ $1 == -* ]]; do
  case $1 in
    --rm | -it) ;;
    -e) flags+=(-env "$2"); shift ;;
    --user | --entrypoint) flags+=("$1" "$2"); shift ;;
    *) echo "docker run $1 is not known here" >&2; exit 1 ;;
  esac
  shift
done
image=$1 && shift
cd ` + filepath.Join(eng.Repo(), "integration") + ` && exec ` + filepath.Join(dir, "engine") + ` run "${flags[@]}" "$image" -- "$@"
`
	if err := os.WriteFile(filepath.Join(dir, "docker"), []byte(docker), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// runPage runs the commands of a page in one shell, so that variables stay. A
// command that prints a line "ERROR: ..." must fail, any other must not.
func runPage(t *testing.T, page, bin string, blocks []block) {
	dir := t.TempDir()
	to, from := here()
	script := "cd " + dir + "\nset -o pipefail\n"
	var commands []pageCommand
	for _, b := range blocks {
		if b.file != "" {
			script += fmt.Sprintf("mkdir -p %q && cat >%q <<'END OF FILE'\n%sEND OF FILE\n", filepath.Dir(b.file), b.file, to.Replace(b.text))
		}
		for _, c := range b.commands {
			ok := "="
			if c.fails() {
				ok = "!="
			}
			script += fmt.Sprintf("{ %s\n} 2>&1 </dev/null\nstatus=$?; printf '\\036%%s\\036' $status; [ $status %s 0 ] || exit 1\n", to.Replace(c.text), ok)
			commands = append(commands, c)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-c", script)
	cmd.Env = append(os.Environ(), eng.Env()...)
	cmd.Env = append(cmd.Env,
		"PATH="+bin+":"+eng.Bin("")+":"+os.Getenv("PATH"), "OPENHANDS_ENGINE_DIR="+eng.Dir(), "GOMODCACHE="+filepath.Join(eng.Dir(), "gomod"),
		"BUILDKIT_PROGRESS=plain", "BUILDX_BAKE_ENTITLEMENTS_FS=0")
	out, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	results := bytes.Split(out, []byte("\036")) // output, status, output, status, ..., rest
	for i, c := range commands {
		place := fmt.Sprintf("%s:%d", page, c.line)
		if 2*i+1 >= len(results) {
			t.Fatalf("%s: `%s` was not reached, or has ended the shell:\n%s", place, c.text, results[len(results)-1])
		}
		said, status := from.Replace(string(results[2*i])), string(results[2*i+1])
		if (status != "0") != c.fails() {
			t.Fatalf("%s: `%s` ends with %s:\n%s", place, c.text, status, said)
		}
		if missing, ok := c.matches(said); !ok {
			t.Errorf("%s: `%s` does not print %q, or not in this order:\n%s", place, c.text, missing, said)
		}
	}
}

// block is a fenced block: a file, or commands.
type block struct {
	file, text string
	commands   []pageCommand
}

// pageCommand is a line behind "$ ", with what the page says that it prints. "..." on
// a line stands for any text.
type pageCommand struct {
	line   int
	text   string
	output []string
}

func (c pageCommand) fails() bool {
	for _, l := range c.output {
		if strings.HasPrefix(l, "ERROR: ") {
			return true
		}
	}
	return false
}

// matches looks for the lines of the page in what a command has printed, in their
// order and with anything between them.
func (c pageCommand) matches(said string) (missing string, ok bool) {
	lines := strings.Split(said, "\n")
	for _, want := range c.output {
		if want == "..." {
			continue
		}
		pattern := regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(want), `\.\.\.`, ".*") + `\s*$`)
		for len(lines) > 0 && !pattern.MatchString(lines[0]) {
			lines = lines[1:]
		}
		if len(lines) == 0 {
			return want, false
		}
		lines = lines[1:]
	}
	return "", true
}

// notRun is what stands above a block of commands that cannot run on such a machine.
const notRun = "Not run by the tests: "

// parsePage reads the fenced blocks of a page. "```console" holds commands,
// "```LANGUAGE FILE" a file, and "```sh" commands that the tests cannot run; others
// are for reading.
func parsePage(text string) ([]block, error) {
	var blocks []block
	var info, above string
	var body []string
	inside := false
	for i, line := range strings.Split(text, "\n") {
		rest, fence := strings.CutPrefix(line, "```")
		switch {
		case inside && !fence:
			body = append(body, line)
		case inside:
			b, err := newBlock(info, body, i-len(body)+1)
			if err != nil {
				return nil, err
			}
			blocks, inside, body = append(blocks, b), false, nil
		case fence:
			inside, info = true, rest
			if info == "sh" && !strings.HasPrefix(above, notRun) {
				return nil, fmt.Errorf("%d: commands that are not run want a reason above them: %q", i+1, notRun+"...")
			}
		case line != "":
			above = line
		}
	}
	if inside {
		return nil, fmt.Errorf("the last block has no end")
	}
	return blocks, nil
}

// newBlock reads the body of a block, whose first line has the number first.
func newBlock(info string, body []string, first int) (block, error) {
	if _, file, ok := strings.Cut(info, " "); ok {
		return block{file: file, text: strings.Join(body, "\n") + "\n"}, nil
	}
	if info != "console" {
		return block{}, nil
	}
	var b block
	continued := false
	for i, line := range body {
		text, isCommand := strings.CutPrefix(line, "$ ")
		switch last := len(b.commands) - 1; {
		case continued:
			b.commands[last].text += "\n" + line
			text = line
		case isCommand:
			b.commands = append(b.commands, pageCommand{line: first + i, text: text})
		case last < 0:
			return b, fmt.Errorf("%d: a block of commands begins with \"$ \"", first+i)
		default:
			b.commands[last].output = append(b.commands[last].output, line)
			continue
		}
		continued = strings.HasSuffix(text, `\`)
	}
	return b, nil
}
