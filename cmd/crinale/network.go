package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/crinale/crinale/internal/network"
)

func networkCommand() *cli.Command {
	return &cli.Command{
		Name:  "network",
		Usage: "the network files: check them, and make the devices follow",
		Subcommands: append([]*cli.Command{
			{
				Name:        "validate",
				Usage:       "check the network files: one line for each mistake",
				Description: "Reads every *.yaml of the folder and its gear/. Exit code 0 when all is well.",
				Flags:       []cli.Flag{networkFlag(), jsonFlag()},
				Action:      networkValidate,
			},
			{
				Name:   "show",
				Usage:  "list sites, links and partners",
				Flags:  []cli.Flag{networkFlag(), &cli.BoolFlag{Name: "gear", Usage: "list the gear sheets instead"}, jsonFlag()},
				Action: networkShow,
			},
		}, changeCommands()...),
	}
}

func networkValidate(c *cli.Context) error {
	n, err := loadNetwork(c.String("network"))
	if err != nil {
		return err
	}
	s := n.Summary()
	if c.Bool("json") {
		return printJSON(c.App.Writer, s)
	}
	return s.WriteText(c.App.Writer)
}

func networkShow(c *cli.Context) error {
	n, err := loadNetwork(c.String("network"))
	if err != nil {
		return err
	}
	if c.Bool("gear") {
		return showGear(c, n)
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, n.View())
	}
	return n.WriteText(c.App.Writer)
}

func showGear(c *cli.Context, n *network.Network) error {
	ids := make([]network.GearID, 0, len(n.Gear))
	for id := range n.Gear {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	if c.Bool("json") {
		sheets := make([]network.Gear, 0, len(ids))
		for _, id := range ids {
			sheets = append(sheets, n.Gear[id])
		}
		return printJSON(c.App.Writer, sheets)
	}
	rows := [][]string{{"GEAR", "PRODUCT", "CLASS", "GAIN", "RATES KNOWN BY"}}
	for _, id := range ids {
		g := n.Gear[id]
		conf := network.Vendor
		for _, r := range g.Rates {
			conf = network.Worse(conf, r.Confidence)
		}
		if len(g.Rates) == 0 {
			conf = network.UnknownGear
		}
		rows = append(rows, []string{string(id), clip(strings.TrimSpace(g.Vendor+" "+g.Product), 30), g.Class, fmt.Sprintf("%.1f dBi", float64(g.Antenna.Gain)), string(conf)})
	}
	return table(c.App.Writer, rows)
}
