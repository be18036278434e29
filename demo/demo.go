// Package demo holds the demo union: the 38 comuni of the Unione Montana Alta
// Langa, the heights of the land, gear sheets, and an invented network of
// sites, radios and partners. SOURCES.md says what comes from where. It is
// data with the words to read it; the terrain is opened by who plans on it.
package demo

import (
	"embed"
	"io/fs"
	"sync"

	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/territory"
)

// FS holds network/*.yaml, gear/*.yaml, territory/union.json, Terrain,
// carpool (meeting points, schematic roads, an invented bus timetable),
// subscribers.json and SOURCES.md.
//
//go:embed network gear territory terrain carpool subscribers.json SOURCES.md
var FS embed.FS

// Terrain is the name in FS of the heights: 30" cells, so results on it are
// coarse.
const Terrain = "terrain/alta-langa-30s.tif"

// Radios is how many radios the network has as it is written in its files.
const Radios = 60

// WeakLink is a link of the first partner that is planned well. The demo takes
// level from it, so that an alert is always open.
const WeakLink network.LinkID = "trezzo-santo-stefano"

var parsed = sync.OnceValues(func() (*network.Network, error) {
	sub, err := fs.Sub(FS, "network")
	if err != nil {
		return nil, err
	}
	return network.Load(sub, FS)
})

// Network is the invented network with its Radios radios. Each call gives a
// network of its own.
func Network() (*network.Network, error) {
	return NetworkOf(Radios)
}

// Union is the 38 comuni and the places named in them.
func Union() (*territory.Union, error) {
	sub, err := fs.Sub(FS, "territory")
	if err != nil {
		return nil, err
	}
	return territory.Load(sub)
}
