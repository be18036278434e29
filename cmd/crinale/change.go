package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

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
