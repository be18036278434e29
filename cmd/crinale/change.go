package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"github.com/crinale/crinale/controller"
	"github.com/crinale/crinale/controller/page"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
)

func changeCommands() []*cli.Command {
	flags := func(more ...cli.Flag) []cli.Flag { return append(append(more, jsonFlag()), serverFlags()...) }
	return []*cli.Command{
		{
			Name:      "diff",
			Usage:     "how the devices differ from the network files",
			ArgsUsage: "[DEVICE…]",
			Description: "Reads the settings of the devices, all or those named, and holds them against\n" +
				"the files, which are read anew. Exit code 3 when something differs.",
			Flags:  flags(),
			Action: networkDiff,
		},
		{
			Name:      "apply",
			Usage:     "make devices what the files want, with a way back",
			ArgsUsage: "[DEVICE…]",
			Description: "Shows the differences, then puts a way back on every device, changes them, and\n" +
				"looks whether they answer and their links are back with the level expected. If\n" +
				"so the change stays; if not, or if nobody can say, the devices go back by\n" +
				"themselves. With --manual it stays only when somebody says\n" +
				"crinale network confirm in time. Exit code 5 when it did not stay.",
			Flags: flags(
				&cli.DurationFlag{Name: "hold", DefaultText: "change.hold_s of the server, 90s", Usage: "`TIME` until a device goes back by itself"},
				&cli.BoolFlag{Name: "manual", Usage: "wait for crinale network confirm"},
				&cli.BoolFlag{Name: "yes", Usage: "do not ask before changing anything"},
			),
			Action: networkApply,
		},
		{
			Name:        "confirm",
			Usage:       "keep a change that waits for it",
			ArgsUsage:   "[CHANGE]",
			Description: "Without a name: the one that waits.",
			Flags:       flags(),
			Action:      networkConfirm,
		},
		{
			Name:      "revert",
			Usage:     "take a change back",
			ArgsUsage: "CHANGE",
			Description: "One under way goes back at once. One that was confirmed is taken back by a\n" +
				"change of its own, with a way back like any other.",
			Flags:  flags(),
			Action: networkRevert,
		},
		{
			Name:      "history",
			Usage:     "changes made through crinale, or all steps of one",
			ArgsUsage: "[CHANGE]",
			Flags: flags(
				&cli.StringFlag{Name: "device", Usage: "only changes of this `DEVICE`"},
				&cli.IntFlag{Name: "limit", Value: 20, Usage: "how many, the newest first"},
			),
			Action: networkHistory,
		},
	}
}

// differ is the end of a command that found differences: exit code 3, no word.
type differ struct{}

func (differ) Error() string { return "" }

func diffPath(devices []string) string {
	if len(devices) == 0 {
		return "/api/v1/network/diff"
	}
	return "/api/v1/network/diff?" + url.Values{"device": {strings.Join(devices, ",")}}.Encode()
}

func networkDiff(c *cli.Context) error {
	cl, err := newClient(c)
	if err != nil {
		return err
	}
	var d controller.Differences
	if err := cl.call(c.Context, http.MethodGet, diffPath(c.Args().Slice()), nil, &d); err != nil {
		return err
	}
	if c.Bool("json") {
		err = printJSON(c.App.Writer, d)
	} else {
		err = writeDifferences(c.App.Writer, d)
	}
	switch {
	case err != nil:
		return err
	case d.Count() > 0:
		return differ{}
	case len(d.Unread) > 0:
		return fault.New(fault.Unreachable, "%d of %d devices could not be read: %s: %s",
			len(d.Unread), len(d.Unread)+len(d.Devices), d.Unread[0].Device, d.Unread[0].Reason)
	}
	return nil
}

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

func networkApply(c *cli.Context) error {
	hold := c.Duration("hold")
	if c.IsSet("hold") && (hold < 10*time.Second || hold > time.Hour) {
		return usage("--hold %s is out of range, write 10s to 1h", hold)
	}
	cl, err := newClient(c)
	if err != nil {
		return err
	}
	var d controller.Differences
	if err := cl.call(c.Context, http.MethodGet, diffPath(c.Args().Slice()), nil, &d); err != nil {
		return err
	}
	if err := writeDifferences(c.App.ErrWriter, d); err != nil {
		return err
	}
	if d.Count() == 0 {
		if len(d.Unread) > 0 {
			return fault.New(fault.Unreachable, "nothing to change on the devices that answer; %s does not: %s", d.Unread[0].Device, d.Unread[0].Reason)
		}
		if c.Bool("json") {
			return printJSON(c.App.Writer, map[string]any{"state": "nothing"})
		}
		_, err := fmt.Fprintln(c.App.Writer, "Nothing to change.")
		return err
	}
	if c.Args().Len() > 0 && len(d.Unread) > 0 {
		return fault.New(fault.Unreachable, "%s does not answer, nothing was changed: %s", d.Unread[0].Device, d.Unread[0].Reason)
	}
	if !c.Bool("yes") && !agreed(c) {
		return fault.New(fault.Conflict, "nothing was changed")
	}
	b := page.ApplyBody{Manual: c.Bool("manual"), Digest: d.Digest}
	if c.IsSet("hold") {
		s := hold.Seconds()
		b.HoldS = &s
	}
	for _, a := range c.Args().Slice() {
		b.Devices = append(b.Devices, network.DeviceID(a))
	}
	var r controller.ChangeRecord
	if err := cl.call(c.Context, http.MethodPost, "/api/v1/changes", b, &r); err != nil {
		return err
	}
	return follow(c, cl, r)
}

// agreed asks on a terminal; where nobody can be asked, the command itself is
// the answer.
func agreed(c *cli.Context) bool {
	in, ok := c.App.Reader.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return true
	}
	fmt.Fprint(c.App.ErrWriter, "Change these devices? [y/N] ")
	line, _ := bufio.NewReader(in).ReadString('\n')
	switch strings.ToLower(strings.TrimSpace(line)) {
	case "y", "yes", "s", "sì", "si":
		return true
	}
	return false
}

// follow tells each step of a change on stderr until it has ended, then its
// outcome. A server that goes away in the middle is asked again: the devices
// look after themselves.
func follow(c *cli.Context, cl *client, r controller.ChangeRecord) error {
	told, asked := 0, false
	tick := time.NewTicker(300 * time.Millisecond)
	defer tick.Stop()
	var silent time.Time
	for {
		for ; told < len(r.Events); told++ {
			e := r.Events[told]
			writeEvent(c.App.ErrWriter, e)
		}
		if by, ok := r.ConfirmBy(); ok && r.State == controller.ChangeWaiting && !asked {
			asked = true
			fmt.Fprintf(c.App.ErrWriter, "          until %s keep it with: crinale network confirm %s\n", by.Local().Format("15:04:05"), r.ID)
		}
		if r.State.Ended() {
			return outcome(c, r)
		}
		select {
		case <-c.Context.Done():
			return fault.New(fault.Unconfirmed, "change %s goes on without you: see crinale network history %s, or undo it with crinale network revert %s", r.ID, r.ID, r.ID)
		case <-tick.C:
		}
		var next controller.ChangeRecord
		err := cl.call(c.Context, http.MethodGet, "/api/v1/changes/"+url.PathEscape(r.ID), nil, &next)
		switch {
		case err == nil:
			r, silent = next, time.Time{}
		case errors.Is(c.Context.Err(), context.Canceled):
		case fault.Of(err) != fault.Unreachable:
			return err
		case silent.IsZero():
			silent = time.Now()
			fmt.Fprintln(c.App.ErrWriter, "          the server does not answer; what is not confirmed goes back on the devices themselves")
		case time.Since(silent) > time.Duration(r.HoldS*float64(time.Second))+15*time.Second:
			return fault.New(fault.Unreachable, "change %s: the server is away; by now every device that was not confirmed has gone back by itself. Start the server, then look with crinale network history %s", r.ID, r.ID)
		}
	}
}

// outcome prints how a change ended and gives the exit code of that.
func outcome(c *cli.Context, r controller.ChangeRecord) error {
	if c.Bool("json") {
		if err := printJSON(c.App.Writer, r); err != nil {
			return err
		}
	} else if r.State == controller.ChangeConfirmed {
		for _, line := range fold(fmt.Sprintf("%s: %s", r.ID, r.Outcome), 78) {
			fmt.Fprintln(c.App.Writer, line)
		}
	}
	return unkept(r)
}

// unkept is nil for a change that stays, else the error of its end.
func unkept(r controller.ChangeRecord) error {
	kind := fault.Unconfirmed
	switch {
	case r.State == controller.ChangeConfirmed:
		return nil
	case r.Cause == controller.CauseUnreachable:
		kind = fault.Unreachable
	case r.Cause == controller.CauseRefused, r.State == controller.ChangeFailed:
		kind = fault.Refused
	}
	return fault.New(kind, "change %s did not stay (%s): %s", r.ID, r.State, r.Outcome)
}

func networkConfirm(c *cli.Context) error {
	if c.NArg() > 1 {
		return usage("crinale network confirm takes one change, but %d words were given", c.NArg())
	}
	cl, err := newClient(c)
	if err != nil {
		return err
	}
	id := c.Args().First()
	if id == "" {
		if id, err = waiting(c, cl); err != nil {
			return err
		}
	}
	var r controller.ChangeRecord
	if err := cl.call(c.Context, http.MethodPost, "/api/v1/changes/"+url.PathEscape(id)+"/confirm", nil, &r); err != nil {
		return err
	}
	return follow(c, cl, r)
}

// changeList is GET /api/v1/changes.
type changeList struct {
	Changes []controller.ChangeRecord `json:"changes"`
	Next    *string                   `json:"next"`
}

// waiting is the one change that can be confirmed now.
func waiting(c *cli.Context, cl *client) (string, error) {
	var l changeList
	if err := cl.call(c.Context, http.MethodGet, "/api/v1/changes?limit=50", nil, &l); err != nil {
		return "", err
	}
	var ids []string
	for _, r := range l.Changes {
		if r.State == controller.ChangeWaiting {
			ids = append(ids, r.ID)
		}
	}
	switch len(ids) {
	case 0:
		return "", fault.New(fault.NotFound, "no change waits for a confirmation: see crinale network history")
	case 1:
		return ids[0], nil
	}
	return "", usage("several changes wait: say which, %s", strings.Join(ids, " or "))
}

func networkRevert(c *cli.Context) error {
	if c.NArg() != 1 {
		return usage("crinale network revert takes one change, but %d words were given: see crinale network history", c.NArg())
	}
	cl, err := newClient(c)
	if err != nil {
		return err
	}
	id := c.Args().First()
	var r controller.ChangeRecord
	if err := cl.call(c.Context, http.MethodPost, "/api/v1/changes/"+url.PathEscape(id)+"/revert", nil, &r); err != nil {
		return err
	}
	err = follow(c, cl, r)
	if r.ID == id && fault.Of(err) == fault.Unconfirmed { // it was under way, and going back is what was asked
		fmt.Fprintf(c.App.ErrWriter, "%s went back\n", id)
		return nil
	}
	return err
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
