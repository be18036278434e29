package page

import (
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/network"
	"github.com/crinale/crinale/internal/web"
	"github.com/crinale/crinale/planning"
)

// shareRow is one comune, or the union.
type shareRow struct {
	Name   string
	People int
	At30   part
	At100  part
}

// part is how many of some people.
type part struct {
	People  int
	Percent float64
}

func partOf(n, of int) part {
	if of == 0 {
		return part{}
	}
	return part{n, 100 * float64(n) / float64(of)}
}

// Whole is the percentage for a table. 99.6 is not told as 100, nor 0.3 as 0.
func (p part) Whole() int {
	switch {
	case p.Percent > 99 && p.Percent < 100:
		return 99
	case p.Percent > 0 && p.Percent < 1:
		return 1
	}
	return int(math.Round(p.Percent))
}

// Bar is the width of the bar, of 100.
func (p part) Bar() string { return strconv.FormatFloat(math.Round(p.Percent*10)/10, 'f', -1, 64) }

// coverage is /copertura.
func (p *Pages) coverage(w http.ResponseWriter, r *http.Request) error {
	_, share, ok, err := p.deps.Plan.Planned()
	if err != nil {
		return err
	}
	data := struct {
		Ready                                bool
		Total                                shareRow
		Rows                                 []shareRow
		Share                                *planning.ShareReport
		Map                                  *landMap
		Classes                              []Class
		Relief, Cover                        string
		Place, Scattered, Native             int
		StandardMinimum, Bare, SurfaceHidden bool
	}{Ready: ok, Map: p.mapOf(ok), Classes: p.cfg.Classes, Relief: ReliefTiles, Cover: CoverageTiles, Native: NativeZoom(p.deps.Terrain.CellM)}
	if ok {
		data.Share = share
		data.Total = shareRow{People: share.Inhabitants, At30: partOf(share.Covered30, share.Inhabitants), At100: partOf(share.Covered100, share.Inhabitants)}
		for _, c := range share.Comuni {
			data.Rows = append(data.Rows, shareRow{c.Name, c.Inhabitants, partOf(c.Covered30, c.Inhabitants), partOf(c.Covered100, c.Inhabitants)})
		}
		slices.SortFunc(data.Rows, func(a, b shareRow) int { return strings.Compare(a.Name, b.Name) })
		data.Scattered = share.People[string(planning.Scattered)]
		data.Place = share.Inhabitants - data.Scattered
		data.StandardMinimum = share.Assumptions.Confidence == network.StandardMinimum
		data.Bare = share.Terrain.Surface == planning.BareEarth
		data.SurfaceHidden = share.Terrain.Surface == planning.UnknownSurface
	} else {
		w.Header().Set("Refresh", "5")
	}
	return p.html.Write(w, r, "coverage.html", web.View{
		Title: "cover.title", Nav: "/copertura",
		Styles: []string{"dist/leaflet.css"}, Scripts: []string{"dist/leaflet.js", "copertura/coverage.js"},
		Data: data,
	})
}

// NativeZoom is the deepest zoom at which relief tiles of a terrain show more
// than an enlarged tile would: about eight pixels to a cell, at the latitude
// of the union (44.5° N), where a pixel of zoom 0 is 111.7 km.
func NativeZoom(cellM float64) int {
	if !(cellM > 0) {
		return 13
	}
	return min(max(int(math.Ceil(math.Log2(111_650*8/cellM)-0.1)), 8), 13)
}

// apiCoverage is /api/v1/coverage: the contract of `plan share --json`.
func (p *Pages) apiCoverage(w http.ResponseWriter, r *http.Request) error {
	_, share, ok, err := p.deps.Plan.Planned()
	if err != nil {
		return err
	}
	if !ok {
		w.Header().Set("Retry-After", "5")
		return fault.New(fault.Stale, "coverage is still being computed: ask again in a few seconds")
	}
	return web.JSON(w, r, share)
}

// landMap is the union as the server draws it, for browsers without
// JavaScript. Its units are the pixels of map tiles at one zoom.
type landMap struct {
	Ready         bool // coverage is there
	Width, Height int
	Tiles         []tileImage
	Outlines      []string // SVG paths of the comuni
}

type tileImage struct {
	Relief, Cover string
	X, Y          int
}

const (
	mapSide   = 900 // pixels at most
	mapMargin = 24
)

// ViewBox of the map.
func (m *landMap) ViewBox() string {
	return "0 0 " + strconv.Itoa(m.Width) + " " + strconv.Itoa(m.Height)
}

func pixel(p geo.LonLat, zoom int) (x, y float64) {
	mx, my := geo.Mercator(p)
	side := float64(int(geo.TileSide) << zoom)
	return (mx/geo.MercatorMax + 1) / 2 * side, (1 - my/geo.MercatorMax) / 2 * side
}

// mapOf is the map, with or without coverage.
func (p *Pages) mapOf(ready bool) *landMap {
	m := p.land()
	if m == nil {
		return nil
	}
	shown := *m
	shown.Ready = ready
	return &shown
}

// draw draws the union at the deepest zoom that fits.
func (p *Pages) draw() *landMap {
	if len(p.deps.Union.Comuni) == 0 {
		return nil
	}
	b := p.deps.Union.Bounds()
	nw, se := geo.LonLat{Lon: b.West, Lat: b.North}, geo.LonLat{Lon: b.East, Lat: b.South}
	zoom := 12
	var x0, y0, x1, y1 float64
	for ; zoom > 3; zoom-- {
		x0, y0 = pixel(nw, zoom)
		x1, y1 = pixel(se, zoom)
		if x1-x0 <= mapSide && y1-y0 <= mapSide {
			break
		}
	}
	x0, y0 = math.Floor(x0)-mapMargin, math.Floor(y0)-mapMargin
	m := &landMap{Width: int(math.Ceil(x1-x0)) + mapMargin, Height: int(math.Ceil(y1-y0)) + mapMargin}
	for ty := int(y0) / geo.TileSide; ty*geo.TileSide < int(y0)+m.Height; ty++ {
		for tx := int(x0) / geo.TileSide; tx*geo.TileSide < int(x0)+m.Width; tx++ {
			m.Tiles = append(m.Tiles, tileImage{
				tileURL(ReliefTiles, zoom, tx, ty), tileURL(CoverageTiles, zoom, tx, ty),
				tx*geo.TileSide - int(x0), ty*geo.TileSide - int(y0),
			})
		}
	}
	for _, c := range p.deps.Union.Comuni {
		var d strings.Builder
		for _, polygon := range c.Outline {
			for _, ring := range polygon {
				lastX, lastY := math.MinInt, math.MinInt
				for i, pt := range ring {
					x, y := pixel(geo.LonLat{Lon: pt[0], Lat: pt[1]}, zoom)
					px, py := int(math.Round(x-x0)), int(math.Round(y-y0))
					switch {
					case i == 0:
						d.WriteByte('M')
					case px == lastX && py == lastY:
						continue
					default:
						d.WriteByte('L')
					}
					lastX, lastY = px, py
					d.WriteString(strconv.Itoa(px) + " " + strconv.Itoa(py))
				}
				d.WriteByte('Z')
			}
		}
		m.Outlines = append(m.Outlines, d.String())
	}
	return m
}

func tileURL(pattern string, z, x, y int) string {
	return strings.NewReplacer("{z}", strconv.Itoa(z), "{x}", strconv.Itoa(x), "{y}", strconv.Itoa(y)).Replace(pattern)
}

// outlines is /copertura/comuni.json: the comuni as GeoJSON, to 5 decimals of
// a degree (1 m).
func (p *Pages) outlines(w http.ResponseWriter, r *http.Request) error {
	type feature struct {
		Type       string         `json:"type"`
		Properties map[string]any `json:"properties"`
		Geometry   map[string]any `json:"geometry"`
	}
	features := []feature{}
	for _, c := range p.deps.Union.Comuni {
		var coordinates [][][][2]float64
		for _, polygon := range c.Outline {
			var rings [][][2]float64
			for _, ring := range polygon {
				var points [][2]float64
				for _, pt := range ring {
					points = append(points, [2]float64{math.Round(pt[0]*1e5) / 1e5, math.Round(pt[1]*1e5) / 1e5})
				}
				rings = append(rings, points)
			}
			coordinates = append(coordinates, rings)
		}
		features = append(features, feature{
			"Feature", map[string]any{"istat": c.ISTAT, "name": c.Name}, map[string]any{"type": "MultiPolygon", "coordinates": coordinates},
		})
	}
	return web.JSON(w, r, map[string]any{"type": "FeatureCollection", "features": features})
}
