package check

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

const usage = `usage: oh-check [--expect NAME[,NAME...]] [--timeout SECONDS] [-- SERVER COMMAND...]

  --expect NAMES     rows that must be there: without them in the image, they fail;
                     other names are programs of /openhands/tools
  --timeout SECONDS  how long a server or a browser may take to start (120);
                     a program may take a twelfth of it
  -- COMMAND         the server's command line instead of the hosts' own;
                     {port} stands for a free port`

// options are oh-check's command line.
type options struct {
	expect  []string
	timeout time.Duration
	command []string // of the server; nil for the one that hosts use
	help    bool
}

func parseOptions(args []string) (options, error) {
	opt := options{timeout: 120 * time.Second} // as long as hosts wait for a server
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		if arg == "--" {
			if len(args) == 0 {
				return options{}, errors.New("-- begins the server's command: give one after it, or leave -- out")
			}
			opt.command = args
			return opt, nil
		}
		name, value, given := strings.Cut(arg, "=")
		switch name {
		case "-h", "--help":
			opt.help = true
			return opt, nil
		case "--expect", "--timeout":
		default:
			return options{}, fmt.Errorf("%s is no option: see oh-check --help", arg)
		}
		if !given {
			if len(args) == 0 {
				return options{}, fmt.Errorf("%s needs a value: see oh-check --help", name)
			}
			value, args = args[0], args[1:]
		}
		if err := opt.set(name, value); err != nil {
			return options{}, err
		}
	}
	return opt, nil
}

func (o *options) set(name, value string) error {
	if name == "--timeout" {
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 || n > 86400 {
			return fmt.Errorf("--timeout %q is no number of seconds: give 1 to 86400", value)
		}
		o.timeout = time.Duration(n) * time.Second
		return nil
	}
	for name := range strings.SplitSeq(value, ",") {
		if name == "" || strings.ContainsAny(name, "/ \t\n") {
			return fmt.Errorf("--expect %q has an entry that is no name: give names of rows or programs, with commas between them", value)
		}
		if !slices.Contains(o.expect, name) {
			o.expect = append(o.expect, name)
		}
	}
	return nil
}
