package main

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/crinale/crinale/demo"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/unit"
	"github.com/crinale/crinale/planning"
	"github.com/crinale/crinale/planning/census"
	"github.com/crinale/crinale/planning/export"
)

// coverFlags are shared by coverage and share.
func coverFlags() []cli.Flag {
	return append([]cli.Flag{
		networkFlag(),
		&cli.StringSliceFlag{Name: "sector", DefaultText: "all", Usage: "only this `SECTOR`, more than once"},
		&cli.Float64Flag{Name: "radius-km", Value: float64(planning.DefaultRadius) / 1000, Usage: "how far a sector is followed, in `KM`"},
		&cli.Float64Flag{Name: "install-m", Value: float64(planning.DefaultInstall), Usage: "height of the subscriber's antenna over ground, in `METRES`"},
		&cli.StringFlag{Name: "gear", DefaultText: "generic 802.11ac, 23 dBi dish", Usage: "gear `SHEET` of the subscriber"},
	}, terrainFlags()...)
}

func planCoverageCommand() *cli.Command {
	return &cli.Command{
		Name:  "coverage",
		Usage: "map what the sectors reach",
		Description: "Computes level and rate around the sectors of the network and writes one file\n" +
			"for each --out, its kind by its ending: .tif (GeoTIFF of the level in dBm, or\n" +
			"of the rate with --of rate), .geojson (areas by class), .png (a picture).",
		Flags: append([]cli.Flag{
			&cli.StringSliceFlag{Name: "out", Usage: "`FILE` to write, more than once"},
			&cli.StringFlag{Name: "of", Value: "level", Usage: "what a GeoTIFF holds: level or rate"},
			&cli.Float64Flag{Name: "cell-m", DefaultText: "that of the terrain", Usage: "cell of the result in `METRES`"},
			jsonFlag(),
		}, coverFlags()...),
		Action: planCoverage,
	}
}

// coverInput reads what coverage and share have in common.
func coverInput(c *cli.Context) (t planning.Terrain, tx []planning.Transmitter, o planning.CoverOptions, err error) {
	n, err := loadNetwork(c.String("network"))
	if err != nil {
		return nil, nil, o, err
	}
	if t, err = terrainOf(c); err != nil {
		return nil, nil, o, err
	}
	if tx, err = planning.Transmitters(n); err != nil {
		return nil, nil, o, err
	}
	if want := c.StringSlice("sector"); len(want) > 0 {
		all := tx
		tx = nil
		for _, id := range want {
			i := slices.IndexFunc(all, func(t planning.Transmitter) bool { return string(t.ID) == id })
			if i < 0 {
				return nil, nil, o, fault.New(fault.NotFound, "the network has no sector %q: crinale network show --json lists them", id)
			}
			tx = append(tx, all[i])
		}
	}
	if len(tx) == 0 {
		return nil, nil, o, fault.New(fault.Invalid, "the network has no sectors: add some to its sectors: list")
	}
	if r := c.Float64("radius-km"); !(r >= 0.1 && r <= 100) {
		return nil, nil, o, usage("--radius-km %g is out of range, write 0.1 to 100", r)
	}
	if h := c.Float64("install-m"); !(h >= 0.5 && h <= 100) {
		return nil, nil, o, usage("--install-m %g is out of range, write 0.5 to 100", h)
	}
	o.Radius = unit.Metres(c.Float64("radius-km") * 1000)
	o.Height = unit.Metres(c.Float64("install-m"))
	o.Gear, err = gearNamed(c, c.String("gear"))
	return t, tx, o, err
}

func planCoverage(c *cli.Context) error {
	outs := c.StringSlice("out")
	if len(outs) == 0 {
		return usage("crinale plan coverage writes files: name at least one with --out, such as --out coverage.png")
	}
	if of := c.String("of"); of != "level" && of != "rate" {
		return usage("--of %q: write level or rate", of)
	}
	for _, f := range outs {
		if writerOf(f) == "" {
			return usage("--out %s: its ending says its kind, use .tif, .geojson or .png", f)
		}
	}
	t, tx, o, err := coverInput(c)
	if err != nil {
		return err
	}
	if m := c.Float64("cell-m"); c.IsSet("cell-m") {
		if !(m >= 1 && m <= 5000) {
			return usage("--cell-m %g is out of range, write 1 to 5000", m)
		}
		o.CellDeg = m / 111195 // metres in a degree of latitude on the mean sphere
	}
	step, end := progress(c.App.ErrWriter, "sectors")
	cov, err := planning.Cover(c.Context, t, tx, o, step)
	end()
	if err != nil {
		return err
	}
	for _, f := range outs {
		if err := writeFile(f, forAll, func(w io.Writer) error { return writeCoverage(w, cov, writerOf(f), c.String("of")) }); err != nil {
			return err
		}
	}
	return printCoverage(c, cov, outs)
}

// writerOf is the kind of file that an ending asks for, "" for others.
func writerOf(file string) string {
	switch strings.ToLower(filepath.Ext(file)) {
	case ".tif", ".tiff":
		return "geotiff"
	case ".geojson", ".json":
		return "geojson"
	case ".png":
		return "png"
	}
	return ""
}

func writeCoverage(w io.Writer, cov *planning.Coverage, kind, of string) error {
	switch kind {
	case "geojson":
		return export.GeoJSON(w, cov)
	case "png":
		return export.PNG(w, cov, export.PNGOptions{})
	}
	if of == "rate" {
		return export.GeoTIFF(w, cov.Rate, export.GeoTIFFOptions{Name: "rate", Unit: "Mbps", Terrain: cov.Source})
	}
	return export.GeoTIFF(w, cov.Level, export.GeoTIFFOptions{Name: "level", Unit: "dBm", Terrain: cov.Source})
}

func printCoverage(c *cli.Context, cov *planning.Coverage, files []string) error {
	known, at30, at100 := 0, 0, 0
	for i, v := range cov.Rate.V {
		if cov.Best[i] < 0 {
			continue
		}
		known++
		if v >= 30 {
			at30++
		}
		if v >= 100 {
			at100++
		}
	}
	share := func(n int) float64 {
		if known == 0 {
			return 0
		}
		return 100 * float64(n) / float64(known)
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, map[string]any{
			"terrain": cov.Source, "gear_confidence": cov.Confidence, "sectors": len(cov.Transmitters),
			"cols": cov.Rate.Cols, "rows": cov.Rate.Rows, "cells_computed": known,
			"area_30_pct": share(at30), "area_100_pct": share(at100), "files": files,
		})
	}
	text := fmt.Sprintf("%d sectors, %d cells computed: %.1f %% of the area with 30 Mbps or more, %.1f %% with 100 or more (usable throughput of a subscriber alone).",
		len(cov.Transmitters), known, share(at30), share(at100))
	text += fmt.Sprintf(" Terrain: %s, cell %.0f m, %s", cov.Source.Source, cov.Source.CellM, cov.Source.Surface)
	if cov.Source.Coarse {
		text += ", coarse: ridges may be lower or stand elsewhere"
	}
	text += fmt.Sprintf(". Gear figures: %s.", cov.Confidence)
	for _, line := range fold(text, planning.TextWidth) {
		fmt.Fprintln(c.App.Writer, line)
	}
	for _, f := range files {
		fmt.Fprintf(c.App.Writer, "wrote %s\n", f)
	}
	return nil
}

func planShareCommand() *cli.Command {
	return &cli.Command{
		Name:  "share",
		Usage: "count the inhabitants with 30 and 100 Mbps, by comune",
		Description: "Spreads the inhabitants of a census year over named places, town halls and\n" +
			"scattered farms, plans the path from each to each sector, and counts whom the\n" +
			"network reaches with 30 and with 100 Mbps.",
		Flags: append([]cli.Flag{
			&cli.IntFlag{Name: "census", DefaultText: "the latest", Usage: "`YEAR` of the census"},
			jsonFlag(),
		}, coverFlags()...),
		Action: planShare,
	}
}

func planShare(c *cli.Context) error {
	t, tx, o, err := coverInput(c)
	if err != nil {
		return err
	}
	u, err := demo.Union()
	if err != nil {
		return err
	}
	year := c.Int("census")
	if !c.IsSet("census") {
		year = u.LatestYear()
	}
	d, err := census.Spread(u, year)
	if err != nil {
		return err
	}
	r, err := planning.Share(c.Context, t, tx, d, o)
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, r)
	}
	return r.Text(c.App.Writer)
}
