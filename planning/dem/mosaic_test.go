package dem

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/crinale/crinale/internal/geo"
	"github.com/crinale/crinale/internal/testdata"
	"github.com/crinale/crinale/planning"
)

// cut makes SRTM tiles N44E007 and N44E008 of the west and the east half of a
// real tile's northern part, so that its middle lies on 8° E.
func cut(t *testing.T) (m *Mosaic, at func(col, row int) int16, n int) {
	t.Helper()
	b, err := os.ReadFile(testdata.Shared(t, "data/dem/provence_analog_srtm3/N43E005.hgt"))
	if err != nil {
		t.Fatal(err)
	}
	const whole = 1201
	n = 601
	at = func(col, row int) int16 {
		i := 2 * (row*whole + col)
		return int16(uint16(b[i])<<8 | uint16(b[i+1]))
	}
	half := func(from int) *fstest.MapFile {
		return &fstest.MapFile{Data: hgtBytes(n, func(col, row int) int16 { return at(from+col, row) })}
	}
	m, err = OpenFS(fstest.MapFS{"N44E007.hgt": half(0), "N44E008.hgt": half(n - 1)})
	if err != nil {
		t.Fatal(err)
	}
	return m, at, n
}

// The union lies across 8° E: a point on either side of it, and on it, has the
// height that one undivided grid gives.
func TestSeamAtEightEast(t *testing.T) {
	m, at, n := cut(t)
	if b := m.Bounds(); b != (geo.Bounds{West: 7, South: 44, East: 9, North: 45}) {
		t.Errorf("bounds %+v", b)
	}
	rnd := rand.New(rand.NewPCG(1, 8))
	cell := 1 / float64(n-1)
	for i := range 20000 {
		p := geo.LonLat{Lon: 8 + (rnd.Float64()-0.5)*6*cell, Lat: 44 + rnd.Float64()}
		switch i % 10 {
		case 0:
			p.Lon = 8
		case 1:
			p.Lon = math.Nextafter(8, 7)
		case 2:
			p.Lon = math.Nextafter(8, 9)
		}
		x, y := (p.Lon-7)/cell, (45-p.Lat)/cell
		c, r := int(x), int(y)
		fx, fy := x-float64(c), y-float64(r)
		want := (float64(at(c, r))*(1-fx)+float64(at(c+1, r))*fx)*(1-fy) + (float64(at(c, r+1))*(1-fx)+float64(at(c+1, r+1))*fx)*fy
		got, ok := m.Height(p)
		if !ok || math.Abs(got-want) > 1e-4 {
			t.Fatalf("%v: got %v %v, want %v", p, got, ok, want)
		}
	}
}

// A path across the seam has no step in it: walked from either end, and from
// the seam to both, it gives the same heights.
func TestPathAcrossTheSeam(t *testing.T) {
	m, _, _ := cut(t)
	a, b := geo.LonLat{Lon: 7.95, Lat: 44.31}, geo.LonLat{Lon: 8.05, Lat: 44.36}
	const n = 400
	there, back := a.Walk(b, n), b.Walk(a, n)
	last := math.NaN()
	for i, p := range there {
		h, ok := m.Height(p)
		g, ok2 := m.Height(back[n-i])
		if !ok || !ok2 || math.Abs(h-g) > 1e-3 {
			t.Fatalf("%v: %v %v there, %v %v back", p, h, ok, g, ok2)
		}
		if step := math.Abs(h - last); step > 30 {
			t.Errorf("%v: a step of %v m in %v m", p, step, a.Distance(b)/n)
		}
		last = h
	}
}

// Without the eastern tile the seam itself is known, and nothing beyond it.
func TestEdgeOfTheOnlyTile(t *testing.T) {
	m, err := openBytes("N44E007.hgt", hgtBytes(601, func(col, row int) int16 { return int16(col) }))
	if err != nil {
		t.Fatal(err)
	}
	if h := heightAt(t, m, 8, 44.37); h != 600 {
		t.Errorf("8° E is %v m", h)
	}
	if _, ok := m.Height(geo.LonLat{Lon: 8.0001, Lat: 44.37}); ok {
		t.Error("8.0001° E is known")
	}
}

// The finest grid answers; in its voids and beyond it the next one does.
func TestFinestFirstAndVoidsFallThrough(t *testing.T) {
	fine := hgtBytes(121, func(col, row int) int16 {
		if col > 52 && col < 68 && row > 52 && row < 68 {
			return void16
		}
		return 500
	})
	coarse := hgtBytes(61, func(int, int) int16 { return 300 })
	files := fstest.MapFS{
		"a/N44E007.hgt": {Data: coarse}, "a/N44E008.hgt": {Data: coarse}, "b/N44E007.hgt": {Data: fine},
	}
	for _, order := range [][]string{{"a", "b"}, {"b", "a"}, {"b/N44E007.hgt", "a"}} {
		m, err := OpenFS(files, order...)
		if err != nil {
			t.Fatal(err)
		}
		for p, want := range map[geo.LonLat]float64{
			{Lon: 7.15, Lat: 44.15}: 500, {Lon: 7.55, Lat: 44.55}: 300, {Lon: 7.5, Lat: 44.5}: 300, {Lon: 8.15, Lat: 44.15}: 300,
		} {
			if h := heightAt(t, m, p.Lon, p.Lat); h != want {
				t.Errorf("%v: %v is %v m, want %v", order, p, h, want)
			}
			src, ok := m.SourceAt(p)
			if cell := map[float64]float64{500: 1. / 120, 300: 1. / 60}[want] * 111195; !ok || math.Abs(src.CellM-cell) > 1 {
				t.Errorf("%v: %v rests on %+v", order, p, src)
			}
		}
		if _, ok := m.SourceAt(geo.LonLat{Lon: 20, Lat: 44}); ok {
			t.Error("a source far away")
		}
		// A result may rest on the coarse one: that is what Source says.
		if s := m.Source(); math.Abs(s.CellM-1853.25) > 1 || !s.Coarse {
			t.Errorf("source %+v", s)
		}
		r, err := m.Raster(geo.Bounds{West: 7.35, South: 44.35, East: 7.65, North: 44.65}, 0)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range r.V {
			p := r.LonLat(i%r.Cols, i/r.Cols)
			h, ok := m.Height(p)
			if !ok || math.Abs(h-float64(v)) > 1e-3 {
				t.Errorf("raster at %v: %v, height %v %v", p, v, h, ok)
			}
		}
	}
}

func TestSourceNames(t *testing.T) {
	tile := &fstest.MapFile{Data: hgtBytes(61, func(int, int) int16 { return 1 })}
	files := fstest.MapFS{}
	for i := range 5 {
		files[fmt.Sprintf("N44E00%d.hgt", i)] = tile
	}
	m, err := OpenFS(files)
	if err != nil {
		t.Fatal(err)
	}
	if s := m.Source(); s.Source != "N44E000.hgt, N44E001.hgt and 3 more" || s.Surface != planning.UnknownSurface {
		t.Errorf("%+v", s)
	}
	c := Default()
	c.Name, c.Surface = "SRTM 30″", planning.BareEarth
	if m, err = c.OpenFS(files, "N44E000.hgt"); err != nil {
		t.Fatal(err)
	}
	if s := m.Source(); s.Source != "SRTM 30″" || s.Surface != planning.BareEarth {
		t.Errorf("%+v", s)
	}
}

func TestOpenFolders(t *testing.T) {
	dir := t.TempDir()
	tile := hgtBytes(61, func(int, int) int16 { return 7 })
	for _, n := range []string{"deep/er/N44E007.hgt", "N44E008.HGT", "notes.txt", "._N44E009.hgt"} {
		name := filepath.Join(dir, filepath.FromSlash(n))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, tile, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	m, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if b := m.Bounds(); b.West != 7 || b.East != 9 {
		t.Errorf("%+v", b)
	}
	t.Chdir(dir)
	for _, p := range []string{".", "./deep", "deep/er/N44E007.hgt", "../" + filepath.Base(dir)} {
		if _, err := Open(p); err != nil {
			t.Errorf("%s: %v", p, err)
		}
	}
	// One bad file among good ones is not left out in silence.
	if err := os.WriteFile(filepath.Join(dir, "deep", "N45E007.hgt"), tile[:7], 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), filepath.Join("deep", "N45E007.hgt")) {
		t.Error(err)
	}
}

func TestRasterOfTheNativeGridIsTheGrid(t *testing.T) {
	m, at, n := cut(t)
	cell := 1 / float64(n-1)
	r, err := m.Raster(geo.Bounds{West: 7.99, South: 44.5, East: 8.02, North: 44.52}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if r.CellLon != cell || r.CellLat != cell || r.West > 7.99 || r.North < 44.52 || r.Bounds().East < 8.02 || r.Bounds().South > 44.5 {
		t.Errorf("%+v does not cover the window", r.Bounds())
	}
	c0, r0 := int(math.Round((r.West-7)/cell)), int(math.Round((45-r.North)/cell))
	for i, v := range r.V {
		if want := at(c0+i%r.Cols, r0+i/r.Cols); v != float32(want) {
			t.Fatalf("cell %d: %v, want %v", i, v, want)
		}
	}
}

// A projected grid is sampled along chords of the parallels: within a
// centimetre of the place, so within centimetres of the height.
func TestRasterOfAProjectedGrid(t *testing.T) {
	m, err := Open(testdata.Shared(t, "data/dem/fine/bigtujunga_30m_epsg32611.tif"))
	if err != nil {
		t.Fatal(err)
	}
	for _, cell := range []float64{0, 0.0001, 0.002} {
		r, err := m.Raster(geo.Bounds{West: -118.3, South: 34.25, East: -118.2, North: 34.3}, cell)
		if err != nil {
			t.Fatal(err)
		}
		known, worst := 0, 0.0
		for i := 0; i < len(r.V); i += 7 {
			h, ok := m.Height(r.LonLat(i%r.Cols, i/r.Cols))
			if v := r.V[i]; ok != (v == v) {
				t.Fatalf("cell %d: %v, height %v %v", i, v, h, ok)
			} else if ok {
				known++
				worst = math.Max(worst, math.Abs(h-float64(v)))
			}
		}
		if known < len(r.V)/8 || worst > 0.05 {
			t.Errorf("cell %v°: %d of %d known, worst %v m", cell, known, len(r.V), worst)
		}
		if cell == 0 && math.Abs(r.CellLat*111195-30) > 0.1 {
			t.Errorf("native cell %v°", r.CellLat)
		}
	}
}

func TestRasterRefusals(t *testing.T) {
	m, err := openBytes("N44E007.hgt", hgtBytes(601, func(int, int) int16 { return 1 }))
	if err != nil {
		t.Fatal(err)
	}
	good := geo.Bounds{West: 7, South: 44, East: 8, North: 45}
	nan := math.NaN()
	for _, c := range []struct {
		b    geo.Bounds
		cell float64
		want string
	}{
		{geo.Bounds{West: 8, South: 44, East: 7, North: 45}, 0, "west under east"},
		{geo.Bounds{West: 7, South: nan, East: 8, North: 45}, 0, "west under east"},
		{good, -1, "cell of -1°"}, {good, nan, "cell of NaN°"}, {good, math.Inf(1), "cell of +Inf°"},
		{good, 1e-9, "too many"}, {geo.Bounds{West: -180, South: -90, East: 180, North: 90}, 0, "too many"},
	} {
		if _, err := m.Raster(c.b, c.cell); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v %v: %v", c.b, c.cell, err)
		}
	}
	r, err := m.Raster(geo.Bounds{West: 20, South: 10, East: 20.1, North: 10.1}, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range r.V {
		if v == v {
			t.Fatalf("%v m far from the terrain", v)
		}
	}
}

func TestManyTilesAreFound(t *testing.T) {
	files := fstest.MapFS{}
	for lat := 40; lat < 48; lat++ {
		for lon := 5; lon < 15; lon++ {
			if (lat+lon)%7 == 0 {
				continue // a hole in the map
			}
			files[fmt.Sprintf("N%02dE%03d.hgt", lat, lon)] = &fstest.MapFile{Data: hgtBytes(61, func(col, row int) int16 {
				return int16((lat-40)*120 - row*2 + (lon-5)*120 + col*2)
			})}
		}
	}
	m, err := OpenFS(files)
	if err != nil {
		t.Fatal(err)
	}
	if len(m.sheets) != 1 || len(m.sheets[0].buckets) == 0 {
		t.Fatalf("%d sheets", len(m.sheets))
	}
	rnd := rand.New(rand.NewPCG(9, 9))
	for range 20000 {
		p := geo.LonLat{Lon: 4.9 + 10.2*rnd.Float64(), Lat: 39.9 + 8.2*rnd.Float64()}
		lat, lon := int(math.Floor(p.Lat)), int(math.Floor(p.Lon))
		want := lat >= 40 && lat < 48 && lon >= 5 && lon < 15 && (lat+lon)%7 != 0
		h, ok := m.Height(p)
		if ok != want || ok && math.Abs(h-((p.Lat-40)*120+(p.Lon-5)*120-120)) > 1e-3 {
			t.Fatalf("%v: %v %v, want %v %v", p, h, ok, (p.Lat-40)*120+(p.Lon-5)*120-120, want)
		}
	}
}

func TestHeightFromManySides(t *testing.T) {
	m, _, _ := cut(t)
	p := geo.LonLat{Lon: 8, Lat: 44.4}
	want := heightAt(t, m, p.Lon, p.Lat)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 1000 {
				if h, ok := m.Height(p); !ok || h != want {
					t.Errorf("%v %v", h, ok)
					return
				}
			}
		})
	}
	wg.Wait()
}

func ExampleConfig_OpenFS() {
	tile := hgtBytes(61, func(col, row int) int16 { return int16(100 * col) })
	files := fstest.MapFS{"N44E007.hgt": {Data: tile}, "N44E008.hgt": {Data: tile}}
	c := Default()
	c.Surface = planning.BareEarth
	m, err := c.OpenFS(files)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(m.Height(geo.LonLat{Lon: 8.25, Lat: 44.5}))
	fmt.Println(m.Height(geo.LonLat{Lon: 9.25, Lat: 44.5}))
	fmt.Println(m.Source().Source, m.Source().Surface, m.Source().Coarse)
	// Output:
	// 1500 true
	// 0 false
	// N44E007.hgt, N44E008.hgt bare-earth true
}
