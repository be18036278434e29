package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/crinale/crinale/demo"
	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/strict"
	"github.com/crinale/crinale/planning"
	"github.com/crinale/crinale/planning/dem"
)

// openTerrain opens height files, or the grid that the program carries when
// none are named.
func openTerrain(paths []string, surface string) (*dem.Mosaic, error) {
	c := dem.Default()
	if len(paths) == 0 {
		c.Name, c.Surface = "Alta Langa, SRTM30, 30″", planning.BareEarth
		return c.OpenFS(demo.FS, demo.Terrain)
	}
	c.Surface = planning.Surface(surface)
	return c.Open(paths...)
}

// loadNetwork reads the network files of a folder, or the demo network when
// none is named. Gear sheets that the program carries may be used by either.
func loadNetwork(dir string) (*network.Network, error) {
	if dir == "" {
		return demo.Network()
	}
	st, err := os.Stat(dir)
	switch {
	case err != nil:
		return nil, fault.New(fault.NotFound, "network folder: %w", err)
	case !st.IsDir():
		return nil, fault.New(fault.Invalid, "network folder: %s is a file: name the folder that holds the network files", dir)
	}
	n, err := network.Load(os.DirFS(dir), demo.FS)
	if ps, ok := strict.All(err); ok {
		for i := range ps {
			ps[i].File = filepath.Join(dir, ps[i].File)
		}
		return nil, fault.As(fault.Invalid, ps)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	return n, nil
}

func terrainFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: "terrain", DefaultText: "the coarse grid of the Alta Langa", Usage: "height `FILE` or folder (HGT, GeoTIFF), more than once"},
		&cli.StringFlag{Name: "surface", Value: "unknown", Usage: "what the files show: bare-earth, surface, unknown"},
	}
}

func terrainOf(c *cli.Context) (*dem.Mosaic, error) {
	switch s := c.String("surface"); planning.Surface(s) {
	case planning.BareEarth, planning.TopSurface, planning.UnknownSurface:
		return openTerrain(c.StringSlice("terrain"), s)
	default:
		return nil, usage("--surface %q: write bare-earth, surface or unknown", s)
	}
}

func networkFlag() cli.Flag {
	return &cli.StringFlag{Name: "network", DefaultText: "the demo network", Usage: "`FOLDER` of the network files"}
}
