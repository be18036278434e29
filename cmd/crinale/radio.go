package main

import (
	"context"
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/crinale/crinale/controller/page"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/strict"
	"github.com/crinale/crinale/radio/sim"
)

func radioCommand() *cli.Command {
	return &cli.Command{
		Name:  "radio",
		Usage: "the radios of the network",
		Subcommands: []*cli.Command{
			{
				Name:   "list",
				Usage:  "list the devices and whether they answer",
				Flags:  append([]cli.Flag{jsonFlag()}, serverFlags()...),
				Action: radioList,
			},
			{
				Name:      "show",
				Usage:     "what is known of one device",
				ArgsUsage: "DEVICE",
				Flags:     append([]cli.Flag{jsonFlag()}, serverFlags()...),
				Action:    radioShow,
			},
			{
				Name:  "sim",
				Usage: "run a simulated fleet on loopback, as a process of its own",
				Description: "Simulates the radios of a network over the RouterOS API, writes STATE/sim.json\n" +
					"when all answer, and runs until it is interrupted. Faults and weather are\n" +
					"commanded on the control URL in that file.",
				Flags: append([]cli.Flag{
					networkFlag(),
					radiosFlag(),
					&cli.StringFlag{Name: "state", Usage: "`FOLDER` where the devices keep their configuration", Required: true},
					&cli.StringFlag{Name: "listen", Value: "127.0.0.1:0", Usage: "`ADDR` of the first device, the others follow; port 0 takes any free ones"},
					&cli.StringFlag{Name: "control", Value: "127.0.0.1:0", Usage: "`ADDR` of the control URL"},
					&cli.Uint64Flag{Name: "seed", Value: 1, Usage: "of all that is drawn"},
				}, terrainFlags()...),
				Action: radioSim,
			},
		},
	}
}

func devices(c *cli.Context) ([]page.Device, error) {
	cl, err := newClient(c)
	if err != nil {
		return nil, err
	}
	return every[page.Device](c.Context, cl, "/api/v1/devices", "devices")
}

func radioList(c *cli.Context) error {
	ds, err := devices(c)
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, ds)
	}
	rows := [][]string{{"DEVICE", "STATE", "AGE", "ROUTEROS", "UPTIME", "ALERTS"}}
	for _, d := range ds {
		age, up, version := "-", "-", "-"
		if d.AgeS != nil {
			age = ago(time.Duration(*d.AgeS * float64(time.Second)))
		}
		if d.UptimeS != nil {
			up = ago(time.Duration(*d.UptimeS * float64(time.Second)))
		}
		if d.Version != nil {
			version = clip(*d.Version, 18)
		}
		rows = append(rows, []string{clip(string(d.ID), 30), string(d.Reach), age, version, up, fmt.Sprint(len(d.Alerts))})
	}
	return table(c.App.Writer, rows)
}

func radioShow(c *cli.Context) error {
	if c.NArg() != 1 {
		return usage("crinale radio show takes one device, but %d were given", c.NArg())
	}
	ds, err := devices(c)
	if err != nil {
		return err
	}
	name := c.Args().First()
	var known []string
	for _, d := range ds {
		known = append(known, string(d.ID))
		if string(d.ID) != name {
			continue
		}
		if c.Bool("json") {
			return printJSON(c.App.Writer, d)
		}
		return showDevice(c, d)
	}
	hint := ": crinale radio list names them all"
	if near := strict.Nearest(name, known); near != "" {
		hint = ": did you mean " + near + "?"
	}
	return fault.New(fault.NotFound, "no device %q%s", name, hint)
}

func showDevice(c *cli.Context, d page.Device) error {
	text := func(s *string) string {
		if s == nil {
			return "not known"
		}
		return *s
	}
	rows := [][]string{
		{"device", string(d.ID)}, {"place", d.Place}, {"gear", string(d.Gear)}, {"state", string(d.Reach)},
		{"identity", text(d.Identity)}, {"board", text(d.Board)}, {"RouterOS", text(d.Version)},
		{"CPU %", figure(d.CPUPct, 0)}, {"supply V", figure(d.SupplyV, 1)}, {"temperature °C", figure(d.TemperatureC, 0)},
	}
	if d.Error != nil {
		rows = append(rows, []string{"last read", *d.Error})
	}
	for _, w := range d.Warnings {
		rows = append(rows, []string{"not readable", w})
	}
	for _, l := range d.Links {
		rows = append(rows, []string{"link", string(l)})
	}
	for _, a := range d.Alerts {
		rows = append(rows, []string{"alert", a})
	}
	return table(c.App.Writer, rows)
}

func radioSim(c *cli.Context) error {
	n, err := networkFor(c, c.String("network"))
	if err != nil {
		return err
	}
	t, err := terrainOf(c)
	if err != nil {
		return err
	}
	w, err := survey(n, t)
	if err != nil {
		return err
	}
	sc := sim.Default()
	sc.StateDir, sc.Seed = c.String("state"), c.Uint64("seed")
	sc.Listen, sc.Control = c.String("listen"), c.String("control")
	f, err := sim.New(sc, sim.Deps{Network: n, Level: w.level, Log: logger(c)})
	if err != nil {
		return err
	}
	go announce(c, f)
	return f.Run(c.Context)
}

// announce says where the fleet is, once it is there.
func announce(c *cli.Context, f *sim.Fleet) {
	select {
	case <-f.Ready():
		fmt.Fprintf(c.App.ErrWriter, "%d devices simulated, control %s, endpoints in %s/sim.json\n", len(f.Devices()), f.Control(), c.String("state"))
	case <-context.Context(c.Context).Done():
	}
}
