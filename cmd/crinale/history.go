package main

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/crinale/crinale/controller/page"
	"github.com/crinale/crinale/internal/network"
)

func historyCommand() *cli.Command {
	return &cli.Command{
		Name:      "history",
		Usage:     "what a link measured",
		ArgsUsage: "LINK",
		Description: "Prints the readings of both ends of a link from the running server, as means\n" +
			"of steps.",
		Flags: append([]cli.Flag{
			&cli.DurationFlag{Name: "last", Value: time.Hour, Usage: "how far back, such as 30m or 24h"},
			&cli.DurationFlag{Name: "step", DefaultText: "about 30 lines", Usage: "length of a step, such as 1m"},
			&cli.BoolFlag{Name: "csv", Usage: "print all twelve quantities as CSV"},
			jsonFlag(),
		}, serverFlags()...),
		Action: historyOf,
	}
}

func historyOf(c *cli.Context) error {
	if c.NArg() != 1 {
		return usage("crinale history takes one link, but %d were given", c.NArg())
	}
	if c.Bool("json") && c.Bool("csv") {
		return usage("crinale history prints --json or --csv, not both")
	}
	last := c.Duration("last")
	if last < time.Minute || last > 5*366*24*time.Hour {
		return usage("--last %s is out of range, write 1m to five years in hours", last)
	}
	step := c.Duration("step")
	switch {
	case !c.IsSet("step"):
		step = max(10*time.Second, (last / 30).Round(time.Second))
	case step < time.Second:
		return usage("--step %s is out of range, write at least 1s", step)
	}
	cl, err := newClient(c)
	if err != nil {
		return err
	}
	to := time.Now().UTC()
	q := url.Values{
		"from": {to.Add(-last).Format(time.RFC3339)}, "to": {to.Format(time.RFC3339)},
		"step": {strconv.Itoa(int(step.Seconds()))},
	}
	var r page.Readings
	if err := cl.call(c.Context, http.MethodGet, "/api/v1/links/"+url.PathEscape(c.Args().First())+"/readings?"+q.Encode(), nil, &r); err != nil {
		return err
	}
	switch {
	case c.Bool("json"):
		return printJSON(c.App.Writer, r)
	case c.Bool("csv"):
		return historyCSV(c, r)
	}
	var l page.Link
	if err := cl.call(c.Context, http.MethodGet, "/api/v1/links/"+url.PathEscape(c.Args().First()), nil, &l); err != nil {
		return err
	}
	fmt.Fprintf(c.App.Writer, "%s: a is %s, b is %s\n", r.Link, orDash(string(l.A.Device)), orDash(string(l.B.Device)))
	type row struct {
		end string
		page.Reading
	}
	var all []row
	for _, e := range ends(r) {
		for _, x := range e.readings {
			all = append(all, row{e.name, x})
		}
	}
	slices.SortStableFunc(all, func(a, b row) int { return a.At.Compare(b.At) })
	rows := [][]string{{"TIME", "END", "SIGNAL dBm", "SNR dB", "TX Mbps", "RX Mbps", "ETHERNET"}}
	for _, x := range all {
		rows = append(rows, []string{x.At.Local().Format("01-02 15:04:05"), x.end, figure(x.SignalDBm, 0), figure(x.SNRDB, 0),
			figure(x.TxRateMbps, 0), figure(x.RxRateMbps, 0), figure(x.EthernetMbps, 0)})
	}
	if len(rows) == 1 {
		_, err := fmt.Fprintf(c.App.Writer, "No readings of %s in the last %s.\n", r.Link, last)
		return err
	}
	return table(c.App.Writer, rows)
}

func orDash(s string) string {
	if s == "" {
		return "outside the network"
	}
	return s
}

type endReadings struct {
	name     string
	readings []page.Reading
}

func ends(r page.Readings) []endReadings {
	return []endReadings{{string(network.EndA), r.A}, {string(network.EndB), r.B}}
}

func historyCSV(c *cli.Context, r page.Readings) error {
	w := csv.NewWriter(c.App.Writer)
	if err := w.Write(append([]string{"link", "end", "at"}, network.Columns[:]...)); err != nil {
		return err
	}
	cell := func(v *float64) string {
		if v == nil {
			return ""
		}
		return strconv.FormatFloat(*v, 'g', -1, 64)
	}
	for _, e := range ends(r) {
		for _, x := range e.readings {
			row := []string{string(r.Link), e.name, x.At.Format(time.RFC3339)}
			for _, v := range []*float64{x.SignalDBm, x.Chain0DBm, x.Chain1DBm, x.SNRDB, x.NoiseDBm, x.TxRateMbps,
				x.RxRateMbps, x.CCQPct, x.TxMbps, x.RxMbps, x.EthernetMbps, x.UptimeS} {
				row = append(row, cell(v))
			}
			if err := w.Write(row); err != nil {
				return err
			}
		}
	}
	w.Flush()
	return w.Error()
}
