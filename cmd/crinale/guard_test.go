package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

func guardApp() *cli.App {
	return &cli.App{Name: "crinale", Commands: []*cli.Command{
		{Name: "plan", Subcommands: []*cli.Command{
			{Name: "link", ArgsUsage: "A B", Flags: []cli.Flag{
				&cli.BoolFlag{Name: "json"},
				&cli.StringFlag{Name: "svg", Aliases: []string{"s"}},
				&cli.Float64Flag{Name: "freq"},
				&cli.DurationFlag{Name: "last"},
				&cli.IntFlag{Name: "n"},
				&cli.StringSliceFlag{Name: "terrain"},
			}},
			{Name: "sim", Flags: []cli.Flag{&cli.StringFlag{Name: "state", Required: true}}},
			{Name: "share", Flags: []cli.Flag{&cli.BoolFlag{Name: "json"}}},
		}},
	}}
}

func TestArrange(t *testing.T) {
	for _, c := range []struct{ in, want, wrong string }{
		{"plan link 44.1,8.1 44.2,8.2 --json", "plan link --json -- 44.1,8.1 44.2,8.2", ""},
		{"plan link 44.1,8.1 --freq 5600 44.2,8.2", "plan link --freq=5600 -- 44.1,8.1 44.2,8.2", ""},
		{"plan link -44.1,8.1 -44.2,8.2,10 --freq=-1", "plan link --freq=-1 -- -44.1,8.1 -44.2,8.2,10", ""},
		{"plan link a b -s x.svg", "plan link --svg=x.svg -- a b", ""},
		{"plan link a -- --json", "plan link -- a --json", ""},
		{"plan link --terrain a --terrain b x", "plan link --terrain=a --terrain=b -- x", ""},
		{"plan share --json", "plan share --json", ""},
		{"plan share --json --help", "plan share --help", ""},
		{"plan", "plan", ""},
		{"--version", "--version", ""},
		{"help", "--help", ""},
		{"version", "--version", ""},
		{"plan link a --freq 5,6", "", "with a point as decimal mark"},
		{"plan link a --freq NaN", "", "with a point as decimal mark"},
		{"plan link a --last 2d", "", "a day is 24h"},
		{"plan link a --n 1.5", "", "write a whole number"},
		{"plan link a --json=yes", "", "write true or false"},
		{"plan sim", "", "plan sim needs the flag --state"},
		{"plan sim --state x", "plan sim --state=x", ""},
		{"plan sim --help", "plan sim --help", ""},
		{"plan link a b --jsn", "", "knows no flag --jsn: did you mean json?"},
		{"plan lnik", "", `has no verb "lnik": did you mean link?`},
		{"fly", "", `crinale has no verb "fly"`},
		{"hlep", "", `crinale has no verb "hlep": did you mean help?`},
		{"plan link a --svg", "", "--svg needs a value"},
		{"plan link a --svg --json", "", "--svg needs a value"},
		{"plan link --json a --json", "", "--json is given twice"},
		{"plan share here", "", `takes no argument, but "here"`},
		{"--json plan link", "", "write the verb first"},
	} {
		got, err := arrange(guardApp(), append([]string{"crinale"}, strings.Fields(c.in)...))
		if c.wrong != "" {
			if err == nil || !strings.Contains(err.Error(), c.wrong) || exitCode(err) != exitUsage {
				t.Errorf("%q: error %v, want one with %q", c.in, err, c.wrong)
			}
			continue
		}
		if err != nil || !slices.Equal(got[1:], strings.Fields(c.want)) {
			t.Errorf("%q: got %v, %v, want %q", c.in, got, err, c.want)
		}
	}
}
