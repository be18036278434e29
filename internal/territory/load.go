package territory

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"slices"

	"github.com/paulmach/orb"

	"github.com/crinale/crinale/internal/fault"
	"github.com/crinale/crinale/internal/geo"
)

// File is the name under which Load finds the union.
const File = "union.json"

// format names the layout below; another one gets another name.
const format = "crinale-territory-1"

// maxFile bounds what is read; the whole of Italy would fit.
const maxFile = 64 << 20

// unionFile is the compact form. An outline is a list of polygons, each a list
// of rings (the outer one first), each a flat list of whole numbers in units
// of UnitDeg: longitude and latitude of the first corner, then the steps to
// the next ones. The corner that closes the ring is not repeated.
type unionFile struct {
	Format  string       `json:"format"`
	Name    string       `json:"name"`
	UnitDeg float64      `json:"unit_deg"`
	Comuni  []comuneFile `json:"comuni"`
	Places  []placeFile  `json:"places"`
}

type comuneFile struct {
	ISTAT   string      `json:"istat"`
	Name    string      `json:"name"`
	Hall    [2]float64  `json:"hall"` // longitude, latitude
	People  map[int]int `json:"people"`
	AreaKm2 float64     `json:"area_km2"`
	Outline [][][]int32 `json:"outline"`
}

type placeFile struct {
	Name   string     `json:"name"`
	At     [2]float64 `json:"at"` // longitude, latitude
	Comune string     `json:"comune"`
	People int        `json:"people,omitempty"`
}

// Load reads the union from File in the root of fsys. Rings are closed, outer
// rings run counter-clockwise and holes clockwise, as in GeoJSON. The error is
// of kind fault.Invalid and names the comune or place.
func Load(fsys fs.FS) (*Union, error) {
	f, err := fsys.Open(File)
	if err != nil {
		return nil, fault.New(fault.NotFound, "read the territory: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fault.New(fault.Invalid, "read %s: %w", File, err)
	}
	u, err := decode(data)
	if err != nil {
		return nil, fault.New(fault.Invalid, "read %s: %w", File, err)
	}
	return u, nil
}

func decode(data []byte) (*Union, error) {
	if len(data) > maxFile {
		return nil, fmt.Errorf("more than %d bytes: too large for a territory", maxFile)
	}
	var f unionFile
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, err
	}
	if f.Format != format {
		return nil, fmt.Errorf("format %q is not read, only %q: write the file with the importer of this version", f.Format, format)
	}
	if !(f.UnitDeg >= 1e-7 && f.UnitDeg <= 0.01) {
		return nil, fmt.Errorf("unit_deg %v: want 0.0000001 to 0.01", f.UnitDeg)
	}
	u := &Union{Name: f.Name}
	seen := map[string]string{}
	for i, c := range f.Comuni {
		if other, twice := seen[c.ISTAT]; twice {
			return nil, fmt.Errorf("comune %d %q: ISTAT code %s is that of %q too", i+1, c.Name, c.ISTAT, other)
		}
		seen[c.ISTAT] = c.Name
		out, err := c.comune(f.UnitDeg)
		if err != nil {
			return nil, fmt.Errorf("comune %d %q: %w", i+1, c.Name, err)
		}
		u.Comuni = append(u.Comuni, out)
	}
	for i, p := range f.Places {
		at := geo.LonLat{Lon: p.At[0], Lat: p.At[1]}
		if _, ok := seen[p.Comune]; !ok || !at.Valid() || p.People < 0 {
			return nil, fmt.Errorf("place %d %q: want a valid position, the ISTAT code of a comune of the union, and people from 0 up", i+1, p.Name)
		}
		u.Places = append(u.Places, Place{p.Name, at, p.Comune, p.People})
	}
	u.Index()
	return u, nil
}

func (f comuneFile) comune(unitDeg float64) (Comune, error) {
	c := Comune{ISTAT: f.ISTAT, Name: f.Name, People: f.People, AreaKm2: f.AreaKm2, Hall: geo.LonLat{Lon: f.Hall[0], Lat: f.Hall[1]}}
	if len(f.ISTAT) != 6 || f.Name == "" || !c.Hall.Valid() || f.AreaKm2 < 0 {
		return c, errors.New("want an ISTAT code of six digits, a name, a valid town hall and an area")
	}
	for year, n := range f.People {
		if year < 1800 || year > 3000 || n < 0 {
			return c, fmt.Errorf("%d people in the year %d", n, year)
		}
	}
	if len(f.Outline) == 0 {
		return c, errors.New("no outline")
	}
	for _, poly := range f.Outline {
		if len(poly) == 0 {
			return c, errors.New("a polygon without a ring")
		}
		var out orb.Polygon
		for i, flat := range poly {
			ring, err := unpack(flat, unitDeg)
			if err != nil {
				return c, err
			}
			want := orb.CCW
			if i > 0 {
				want = orb.CW
			}
			if ring.Orientation() != want {
				ring.Reverse()
			}
			out = append(out, ring)
		}
		c.Outline = append(c.Outline, out)
	}
	return c, nil
}

// unpack gives the closed ring of a flat list of steps.
func unpack(flat []int32, unitDeg float64) (orb.Ring, error) {
	if len(flat) < 6 || len(flat)%2 != 0 {
		return nil, fmt.Errorf("a ring of %d numbers: want pairs, three or more", len(flat))
	}
	ring := make(orb.Ring, 0, len(flat)/2+1)
	var x, y int64
	for i := 0; i < len(flat); i += 2 {
		x, y = x+int64(flat[i]), y+int64(flat[i+1])
		p := geo.LonLat{Lon: float64(x) * unitDeg, Lat: float64(y) * unitDeg}
		if !p.Valid() {
			return nil, fmt.Errorf("corner %d lies at %v, outside the world", i/2+1, p)
		}
		ring = append(ring, orb.Point{p.Lon, p.Lat})
	}
	ring = append(ring, ring[0])
	if ring.Orientation() == 0 {
		return nil, errors.New("a ring without an area")
	}
	return ring, nil
}

// Encode writes the union in the form that Load reads, corners rounded to
// unitDeg (0.00001 is about a metre). The same union gives the same bytes.
func Encode(u *Union, unitDeg float64) ([]byte, error) {
	f := unionFile{Format: format, Name: u.Name, UnitDeg: unitDeg}
	for _, c := range u.Comuni {
		cf := comuneFile{ISTAT: c.ISTAT, Name: c.Name, Hall: [2]float64{c.Hall.Lon, c.Hall.Lat}, People: c.People, AreaKm2: c.AreaKm2}
		for _, poly := range c.Outline {
			var rings [][]int32
			for _, r := range poly {
				rings = append(rings, pack(r, unitDeg))
			}
			cf.Outline = append(cf.Outline, rings)
		}
		f.Comuni = append(f.Comuni, cf)
	}
	for _, p := range u.Places {
		f.Places = append(f.Places, placeFile{p.Name, [2]float64{p.At.Lon, p.At.Lat}, p.Comune, p.People})
	}
	data, err := json.Marshal(f)
	if err != nil {
		return nil, err
	}
	if _, err := decode(data); err != nil {
		return nil, fmt.Errorf("this union could not be read back: %w", err)
	}
	return data, nil
}

// pack is the inverse of unpack; corners that fall together are dropped.
func pack(r orb.Ring, unitDeg float64) []int32 {
	if len(r) > 1 && r[0] == r[len(r)-1] {
		r = r[:len(r)-1]
	}
	type corner struct{ x, y int32 }
	var cs []corner
	for _, p := range r {
		c := corner{int32(math.Round(p[0] / unitDeg)), int32(math.Round(p[1] / unitDeg))}
		if len(cs) == 0 || c != cs[len(cs)-1] {
			cs = append(cs, c)
		}
	}
	flat := make([]int32, 0, 2*len(cs))
	var last corner
	for _, c := range cs {
		flat = append(flat, c.x-last.x, c.y-last.y)
		last = c
	}
	return slices.Clip(flat)
}
