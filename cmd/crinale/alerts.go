package main

import (
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/crinale/crinale/controller"
)

func alertsCommand() *cli.Command {
	return &cli.Command{
		Name:        "alerts",
		Usage:       "what is wrong now, and what to do",
		Description: "Lists the open alerts of the running server, the newest first.",
		Flags: append([]cli.Flag{
			&cli.BoolFlag{Name: "all", Usage: "the recently closed ones too"},
			jsonFlag(),
		}, serverFlags()...),
		Action: alerts,
	}
}

func alerts(c *cli.Context) error {
	cl, err := newClient(c)
	if err != nil {
		return err
	}
	var res struct {
		Alerts []controller.Alert `json:"alerts"`
	}
	if res.Alerts, err = every[controller.Alert](c.Context, cl, fmt.Sprintf("/api/v1/alerts?open=%v", !c.Bool("all")), "alerts"); err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, res)
	}
	if len(res.Alerts) == 0 {
		_, err := fmt.Fprintln(c.App.Writer, "No open alert.")
		return err
	}
	now := time.Now()
	for _, a := range res.Alerts {
		about := string(a.Link)
		if about == "" {
			about = string(a.Device)
		}
		when := "open for " + ago(now.Sub(a.Opened))
		if a.Closed != nil {
			when = "closed " + ago(now.Sub(*a.Closed)) + " ago"
		}
		fmt.Fprintf(c.App.Writer, "%s  %s  %s, %s\n", a.Severity, a.Kind, about, when)
		for _, line := range append(fold(a.Seen.EN, 76), fold(a.ToDo.EN, 76)...) {
			fmt.Fprintf(c.App.Writer, "    %s\n", line)
		}
	}
	return nil
}
