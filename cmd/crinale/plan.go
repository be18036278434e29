package main

import (
	"io"

	"github.com/urfave/cli/v2"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/spectrum"
	"github.com/crinale/crinale/internal/strict"
	"github.com/crinale/crinale/internal/unit"
	"github.com/crinale/crinale/planning"
	"github.com/crinale/crinale/planning/export"
)

func planCommand() *cli.Command {
	return &cli.Command{
		Name:  "plan",
		Usage: "what links and sectors would do over real ground",
		Subcommands: []*cli.Command{
			planLinkCommand(),
			planCoverageCommand(),
			planShareCommand(),
		},
	}
}

func planLinkCommand() *cli.Command {
	return &cli.Command{
		Name:      "link",
		Usage:     "plan one radio link",
		ArgsUsage: "LAT,LON,HEIGHT LAT,LON,HEIGHT",
		Description: "Plans the link between two antennas, given as LAT,LON and the height above\n" +
			"ground in metres: line of sight, Fresnel clearance at the limiting obstacle,\n" +
			"losses, level, modulation and rate. Whatever is not given has a default,\n" +
			"which stands in the answer.",
		Flags: append([]cli.Flag{
			&cli.Float64Flag{Name: "freq", Value: float64(planning.DefaultFreq), Usage: "frequency in `MHz`"},
			&cli.Float64Flag{Name: "width", Value: float64(planning.DefaultWidth), Usage: "channel width in `MHz`"},
			&cli.Float64Flag{Name: "eirp", DefaultText: "the law's limit without TPC", Usage: "EIRP of both ends in `dBm`"},
			&cli.Float64Flag{Name: "k", Value: planning.StandardK, DefaultText: "4/3", Usage: "effective Earth radius `FACTOR`"},
			&cli.StringFlag{Name: "pol", Value: string(planning.Vertical), Usage: "polarisation: vertical or horizontal"},
			&cli.StringFlag{Name: "use", Value: string(spectrum.RLAN), Usage: "class of use under the law: rlan, bfwa, mesh, srd, fixed, w60-fix"},
			&cli.StringFlag{Name: "gear-a", DefaultText: "generic 802.11ac, 23 dBi dish", Usage: "gear `SHEET` of the first end"},
			&cli.StringFlag{Name: "gear-b", DefaultText: "as gear-a", Usage: "gear `SHEET` of the second end"},
			networkFlag(),
			&cli.StringFlag{Name: "svg", Usage: "draw the profile into `FILE`"},
			jsonFlag(),
		}, terrainFlags()...),
		Action: planLink,
	}
}

func planLink(c *cli.Context) error {
	if c.NArg() != 2 {
		return usage("crinale plan link takes two places, LAT,LON,HEIGHT each; %d were given", c.NArg())
	}
	q := planning.LinkQuery{
		Freq:         unit.MHz(c.Float64("freq")),
		Width:        unit.MHz(c.Float64("width")),
		K:            c.Float64("k"),
		Polarisation: planning.Polarisation(c.String("pol")),
		Use:          spectrum.Use(c.String("use")),
	}
	for _, f := range []string{"freq", "width"} {
		if !(c.Float64(f) > 0) {
			return usage("--%s %g: write a frequency in MHz above 0", f, c.Float64(f))
		}
	}
	if !(q.K >= 0.3 && q.K <= 10) {
		return usage("--k %g is out of range, write 0.3 to 10 (4/3 is the mean atmosphere)", q.K)
	}
	if c.IsSet("eirp") {
		q.EIRP = unit.Some(unit.DBm(c.Float64("eirp")))
	}
	for i, e := range []*planning.End{&q.A, &q.B} {
		at, h, err := parsePlace(c.Args().Get(i))
		if err != nil {
			return err
		}
		height, ok := h.Get()
		if !ok {
			return usage("%q has no antenna height: write LAT,LON,HEIGHT with metres above ground", c.Args().Get(i))
		}
		e.At, e.Height = at, height
		name := c.String("gear-a")
		if i == 1 && c.IsSet("gear-b") {
			name = c.String("gear-b")
		}
		if e.Gear, err = gearNamed(c, name); err != nil {
			return err
		}
	}
	t, err := terrainOf(c)
	if err != nil {
		return err
	}
	p, err := planning.PlanLink(t, q)
	if err != nil {
		return err
	}
	if f := c.String("svg"); f != "" {
		if err := writeFile(f, forAll, func(w io.Writer) error { return export.ProfileSVG(w, p, "en") }); err != nil {
			return err
		}
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, p)
	}
	return p.Text(c.App.Writer)
}

// gearNamed is a gear sheet by its name; "" is nil, the generic one.
func gearNamed(c *cli.Context, name string) (*network.Gear, error) {
	if name == "" {
		return nil, nil
	}
	n, err := loadNetwork(c.String("network"))
	if err != nil {
		return nil, err
	}
	if g, ok := n.Gear[network.GearID(name)]; ok {
		return &g, nil
	}
	var known []network.GearID
	for id := range n.Gear {
		known = append(known, id)
	}
	hint := ": crinale network show --gear lists them"
	if near := strict.Nearest(network.GearID(name), known); near != "" {
		hint = ": did you mean " + string(near) + "?"
	}
	return nil, fault.New(fault.NotFound, "no gear sheet %q%s", name, hint)
}
