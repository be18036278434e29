package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/crinale/crinale/carpool"
	"github.com/crinale/crinale/carpool/roads"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/unit"
)

func carpoolRoadsCommand() *cli.Command {
	return &cli.Command{
		Name:  "roads",
		Usage: "the road map that detours rest on",
		Subcommands: []*cli.Command{
			{
				Name:      "import",
				Usage:     "make a road graph of an OpenStreetMap extract",
				ArgsUsage: "FILE.osm.pbf",
				Description: "Reads roads with their directions, barriers, rights and speeds, and ways on\n" +
					"foot, and writes a graph that the server opens at its start (carpool.roads of\n" +
					"its configuration). With heights, slopes slow cars and people. Turn\n" +
					"restrictions and ferries are not read. Extracts are to be had from\n" +
					"download.geofabrik.de; the data is © OpenStreetMap contributors, ODbL 1.0.",
				Flags: []cli.Flag{
					&cli.StringFlag{Name: "out", Required: true, Usage: "`FILE` to write"},
					&cli.StringSliceFlag{Name: "heights", DefaultText: "all is flat", Usage: "height `FILE` or folder (HGT, GeoTIFF), more than once"},
					&cli.StringFlag{Name: "source", DefaultText: "the date in the file", Usage: "`TEXT` that pages name as the source, with its year"},
					jsonFlag(),
				},
				Action: roadsImport,
			},
			{
				Name:      "info",
				Usage:     "say what a road graph holds",
				ArgsUsage: "FILE",
				Flags:     []cli.Flag{jsonFlag()},
				Action:    roadsInfo,
			},
			{
				Name:        "check",
				Usage:       "hold a road graph against a plain search",
				ArgsUsage:   "FILE",
				Description: "Takes pairs of nodes of chance. Exit code 1 when one way is another.",
				Flags: []cli.Flag{
					&cli.IntFlag{Name: "pairs", Value: 1000, Usage: "how many"},
					&cli.Uint64Flag{Name: "seed", Value: 1, Usage: "another `NUMBER` takes other pairs"},
					jsonFlag(),
				},
				Action: roadsCheck,
			},
		},
	}
}

// oneFile is the one argument of a verb.
func oneFile(c *cli.Context, what string) (string, error) {
	if c.NArg() != 1 {
		return "", usage("crinale carpool roads %s takes one %s, but %d were given", c.Command.Name, what, c.NArg())
	}
	return c.Args().First(), nil
}

func openFile(path string) (*os.File, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fault.New(fault.NotFound, "%s: there is no such file", path)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, cause(err))
	}
	return f, nil
}

func roadsImport(c *cli.Context) error {
	path, err := oneFile(c, "FILE.osm.pbf")
	if err != nil {
		return err
	}
	in := roads.Import{Source: c.String("source"), Now: time.Now()}
	if files := c.StringSlice("heights"); len(files) > 0 {
		m, err := openTerrain(files, "unknown")
		if err != nil {
			return err
		}
		in.Heights = func(p geo.LonLat) (unit.Metres, bool) {
			h, ok := m.Height(p)
			return unit.Metres(h), ok
		}
	}
	f, err := openFile(path)
	if err != nil {
		return err
	}
	defer f.Close()
	end := func() {}
	var step func(done, total int)
	stage := ""
	in.Told = func(now string, done, total int) {
		if now != stage {
			end()
			stage = now
			step, end = progress(c.App.ErrWriter, now)
		}
		step(done, total)
	}
	g, err := in.Read(c.Context, f)
	end()
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := writeFile(c.String("out"), forAll, func(w io.Writer) error {
		_, err := g.WriteTo(w)
		return err
	}); err != nil {
		return err
	}
	return printRoads(c, g)
}

func readRoads(path string) (*roads.Graph, error) {
	f, err := openFile(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	g, err := roads.Read(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return g, nil
}

func roadsInfo(c *cli.Context) error {
	path, err := oneFile(c, "FILE")
	if err != nil {
		return err
	}
	g, err := readRoads(path)
	if err != nil {
		return err
	}
	return printRoads(c, g)
}

func printRoads(c *cli.Context, g *roads.Graph) error {
	a, f := g.About(), g.Facts()
	if c.Bool("json") {
		return printJSON(c.App.Writer, struct {
			About carpool.RoadsAbout `json:"about"`
			Facts roads.Facts        `json:"facts"`
			Left  []string           `json:"not_read"`
		}{a, f, []string{"turn restrictions", "ferries"}})
	}
	foot := "none: walks are straight lines times a factor"
	if f.FootNodes > 0 {
		foot = fmt.Sprintf("%d nodes, %.0f km", f.FootNodes, f.FootKm)
	}
	_, err := fmt.Fprintf(c.App.Writer, "%s\nbuilt %s\nby car: %d nodes, %d edges, %.0f km; %d of %d pieces have no way to the rest or back\nhierarchy: %d shortcuts\non foot: %s\nfrom %.4f,%.4f to %.4f,%.4f (LAT,LON)\nnot read: turn restrictions, ferries\n",
		a.Source, a.Built.Format(time.RFC3339), a.Nodes, a.Edges, f.Km, f.Islands, f.Segments, f.Shortcuts, foot,
		f.Bounds.South, f.Bounds.West, f.Bounds.North, f.Bounds.East)
	return err
}

func roadsCheck(c *cli.Context) error {
	path, err := oneFile(c, "FILE")
	if err != nil {
		return err
	}
	if n := c.Int("pairs"); n < 1 || n > 1_000_000 {
		return usage("--pairs %d is out of range, write 1 to 1000000", n)
	}
	g, err := readRoads(path)
	if err != nil {
		return err
	}
	step, end := progress(c.App.ErrWriter, "check")
	r, err := g.Check(c.Context, c.Int("pairs"), c.Uint64("seed"), step)
	end()
	if err != nil {
		return err
	}
	if c.Bool("json") {
		err = printJSON(c.App.Writer, r)
	} else {
		_, err = fmt.Fprintf(c.App.Writer, "%d of %d ways equal a plain search; %d of them pairs without a way\n", r.Equal, r.Pairs, r.NoWay)
	}
	if err == nil && r.Equal != r.Pairs {
		err = fault.New(fault.Invalid, "%s: %s: make it anew with crinale carpool roads import", path, strings.TrimSpace(r.Differ))
	}
	return err
}
