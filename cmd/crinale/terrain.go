package main

import (
	"fmt"
	"math"

	"github.com/urfave/cli/v2"

	"github.com/crinale/crinale/internal/geo"
)

func terrainCommand() *cli.Command {
	return &cli.Command{
		Name:  "terrain",
		Usage: "the heights that plans rest on",
		Subcommands: []*cli.Command{{
			Name:      "info",
			Usage:     "say what height files hold",
			ArgsUsage: "[LAT,LON]",
			Description: "Prints source, cell size and extent of the heights, and the height at a\n" +
				"place when one is named.",
			Flags:  append(terrainFlags(), jsonFlag()),
			Action: terrainInfo,
		}},
	}
}

func terrainInfo(c *cli.Context) error {
	if c.NArg() > 1 {
		return usage("crinale terrain info takes one place, but %d were given", c.NArg())
	}
	t, err := terrainOf(c)
	if err != nil {
		return err
	}
	src, b := t.Source(), t.Bounds()
	out := map[string]any{
		"terrain":  src,
		"west_deg": b.West, "south_deg": b.South, "east_deg": b.East, "north_deg": b.North,
	}
	text := fmt.Sprintf("%s\ncell %.0f m, %s%s\nfrom %.4f,%.4f to %.4f,%.4f (LAT,LON)\n",
		src.Source, src.CellM, src.Surface, map[bool]string{true: ", coarse: ridges may be lower or stand elsewhere"}[src.Coarse],
		b.South, b.West, b.North, b.East)
	if c.NArg() == 1 {
		p, height, err := parsePlace(c.Args().First())
		if err != nil {
			return err
		}
		if height.Known() {
			return usage("%q: a place on the ground has no height of its own, write LAT,LON", c.Args().First())
		}
		out["lat"], out["lon"], out["height_m"] = p.Lat, p.Lon, nil
		if h, ok := t.Height(p); ok {
			out["height_m"] = math.Round(h*100) / 100
			text += fmt.Sprintf("height at %v: %.1f m\n", p, h)
		} else {
			text += fmt.Sprintf("height at %v: not known\n", p)
			if b.Contains(geo.LonLat{Lon: p.Lat, Lat: p.Lon}) {
				text += "did you swap latitude and longitude?\n"
			}
		}
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, out)
	}
	_, err = fmt.Fprint(c.App.Writer, text)
	return err
}
