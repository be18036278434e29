package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/internal/zone"
)

// carpoolOffice are the verbs of the office, which speak to a running server.
func carpoolOffice() []*cli.Command {
	flags := func(more ...cli.Flag) []cli.Flag { return append(more, serverFlags()...) }
	return []*cli.Command{
		{
			Name: "offers", Usage: "lifts of the days ahead, without their drivers",
			Flags:  flags(&cli.IntFlag{Name: "days", Value: 7, Usage: "how many days from today"}, jsonFlag()),
			Action: carpoolOffers,
		},
		{
			Name: "drivers", Usage: "drivers and where the papers of their cars stand, without names",
			Flags:  flags(jsonFlag()),
			Action: carpoolDrivers,
		},
		{
			Name: "export", Usage: "all that is held about a person who asked for it",
			ArgsUsage: "MEMBER",
			Description: "MEMBER is the name that the desk's page of a person ends with. It is for the\n" +
				"desk: with --server and a token of the right carpool.desk. The person must have\n" +
				"agreed that the desk acts for them, and sees that it was done. Open data needs\n" +
				"no command: /passaggi/gtfs.zip, passaggi.csv, passaggi.json are anybody's.",
			Flags:  flags(&cli.StringFlag{Name: "out", Required: true, Usage: "`FILE` to write, readable by you alone"}),
			Action: carpoolExport,
		},
		{
			Name: "purge", Usage: "delete now what has served its time",
			Description: "The running server does this by itself every hour. What goes when stands in\n" +
				"the privacy notice of the portal.",
			Flags:  flags(&cli.BoolFlag{Name: "dry-run", Usage: "only count what would go"}, jsonFlag()),
			Action: carpoolPurge,
		},
	}
}

func noWords(c *cli.Context) error {
	if c.NArg() > 0 {
		return usage("crinale carpool %s takes no words, but %q was given", c.Command.Name, c.Args().First())
	}
	return nil
}

func carpoolOffers(c *cli.Context) error {
	if err := noWords(c); err != nil {
		return err
	}
	days := c.Int("days")
	return listing(c, fmt.Sprintf("/api/v1/carpool/lifts?days=%d", days), "lifts", fmt.Sprintf("No lift is offered in the next %d days.", days), sayLifts)
}

func sayLifts(w io.Writer, lifts []carpool.Lift) error {
	rome := zone.Rome()
	end := func(e carpool.LiftEnd) string {
		if e.Name == "" {
			return "a door in " + e.Comune
		}
		return e.Name
	}
	for _, l := range lifts {
		fmt.Fprintf(w, "%s–%s  %d of %d free  %s → %s\n", l.Depart.In(rome).Format("Mon 02 Jan 15:04"), l.Arrive.In(rome).Format("15:04"), max(l.Seats-l.Taken, 0), l.Seats, end(l.From), end(l.To))
	}
	return nil
}

func carpoolDrivers(c *cli.Context) error {
	if err := noWords(c); err != nil {
		return err
	}
	return listing(c, "/api/v1/carpool/drivers", "drivers", "No driver has a car in use.", sayDrivers)
}

func sayDrivers(w io.Writer, drivers []carpool.DriverState) error {
	for _, d := range drivers {
		fmt.Fprintf(w, "%s  %s", d.ID, d.State)
		if len(d.Checks) == 0 {
			fmt.Fprint(w, "  papers not shown")
		}
		for _, k := range d.Checks {
			fmt.Fprintf(w, "  papers %s", k.State)
			if k.State == carpool.CheckPassed {
				fmt.Fprintf(w, " until %s", k.Until)
			}
		}
		fmt.Fprintln(w)
	}
	return nil
}

func carpoolExport(c *cli.Context) error {
	if c.NArg() != 1 {
		return usage("crinale carpool export takes one MEMBER, but %d words were given", c.NArg())
	}
	cl, err := newClient(c)
	if err != nil {
		return err
	}
	out := c.String("out")
	var all json.RawMessage
	if err := cl.call(c.Context, http.MethodPost, "/api/v1/carpool/members/"+url.PathEscape(c.Args().First())+"/export", nil, &all); err != nil {
		return err
	}
	if err := writeFile(out, ownerOnly, func(w io.Writer) error { _, err := w.Write(all); return err }); err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.App.Writer, "%s: all that is held about %s; it is for that person alone\n", out, c.Args().First())
	return err
}

func carpoolPurge(c *cli.Context) error {
	if err := noWords(c); err != nil {
		return err
	}
	cl, err := newClient(c)
	if err != nil {
		return err
	}
	var res struct {
		Dry  bool           `json:"dry"`
		Rows carpool.Purged `json:"rows"`
	}
	if err := cl.call(c.Context, http.MethodPost, fmt.Sprintf("/api/v1/carpool/purge?dry=%v", c.Bool("dry-run")), nil, &res); err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, res)
	}
	if len(res.Rows) == 0 {
		_, err := fmt.Fprintln(c.App.Writer, "Nothing has served its time.")
		return err
	}
	verb := "gone"
	if res.Dry {
		verb = "would go"
	}
	for _, k := range slices.Sorted(maps.Keys(res.Rows)) {
		fmt.Fprintf(c.App.Writer, "%6d  %s %s\n", res.Rows[k], k, verb)
	}
	return nil
}
