package main

import (
	"context"
	"fmt"
	"io"
	"os/signal"
	"strings"
	"syscall"

	"github.com/urfave/cli/v2"
)

// run is the program: args as in os.Args, data to stdout, talk to stderr; the
// result is the exit code. Tests call it.
func run(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	return runContext(ctx, args, stdout, stderr)
}

func runContext(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	app := newApp(stdout, stderr)
	ordered, err := arrange(app, args)
	if err == nil {
		err = app.RunContext(ctx, ordered)
	}
	code := exitCode(err)
	if err != nil && err.Error() != "" {
		fmt.Fprintf(stderr, "crinale: %s\n", strings.ReplaceAll(err.Error(), "\n", "\ncrinale: "))
		if code == exitUsage {
			fmt.Fprintf(stderr, "see: %s --help\n", commandPath(app, args))
		}
	}
	return code
}

// newApp is the tree of verbs.
func newApp(stdout, stderr io.Writer) *cli.App {
	app := &cli.App{
		Name:                 "crinale",
		Usage:                "plan, watch and share the radio network of a mountain union",
		Version:              version,
		Writer:               stdout,
		ErrWriter:            stderr,
		HideHelpCommand:      true,
		ExitErrHandler:       func(*cli.Context, error) {},
		OnUsageError:         func(_ *cli.Context, err error, _ bool) error { return usage("%v", err) },
		EnableBashCompletion: true,
		Commands: []*cli.Command{
			demoCommand(),
			runCommand(),
			checkCommand(),
			configCommand(),
			terrainCommand(),
			planCommand(),
			networkCommand(),
			radioCommand(),
			alertsCommand(),
			historyCommand(),
			partnerCommand(),
			carpoolCommand(),
			edgeCommand(),
			peopleCommand(),
			auditCommand(),
		},
		Action: func(c *cli.Context) error {
			return cli.ShowAppHelp(c)
		},
	}
	for _, c := range app.Commands {
		c.HideHelpCommand = true
	}
	return app
}
