package main

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/crinale/crinale/internal/audit"
	"github.com/crinale/crinale/internal/fault"
)

func auditCommand() *cli.Command {
	return &cli.Command{
		Name:  "audit",
		Usage: "who did what, and whether that log is whole",
		Subcommands: []*cli.Command{
			{
				Name:  "list",
				Usage: "the newest lines of the log",
				Flags: append([]cli.Flag{
					&cli.StringFlag{Name: "who", Usage: "only what this `ACCOUNT` did"},
					&cli.StringFlag{Name: "object", Usage: "only what was done to this `THING`"},
					&cli.IntFlag{Name: "limit", Value: 50, Usage: "how many lines"},
					jsonFlag(),
				}, serverFlags()...),
				Action: auditList,
			},
			{
				Name:      "verify",
				Usage:     "hold every line against the chain",
				ArgsUsage: "[FILE]",
				Description: "Each line holds the hash of the one before it: a line that was changed, removed\n" +
					"or moved breaks the chain. With a FILE, one that crinale audit export wrote, no\n" +
					"server is asked. Note the last number and hash elsewhere, on paper say: they\n" +
					"tell later whether the end of the log was cut. Exit code 1 when it is not whole.",
				Flags:  append([]cli.Flag{jsonFlag()}, serverFlags()...),
				Action: auditVerify,
			},
			{
				Name:        "export",
				Usage:       "write the whole log as lines of JSON",
				Description: "The oldest line first, to stdout or to a file.",
				Flags:       append([]cli.Flag{&cli.StringFlag{Name: "out", DefaultText: "stdout", Usage: "`FILE` to write"}}, serverFlags()...),
				Action:      auditExport,
			},
		},
	}
}

func auditList(c *cli.Context) error {
	n := c.Int("limit")
	if n < 1 || n > 500 {
		return usage("--limit %d is out of range, write 1 to 500", n)
	}
	cl, err := newClient(c)
	if err != nil {
		return err
	}
	q := url.Values{"limit": {strconv.Itoa(n)}}
	for _, f := range []string{"who", "object"} {
		if v := c.String(f); v != "" {
			q.Set(f, v)
		}
	}
	var l struct {
		Lines []audit.Line `json:"lines"`
	}
	if err := cl.call(c.Context, http.MethodGet, "/api/v1/audit?"+q.Encode(), nil, &l); err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, l)
	}
	rows := [][]string{{"LINE", "WHEN", "WHO", "DID", "TO", "WITH"}}
	for _, a := range l.Lines {
		var with []string
		for _, k := range slices.Sorted(maps.Keys(a.Detail)) {
			with = append(with, k+"="+a.Detail[k])
		}
		rows = append(rows, []string{strconv.FormatInt(a.Seq, 10), a.At.Local().Format("2006-01-02 15:04"), clip(a.Who, 14), a.Action, clip(a.Object, 24), clip(strings.Join(with, " "), 24)})
	}
	return table(c.App.Writer, rows)
}

func auditVerify(c *cli.Context) error {
	if c.NArg() > 1 {
		return usage("crinale audit verify takes one file, but %d words were given", c.NArg())
	}
	var r audit.Report
	if file := c.Args().First(); file != "" {
		f, err := os.Open(file)
		if err != nil {
			return fault.New(fault.NotFound, "audit log: %w", err)
		}
		defer f.Close()
		if r, err = audit.VerifyLines(f); err != nil {
			return fmt.Errorf("audit log %s: %w", file, err)
		}
	} else {
		cl, err := newClient(c)
		if err != nil {
			return err
		}
		if err := cl.call(c.Context, http.MethodGet, "/api/v1/audit/verify", nil, &r); err != nil {
			return err
		}
	}
	if c.Bool("json") {
		if err := printJSON(c.App.Writer, r); err != nil {
			return err
		}
	} else if r.OK() {
		if _, err := fmt.Fprintf(c.App.Writer, "%d lines, all whole; the last is %d\n%s\n", r.Lines, r.Seq, r.Hash); err != nil {
			return err
		}
	}
	if !r.OK() {
		return fault.New(fault.Invalid, "the log is not whole: line %d: %s (%s); the %d lines before it are", r.Problem.Seq, r.Problem.Text, r.Problem.Kind, r.Lines)
	}
	return nil
}

func auditExport(c *cli.Context) error {
	cl, err := newClient(c)
	if err != nil {
		return err
	}
	cl.http.Timeout = 0 // a long log takes its time
	res, err := cl.send(c.Context, http.MethodGet, "/api/v1/audit/export", nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(res.Body, 1<<20))
		return problem(res, body)
	}
	write := func(w io.Writer) error {
		if _, err := io.Copy(w, res.Body); err != nil {
			return fault.New(fault.Unreachable, "the log was cut off: %w", err)
		}
		return nil
	}
	if out := c.String("out"); out != "" {
		return writeFile(out, ownerOnly, write)
	}
	return write(c.App.Writer)
}
