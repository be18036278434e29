package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/crinale/crinale/controller"
)

// movers says who changed a setting.
var movers = map[controller.DifferenceKind]string{
	controller.FilesMoved:   "changed in the files",
	controller.DeviceMoved:  "DRIFT: changed on the device",
	controller.BothMoved:    "changed in the files AND on the device",
	controller.UnknownMover: "never agreed so far",
}

func writeDifferences(w io.Writer, d controller.Differences) error {
	differing := 0
	for _, dev := range d.Devices {
		if len(dev.Differences) == 0 {
			continue
		}
		differing++
		fmt.Fprintf(w, "%s\n", dev.Device)
		for _, x := range dev.Differences {
			fmt.Fprintf(w, "  %-28s %s → %s   %s\n", x.Key, setting(x.Have), setting(x.Want), movers[x.Kind])
		}
	}
	for _, u := range d.Unread {
		for i, line := range fold(fmt.Sprintf("%s could not be read: %s", u.Device, u.Reason), 78) {
			fmt.Fprintf(w, "%s%s\n", strings.Repeat("  ", min(i, 1)), line)
		}
	}
	what := "as the files want them"
	if differing > 0 {
		what = fmt.Sprintf("%d differ from the files", differing)
	}
	_, err := fmt.Fprintf(w, "%d devices read, %s.\n", len(d.Devices), what)
	return err
}

// setting is a value for people; "-" is not set.
func setting(v *string) string {
	if v == nil {
		return "-"
	}
	for _, r := range *v {
		if r < ' ' || r == 0x7f || r == '\uFFFD' {
			return fmt.Sprintf("%+q", *v)
		}
	}
	if *v == "" || strings.TrimSpace(*v) != *v {
		return fmt.Sprintf("%q", *v)
	}
	return clip(*v, 40)
}

func networkHistory(c *cli.Context) error {
	if c.NArg() > 1 {
		return usage("crinale network history takes one change, but %d words were given", c.NArg())
	}
	cl, err := newClient(c)
	if err != nil {
		return err
	}
	if id := c.Args().First(); id != "" {
		var r controller.ChangeRecord
		if err := cl.call(c.Context, http.MethodGet, "/api/v1/changes/"+url.PathEscape(id), nil, &r); err != nil {
			return err
		}
		if c.Bool("json") {
			return printJSON(c.App.Writer, r)
		}
		return writeChange(c.App.Writer, r)
	}
	q := url.Values{"limit": {fmt.Sprint(c.Int("limit"))}}
	if d := c.String("device"); d != "" {
		q.Set("device", d)
	}
	var l changeList
	if err := cl.call(c.Context, http.MethodGet, "/api/v1/changes?"+q.Encode(), nil, &l); err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, l)
	}
	if len(l.Changes) == 0 {
		_, err := fmt.Fprintln(c.App.Writer, "No change was made through crinale yet.")
		return err
	}
	rows := [][]string{{"CHANGE", "WHEN", "WHO", "STATE", "DEVICES"}}
	for _, r := range l.Changes {
		what := fmt.Sprint(len(r.Devices))
		if len(r.Devices) == 1 {
			what = string(r.Devices[0].Device)
		}
		rows = append(rows, []string{r.ID, r.Created.Local().Format("2006-01-02 15:04"), clip(r.Who, 16), string(r.State), clip(what, 30)})
	}
	return table(c.App.Writer, rows)
}

func writeChange(w io.Writer, r controller.ChangeRecord) error {
	how := "by itself when all is well"
	if r.Manual {
		how = "by hand"
	}
	fmt.Fprintf(w, "%s  %s\nasked by %s on %s, hold %gs, confirmed %s\n", r.ID, r.State, r.Who, r.Created.Local().Format("2006-01-02 15:04:05"), r.HoldS, how)
	if r.Of != "" {
		fmt.Fprintf(w, "takes back %s\n", r.Of)
	}
	for _, line := range fold(r.Outcome, 78) {
		fmt.Fprintln(w, line)
	}
	for _, d := range r.Devices {
		fmt.Fprintf(w, "\n%s  %s\n", d.Device, d.State)
		for _, ch := range d.Changes {
			fmt.Fprintf(w, "  %-28s %s → %s\n", ch.Key, setting(ch.From), setting(ch.To))
		}
		for i, line := range fold(d.Error, 74) {
			fmt.Fprintf(w, "  %s%s\n", strings.Repeat("  ", min(i, 1)), line)
		}
	}
	fmt.Fprintln(w)
	for _, e := range r.Events {
		writeEvent(w, e)
	}
	return nil
}

// writeEvent prints one line of a journal, within 80 columns.
func writeEvent(w io.Writer, e controller.ChangeEvent) {
	what := strings.TrimSpace(string(e.Device) + "  " + e.Text)
	head := fmt.Sprintf("%s  %-11s", e.At.Local().Format("15:04:05"), e.Step)
	for _, line := range append(fold(what, 57), "")[:max(1, len(fold(what, 57)))] {
		fmt.Fprintln(w, strings.TrimRight(head+" "+line, " "))
		head = strings.Repeat(" ", 21)
	}
}
