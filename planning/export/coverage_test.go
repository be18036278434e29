package export_test

import (
	"bytes"
	"context"
	"encoding/json"
	"image/color"
	"image/png"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/testdata"
	"github.com/crinale/crinale/planning"
	"github.com/crinale/crinale/planning/dem"
	"github.com/crinale/crinale/planning/export"
)

// real is the coverage of one sector in the Provence hills at 3″.
func real(t testing.TB) *planning.Coverage {
	t.Helper()
	file := testdata.Shared(t, "data/dem/provence_analog_srtm3/N43E005.hgt")
	c, err := provence(file)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var provence = func() func(string) (*planning.Coverage, error) {
	var once sync.Once
	var c *planning.Coverage
	var err error
	return func(file string) (*planning.Coverage, error) {
		once.Do(func() {
			var m *dem.Mosaic
			if m, err = dem.Open(file); err != nil {
				return
			}
			tx := []planning.Transmitter{{ID: "mast", Site: "Mast", At: geo.LonLat{Lon: 5.6504, Lat: 43.4303}, Height: 30, Width: 20}}
			c, err = planning.Cover(context.Background(), m, tx, planning.CoverOptions{Radius: 12000}, nil)
		})
		return c, err
	}
}()

// small is a coverage of four columns, one of each class, beside unknown ones.
func small() *planning.Coverage {
	r := &planning.Raster{West: 8, North: 44.6, CellLon: 0.01, CellLat: 0.01, Cols: 5, Rows: 3}
	nan := float32(math.NaN())
	for range r.Rows {
		r.V = append(r.V, 0, 12, 30, 250, nan)
	}
	return &planning.Coverage{
		Level: r, Rate: r, Best: make([]int32, 15), Confidence: "standard-minimum",
		Source:       planning.Source{Source: "made.tif", CellM: 926.6, Surface: planning.BareEarth, Coarse: true},
		Transmitters: []planning.Transmitter{{ID: "north", Site: "Bric dell’Orso", At: geo.LonLat{Lon: 8.01, Lat: 44.59}, Height: 12}},
	}
}

type feature struct {
	Type       string
	Properties map[string]any
	Geometry   struct {
		Type        string
		Coordinates json.RawMessage
	}
}

func collection(t *testing.T, c *planning.Coverage) (features []feature, members map[string]json.RawMessage) {
	t.Helper()
	var b bytes.Buffer
	if err := export.GeoJSON(&b, c); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b.Bytes(), &members); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(members["features"], &features); err != nil {
		t.Fatal(err)
	}
	return features, members
}

func TestGeoJSONOfSmall(t *testing.T) {
	features, members := collection(t, small())
	if got, want := string(members["bbox"]), "[7.99500,44.57500,8.04500,44.60500]"; got != want {
		t.Errorf("bbox %s, want %s", got, want)
	}
	if got, want := string(members["terrain"]), `{"source":"made.tif","cell_m":926.6,"surface":"bare-earth","coarse":true}`; got != want {
		t.Errorf("terrain %s", got)
	}
	if got := string(members["gear_confidence"]); got != `"standard-minimum"` {
		t.Errorf("confidence %s", got)
	}
	var ids []string
	for _, f := range features {
		if id, ok := f.Properties["class"]; ok {
			ids = append(ids, id.(string))
		}
	}
	if strings.Join(ids, " ") != "under-30 30-100 from-100" {
		t.Errorf("classes %v", ids)
	}
	// One column of three cells: a closed ring of its four corners, from the
	// south-west on, counter-clockwise.
	if got, want := string(features[0].Geometry.Coordinates), "[[[[8.00500,44.57500],[8.01500,44.57500],[8.01500,44.60500],[8.00500,44.60500],[8.00500,44.57500]]]]"; got != want {
		t.Errorf("polygon\n%s, want\n%s", got, want)
	}
	if top := features[2].Properties["rate_max_mbps"]; top != nil {
		t.Errorf("the best class ends at %v", top)
	}
	if p := features[3]; p.Geometry.Type != "Point" || string(p.Geometry.Coordinates) != "[8.01000,44.59000]" || p.Properties["sector"] != "north" {
		t.Errorf("sector %+v", p)
	}
}

// The polygons of a real coverage hold the area of its cells, and are valid by
// the letter of RFC 7946: closed rings of four positions or more, the outer
// one counter-clockwise.
func TestGeoJSONOfRealCoverage(t *testing.T) {
	c := real(t)
	features, _ := collection(t, c)
	cell := c.Rate.CellLon * c.Rate.CellLat
	for _, f := range features {
		if f.Geometry.Type != "MultiPolygon" {
			continue
		}
		var polygons [][][][2]float64
		if err := json.Unmarshal(f.Geometry.Coordinates, &polygons); err != nil {
			t.Fatal(err)
		}
		sum, points := 0.0, 0
		for _, rings := range polygons {
			for i, r := range rings {
				if len(r) < 4 || r[0] != r[len(r)-1] {
					t.Fatalf("ring %v", r)
				}
				a := 0.0
				for k := range len(r) - 1 {
					a += (r[k][0]-r[0][0])*(r[k+1][1]-r[0][1]) - (r[k+1][0]-r[0][0])*(r[k][1]-r[0][1])
				}
				if (a > 0) != (i == 0) {
					t.Fatalf("ring %d of %d turns the wrong way: %v", i, len(rings), r)
				}
				sum += a / 2
				points += len(r)
			}
		}
		from := float32(f.Properties["rate_min_mbps"].(float64))
		to := float32(math.Inf(1))
		if v, ok := f.Properties["rate_max_mbps"].(float64); ok {
			to = float32(v)
		}
		n := 0
		for _, v := range c.Rate.V {
			if v > 0 && v >= from && v < to {
				n++
			}
		}
		t.Logf("%v: %d cells, %v km², %d polygons, %d positions", f.Properties["class"], n, f.Properties["area_km2"], len(polygons), points)
		if got := sum / cell; math.Abs(got-float64(n)) > 0.01+1e-3*float64(points) {
			t.Errorf("%v: %v cells within, want %d", f.Properties["class"], got, n)
		}
	}
}

func TestPNGShowsClassesAndLegend(t *testing.T) {
	var b bytes.Buffer
	if err := export.PNG(&b, small(), export.PNGOptions{Title: "Unità di prova", MaxSide: 600}); err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	if s := img.Bounds().Size(); s.X > 600 || s.Y > 600 || s.X < 400 {
		t.Errorf("size %v", s)
	}
	seen := map[color.NRGBA]int{}
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			seen[color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)]++
		}
	}
	for _, c := range export.Classes() {
		if n := seen[c.Colour]; n < 1000 {
			t.Errorf("%s: %d pixels", c.ID, n)
		}
	}
}

// Each pair of colours must differ for people with any of the three kinds of
// colour blindness (Viénot, Brettel and Mollon, 1999, for the first two; a
// plain loss of the blue channel for the third), and in grey.
func TestColoursCanBeToldApart(t *testing.T) {
	lin := func(v uint8) float64 { return math.Pow(float64(v)/255, 2.2) }
	kinds := map[string]func(r, g, b float64) [3]float64{
		"protanope": func(r, g, b float64) [3]float64 {
			y := 0.11238*r + 0.88762*g
			return [3]float64{y, y, 0.00401*r - 0.00401*g + b}
		},
		"deuteranope": func(r, g, b float64) [3]float64 {
			y := 0.29275*r + 0.70725*g
			return [3]float64{y, y, -0.02234*r + 0.02234*g + b}
		},
		"tritanope": func(r, g, b float64) [3]float64 { return [3]float64{r, g, 0.7*g + 0.3*r} },
		"grey":      func(r, g, b float64) [3]float64 { y := 0.2126*r + 0.7152*g + 0.0722*b; return [3]float64{y, y, y} },
	}
	all := export.Classes()
	for name, see := range kinds {
		for i, a := range all {
			for _, b := range all[i+1:] {
				p := see(lin(a.Colour.R), lin(a.Colour.G), lin(a.Colour.B))
				q := see(lin(b.Colour.R), lin(b.Colour.G), lin(b.Colour.B))
				d := 0.0
				for k := range 3 {
					d = math.Max(d, math.Abs(math.Pow(max(p[k], 0), 1/2.2)-math.Pow(max(q[k], 0), 1/2.2)))
				}
				if least := map[bool]float64{true: 0.1, false: 0.12}[name == "grey"]; d < least {
					t.Errorf("%s sees %s and %s only %.3f apart", name, a.ID, b.ID, d)
				}
			}
		}
	}
}

func TestCoverageTileShowsTheNearestCell(t *testing.T) {
	c := small()
	for _, z := range []int{9, 12, 14} {
		tile := geo.TileAt(geo.LonLat{Lon: 8.015, Lat: 44.59}, z)
		var b bytes.Buffer
		if err := export.CoverageTile(&b, c, z, tile.X, tile.Y); err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(&b)
		if err != nil {
			t.Fatal(err)
		}
		for py := 0; py < geo.TileSide; py += 3 {
			for px := 0; px < geo.TileSide; px += 3 {
				p := tile.LonLat(float64(px)+0.5, float64(py)+0.5)
				col, row := math.Floor((p.Lon-7.995)/0.01), math.Floor((44.605-p.Lat)/0.01)
				got := color.NRGBAModel.Convert(img.At(px, py)).(color.NRGBA)
				if inside := col >= 0 && col < 4 && row >= 0 && row < 3; !inside {
					if got.A != 0 {
						t.Fatalf("z %d %v: %v where nothing was computed", z, p, got)
					}
				} else if want := export.Classes()[int(col)].Colour; got.A == 0 || got.R != want.R || got.G != want.G || got.B != want.B {
					t.Fatalf("z %d %v: %v, want %v", z, p, got, want)
				}
			}
		}
	}
}

func TestNothingToDraw(t *testing.T) {
	broken := small()
	broken.Rate.V = broken.Rate.V[:4]
	for _, c := range []*planning.Coverage{nil, {}, broken} {
		var b bytes.Buffer
		for what, err := range map[string]error{
			"tile": export.CoverageTile(&b, c, 1, 0, 0), "png": export.PNG(&b, c, export.PNGOptions{}), "geojson": export.GeoJSON(&b, c),
		} {
			if err == nil {
				t.Errorf("%s of %+v: no error", what, c)
			}
		}
	}
	if err := export.PNG(&bytes.Buffer{}, small(), export.PNGOptions{MaxSide: 1e6}); fault.Of(err) != fault.Invalid {
		t.Error(err)
	}
	if err := export.CoverageTile(&bytes.Buffer{}, small(), 2, 9, 0); fault.Of(err) != fault.NotFound {
		t.Error(err)
	}
}

func BenchmarkCoverageTile(b *testing.B) {
	c := real(b)
	tile := geo.TileAt(geo.LonLat{Lon: 5.6504, Lat: 43.4303}, 11)
	var buf bytes.Buffer
	for b.Loop() {
		buf.Reset()
		if err := export.CoverageTile(&buf, c, 11, tile.X, tile.Y); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(buf.Len()), "B/tile")
}

func BenchmarkGeoJSON(b *testing.B) {
	c := real(b)
	var buf bytes.Buffer
	for b.Loop() {
		buf.Reset()
		if err := export.GeoJSON(&buf, c); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(buf.Len()), "B")
}
