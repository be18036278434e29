package export

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/unit"
	"github.com/crinale/crinale/planning"
)

// classProperties are those of a coverage feature.
type classProperties struct {
	Class   string   `json:"class"`
	Label   string   `json:"label"`
	MinMbps float64  `json:"rate_min_mbps"`
	MaxMbps *float64 `json:"rate_max_mbps"` // null: without end
	AreaKm2 float64  `json:"area_km2"`
	Fill    string   `json:"fill"`
}

// sectorProperties are those of a point where a sector stands.
type sectorProperties struct {
	Sector  string  `json:"sector"`
	Site    string  `json:"site"`
	HeightM float64 `json:"height_m"`
}

// GeoJSON writes a coverage as RFC 7946: a MultiPolygon of each class that
// occurs ("none" and what was not computed are left out), along the edges of
// the cells, outer rings counter-clockwise and holes clockwise; then a Point
// of each sector. The foreign members "terrain" and "gear_confidence" say what
// it rests on.
func GeoJSON(w io.Writer, c *planning.Coverage) error {
	if c == nil {
		return fault.New(fault.Internal, "write GeoJSON: no coverage")
	}
	if err := check(c.Rate); err != nil {
		return fmt.Errorf("write GeoJSON: %w", err)
	}
	g := &geoWriter{w: bufio.NewWriterSize(w, 1<<16), r: c.Rate, digits: digits(c.Rate)}
	if err := g.all(c); err != nil {
		return fmt.Errorf("write GeoJSON: %w", err)
	}
	return nil
}

// geoWriter writes features as it goes: a coverage may be large.
type geoWriter struct {
	w      *bufio.Writer
	r      *planning.Raster
	digits int // decimals of a coordinate
	num    []byte
}

// digits are the decimals that tell a hundredth of a cell apart: 7 at most
// (RFC 7946 §11.2 asks for no more than is known).
func digits(r *planning.Raster) int {
	d := int(math.Ceil(-math.Log10(math.Min(r.CellLon, r.CellLat)))) + 2
	return min(max(d, 5), 7)
}

func (g *geoWriter) all(c *planning.Coverage) error {
	b := area(g.r)
	head, err := json.Marshal(struct {
		BBox       [4]json.Number  `json:"bbox"`
		Terrain    planning.Source `json:"terrain"`
		Confidence string          `json:"gear_confidence,omitempty"`
	}{[4]json.Number{g.decimal(b.West), g.decimal(b.South), g.decimal(b.East), g.decimal(b.North)}, c.Source, string(c.Confidence)})
	if err != nil {
		return err
	}
	g.w.WriteString(`{"type":"FeatureCollection",`)
	g.w.Write(head[1 : len(head)-1])
	g.w.WriteString(`,"features":[`)
	first := true
	next := func() {
		if !first {
			g.w.WriteByte(',')
		}
		g.w.WriteByte('\n')
		first = false
	}
	marks := make([]int8, len(g.r.V))
	for i, v := range g.r.V {
		marks[i] = int8(classOf(v))
	}
	byClass := trace(marks, g.r.Cols, g.r.Rows, len(classes))
	for k := 1; k < len(classes); k++ {
		if len(byClass[k]) == 0 {
			continue
		}
		next()
		if err := g.class(k, byClass[k], areaKm2(g.r, marks, int8(k))); err != nil {
			return err
		}
	}
	for _, t := range c.Transmitters {
		next()
		if err := g.sector(t); err != nil {
			return err
		}
	}
	g.w.WriteString("\n]}\n")
	return g.w.Flush()
}

func (g *geoWriter) class(k int, polygons [][]ring, km2 float64) error {
	c := classes[k]
	props := classProperties{Class: c.ID, Label: c.Label, MinMbps: float64(c.From), AreaKm2: km2, Fill: fmt.Sprintf("#%02x%02x%02x", c.Colour.R, c.Colour.G, c.Colour.B)}
	if c.To > 0 {
		props.MaxMbps = unit.Some(c.To).Ptr()
	}
	b, err := json.Marshal(props)
	if err != nil {
		return err
	}
	g.w.WriteString(`{"type":"Feature","properties":`)
	g.w.Write(b)
	g.w.WriteString(`,"geometry":{"type":"MultiPolygon","coordinates":[`)
	for i, rings := range polygons {
		comma(g.w, i)
		g.w.WriteByte('[')
		for j, r := range rings {
			comma(g.w, j)
			g.ring(r)
		}
		g.w.WriteByte(']')
	}
	_, err = g.w.WriteString(`]}}`)
	return err
}

// ring writes the corners of a ring, the first again as the last.
func (g *geoWriter) ring(r ring) {
	g.w.WriteByte('[')
	for i := 0; i <= len(r); i++ {
		comma(g.w, i)
		at := r[i%len(r)]
		g.w.WriteByte('[')
		g.number(g.r.West + (float64(at.col)-0.5)*g.r.CellLon)
		g.w.WriteByte(',')
		g.number(g.r.North - (float64(at.row)-0.5)*g.r.CellLat)
		g.w.WriteByte(']')
	}
	g.w.WriteByte(']')
}

func (g *geoWriter) sector(t planning.Transmitter) error {
	b, err := json.Marshal(sectorProperties{string(t.ID), t.Site, float64(t.Height)})
	if err != nil {
		return err
	}
	g.w.WriteString(`{"type":"Feature","properties":`)
	g.w.Write(b)
	g.w.WriteString(`,"geometry":{"type":"Point","coordinates":[`)
	g.number(t.At.Lon)
	g.w.WriteByte(',')
	g.number(t.At.Lat)
	_, err = g.w.WriteString(`]}}`)
	return err
}

func (g *geoWriter) number(v float64) {
	g.num = strconv.AppendFloat(g.num[:0], v, 'f', g.digits, 64)
	g.w.Write(g.num)
}

func (g *geoWriter) decimal(v float64) json.Number {
	return json.Number(strconv.FormatFloat(v, 'f', g.digits, 64))
}

func comma(w *bufio.Writer, i int) {
	if i > 0 {
		w.WriteByte(',')
	}
}

// areaKm2 is the ground of a class, row by row with its latitude.
func areaKm2(r *planning.Raster, marks []int8, class int8) float64 {
	const kmPerDegree = math.Pi / 180 * 6371.0088
	sum := 0.0
	for row := range r.Rows {
		n := 0
		for _, m := range marks[row*r.Cols : (row+1)*r.Cols] {
			if m == class {
				n++
			}
		}
		lat := r.North - float64(row)*r.CellLat
		sum += float64(n) * r.CellLon * r.CellLat * kmPerDegree * kmPerDegree * math.Cos(lat*math.Pi/180)
	}
	return math.Round(sum*1000) / 1000
}
