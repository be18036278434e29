package main

import (
	"fmt"
	"io"
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
	return listing(c, fmt.Sprintf("/api/v1/alerts?open=%v", !c.Bool("all")), "alerts", "No open alert.", sayAlerts)
}

func sayAlerts(w io.Writer, alerts []controller.Alert) error {
	now := time.Now()
	for _, a := range alerts {
		about := string(a.Link)
		if about == "" {
			about = string(a.Device)
		}
		when := "open for " + ago(now.Sub(a.Opened))
		if a.Closed != nil {
			when = "closed " + ago(now.Sub(*a.Closed)) + " ago"
		}
		fmt.Fprintf(w, "%s  %s  %s, %s\n", a.Severity, a.Kind, about, when)
		for _, line := range append(fold(a.Seen.EN, 76), fold(a.ToDo.EN, 76)...) {
			fmt.Fprintf(w, "    %s\n", line)
		}
	}
	return nil
}
