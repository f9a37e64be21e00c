package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"

	"github.com/openhands/llb-frontend/integration/engine"
)

func build(ctx context.Context, e *engine.Engine, args []string) error {
	if len(args) == 0 {
		return errors.New("build needs a spec file or the directory that holds one")
	}
	buildx, err := e.BuildArgs(ctx, args[0], args[1:])
	if err != nil {
		return err
	}
	cmd := e.Buildx(ctx, buildx...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return &exitError{code: exit.ExitCode()}
	}
	return err
}

func runContainer(ctx context.Context, e *engine.Engine, args []string) error {
	opt := engine.RunOptions{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
	flags := flag.NewFlagSet("engine run", flag.ContinueOnError)
	flags.StringVar(&opt.User, "user", "", "user or uid, with :group or :gid")
	flags.StringVar(&opt.WorkingDir, "workdir", "", "working directory")
	flags.BoolVar(&opt.TTY, "tty", false, "with a terminal")
	flags.Func("env", "`KEY=VALUE` over the image's environment, repeatable", func(kv string) error {
		opt.Env = append(opt.Env, kv)
		return nil
	})
	flags.Func("entrypoint", "`program` in place of the image's entrypoint, empty for none", func(program string) error {
		opt.Entrypoint = []string{}
		if program != "" {
			opt.Entrypoint = append(opt.Entrypoint, program)
		}
		return nil
	})
	// Flags may stand before or after the image.
	if err := flags.Parse(args); err != nil {
		return err
	}
	if opt.Image = flags.Arg(0); opt.Image == "" {
		return errors.New("run needs an image: engine run [FLAG...] IMAGE [FLAG...] [-- CMD...]")
	}
	if err := flags.Parse(flags.Args()[1:]); err != nil {
		return err
	}
	opt.Args = flags.Args()
	result, err := e.Run(ctx, opt)
	if err != nil {
		return err
	}
	if result.ExitCode != 0 {
		return &exitError{code: result.ExitCode}
	}
	return nil
}

func env(_ context.Context, e *engine.Engine, _ []string) error {
	for _, kv := range e.Env() {
		fmt.Println("export " + kv)
	}
	fmt.Printf("export PATH=%s:$PATH\n", e.Bin(""))
	return nil
}

func demo(ctx context.Context, e *engine.Engine, _ []string) error { return e.Demo(ctx, os.Stdout) }
